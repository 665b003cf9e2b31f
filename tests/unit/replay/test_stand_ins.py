"""Stand-ins keep what `decide` compares, and nothing of the people."""

import json

import pytest

from local.replay.stand_ins import StandIns
from partyline.domain import numbers
from partyline.domain.masking import mask_text, masked
from partyline.domain.model.assistant import Assistant
from partyline.domain.names import normalized_name, quoted
from partyline.domain.rules.insights import digest_of

NUMBERS = ["+13125557788", "+442079460123", "+4915112345678", "+18005550123", "+19005551234"]


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_keeps_its_country_and_kind(number: str) -> None:
    stand_in = StandIns().number(number)
    assert stand_in != number
    assert numbers.country_of(stand_in) == numbers.country_of(number)
    assert numbers.special_kind(stand_in) == numbers.special_kind(number)
    assert numbers.is_toll_free(stand_in) == numbers.is_toll_free(number)


def test_a_north_american_number_keeps_its_area_code() -> None:
    assert StandIns().number("+13124447788") == "+13125550100"


def test_equal_numbers_have_equal_stand_ins_and_others_have_others() -> None:
    stand_ins = StandIns()
    raw = [f"+1312{exchange}{ending}" for exchange in range(300, 340) for ending in ("7788", "99")]
    raw = [number.ljust(12, "5") for number in raw]
    shown = [stand_ins.number(number) for number in raw]
    assert len(set(shown)) == len(set(raw))
    assert shown == [stand_ins.number(number) for number in raw]


def test_numbers_that_end_alike_are_shown_alike() -> None:
    stand_ins = StandIns()
    raw = ["+13124447788", "+442079467788", "+13129997788"]
    assert len({masked(stand_ins.number(number)) for number in raw}) == 1


@pytest.mark.parametrize("word", ["anonymous", "Restricted"])
def test_a_withheld_number_stays_withheld(word: str) -> None:
    assert StandIns().number(word) == word


def test_a_sip_address_has_another_user_and_domain() -> None:
    stand_ins = StandIns()
    first, second = stand_ins.number("sip:robin@acme.com"), stand_ins.number("sip:kim@acme.com")
    assert first.split("@")[1] == second.split("@")[1] != "acme.com"
    assert numbers.SIP_ADDRESS.fullmatch(first)
    assert "robin" not in first


@pytest.mark.parametrize(
    "caller",
    [
        "sip:robin@acme.com:5060",
        "sip:robin2@acme.com;transport=udp",
        "sip:+13124447788@acme.com:5060",
        "Robin 3 <sip:robin@acme.com>",
        "(312) 444-7788",
    ],
)
def test_a_caller_in_another_form_keeps_no_part_of_the_address(caller: str) -> None:
    shown = StandIns().number(caller)
    assert not any(part in shown for part in ("Robin", "robin", "acme", "312", "444"))


def test_digits_after_a_number_are_replaced() -> None:
    stand_ins = StandIns()
    first, second = stand_ins.number("+13124447788,4711#"), stand_ins.number("+13124447788,4712#")
    assert first != second
    assert first.split(",")[0] == second.split(",")[0] == stand_ins.number("+13124447788")
    assert "471" not in first + second


def test_names_that_count_as_the_same_stay_the_same() -> None:
    stand_ins = StandIns()
    shown = [stand_ins.name(name) for name in ("Zoë Quist", "zoë  quist", "Dana", "ZOË QUIST")]
    assert len(set(shown)) == 4
    assert len({normalized_name(name) for name in shown}) == 2
    assert normalized_name(shown[0]) == normalized_name(shown[3]) != normalized_name(shown[2])


def test_a_name_is_replaced_in_the_texts_about_the_person() -> None:
    stand_ins = StandIns()
    raw = 'Zoë "Z" Quist'
    name = stand_ins.name(raw)
    said = f"{quoted(raw)} has joined the conversation."
    assert stand_ins.shown_text(said) == f"{quoted(name)} has joined the conversation."


def test_a_message_has_the_same_stand_in_in_the_input_and_in_the_event() -> None:
    stand_ins = StandIns()
    content = "The number of Robin is +1 312 444 7788."
    message = {"type": "SendMessage", "id": "1", "role": "system", "content": content}
    shown = stand_ins.input(message)["content"]
    assert "Robin" not in shown
    assert len(shown.encode()) == pytest.approx(len(content.encode()), abs=8)
    event = {"type": "message.sent", "data": {"content": mask_text(content)}}
    assert stand_ins.event(event)["data"]["content"] == shown


def test_settings_of_the_assistant_keep_only_the_words_of_the_api() -> None:
    tools = [
        {"type": "webhook", "webhook": {"name": "invite", "url": "https://a.b/x/tools/invite"}}
    ]
    settings = {"id": "assistant-1", "instructions": "Robin owes 40 dollars.", "tools": tools}
    shown = StandIns().input({"type": "Route", "assistant": settings})["assistant"]
    assert "Robin" not in json.dumps(shown)
    assert shown["id"] == "assistant-1"
    missing = Assistant(**settings).missing_tools
    assert Assistant(**shown).missing_tools == missing == ["handover", "call_back", "status"]


def test_dynamic_variables_keep_neither_names_nor_values() -> None:
    variables = {"id": "Robin-1", "type": "Robin", "Robin's account": 4711, "model": "T-4711"}
    settings = {"id": "assistant-1", "dynamic_variables": variables}
    shown = StandIns().input({"type": "Route", "assistant": settings})["assistant"]
    assert len(shown["dynamic_variables"]) == len(variables)
    assert "Robin" not in json.dumps(shown)
    assert "4711" not in json.dumps(shown)


def test_metadata_and_insights_are_replaced_whole() -> None:
    stand_ins = StandIns()
    started = {"type": "StartConversation", "metadata": {"Robin": {"born": 1970}}}
    insight = {"type": "Insight", "insight_id": "i-1", "result": {"mood": "Robin is angry"}}
    shown = json.dumps([stand_ins.input(started), stand_ins.input(insight)])
    assert "Robin" not in shown
    assert "1970" not in shown
    assert "i-1" in shown


def test_equal_insights_stay_equal_also_as_text() -> None:
    stand_ins = StandIns()
    results = [{"a": 1}, '{"a": 1}', {"a": 2}]
    shown = [
        stand_ins.input({"type": "Insight", "result": result, "insight_id": "i"})["result"]
        for result in results
    ]
    digests = [digest_of(result) for result in shown]
    assert digests[0] == digests[1] != digests[2]


def test_several_pressed_digits_are_replaced_and_a_single_digit_stays() -> None:
    stand_ins = StandIns()
    assert stand_ins.input({"type": "DigitsGathered", "digits": "1"})["digits"] == "1"
    assert stand_ins.input({"type": "DigitsGathered", "digits": "4711"})["digits"] != "4711"

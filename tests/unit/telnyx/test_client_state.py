"""`client_state` is read as we wrote the text, and a foreign text is ignored."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partyline.telnyx.client_state import ClientState

IDS = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)


def encoded(value: object) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


OURS = {"conversation": "c", "participant": "p", "leg": 1}


@given(conversation=IDS, participant=IDS, leg=st.integers(1, 99))
def test_decode_returns_the_encoded_state(conversation: str, participant: str, leg: int) -> None:
    state = ClientState(conversation, participant, leg)

    text = state.encode()

    assert ClientState.decode(text) == state
    assert len(text) < 300


def test_the_text_is_base64_of_compact_json() -> None:
    text = ClientState("c", "p", 2).encode()

    assert base64.b64decode(text) == b'{"conversation":"c","participant":"p","leg":2}'


def test_the_state_of_a_prompt_names_the_command_and_its_repetition() -> None:
    state = ClientState("c", "p", 2, "wait_words", 3)

    assert ClientState.decode(state.encode()) == state


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "not base64!",
        # Telnyx's own bytes, an Erlang term.
        "g3QAAAACbQAAAAtkYXRhX2NlbnRlcm0AAAADY2gxbQAAAApkZXBsb3ltZW50bQAAAARiYXNl",
        "aGF2ZSBhIG5pY2UgZGF5ID1d",
        encoded([]),
        encoded(None),
        encoded("c"),
        encoded({}),
        encoded({**OURS, "leg": "1"}),
        encoded({**OURS, "leg": True}),
        encoded({**OURS, "leg": 1.0}),
        encoded({**OURS, "leg": 0}),
        encoded({**OURS, "leg": 100}),
        encoded({**OURS, "conversation": ""}),
        encoded({**OURS, "conversation": "a" * 65}),
        encoded({**OURS, "conversation": "a\n"}),
        encoded({**OURS, "participant": "é"}),
        encoded({**OURS, "participant": None}),
        encoded({**OURS, "participant": ["p"]}),
        encoded({**OURS, "more": 1}),
        encoded({**OURS, "prompt": "dial"}),
        encoded({**OURS, "prompt": "screen", "repeat": -1}),
        encoded({**OURS, "prompt": "screen", "repeat": "1"}),
        encoded({"conversation": "c", "participant": "p"}),
        encoded({**OURS, "more": "x" * 1024}),
        base64.b64encode(b"[" * 760).decode(),
        base64.b64encode(b"\xff\xfe").decode(),
        "é" * 8,
        "\ud800",
    ],
)
def test_a_text_that_we_did_not_write_is_none(text: str | None) -> None:
    assert ClientState.decode(text) is None


def test_a_text_over_the_limit_is_none() -> None:
    padded = json.dumps(OURS) + " " * 1000

    assert ClientState.decode(base64.b64encode(padded.encode()).decode()) is None


@given(st.one_of(st.text(), st.binary().map(lambda raw: base64.b64encode(raw).decode())))
def test_decode_never_raises(text: str) -> None:
    ClientState.decode(text)


@pytest.mark.parametrize(
    ("conversation", "participant", "leg"), [("", "p", 1), ("c", "p p", 1), ("c", "p", 0)]
)
def test_an_id_or_leg_out_of_range_is_refused(
    conversation: str, participant: str, leg: int
) -> None:
    with pytest.raises(ValueError, match="1 to"):
        ClientState(conversation, participant, leg)

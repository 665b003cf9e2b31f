"""Every field and every time of a whole call, compared with a golden file.

A change of the file is a change of the API's answers: look at each line of the difference.
"""

import json
import re
from datetime import datetime
from pathlib import Path

from local.simulator.delivery import DeliverySettings
from local.simulator.model import Person
from tests.support.lab import Lab, NewLab
from tests.support.people import DANA, HOST, KIM, LEE, NAMES

GOLDEN = Path(__file__).with_name("whole_call.golden")
NEW_ID = re.compile(r'"(guest-\w{12}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[\w/+]{15}=)"')
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:[\d.]+Z")


def named_ids(lab: Lab, text: str) -> dict[str, str]:
    """Names for the ids that are new in each run, such as `call of Dana` and `id 3`."""
    names = {leg.call_control_id: f"call of {NAMES[leg.person_number]}" for leg in lab.telnyx.legs}
    for delivery in lab.telnyx.deliverer.attempts:
        names[delivery.event_id] = delivery.event_type
    # Numbered apart from the webhooks, so that a further webhook changes no number.
    unnamed = dict.fromkeys(id_ for id_ in NEW_ID.findall(text) if id_ not in names)
    return names | {id_: f"id {number}" for number, id_ in enumerate(unnamed, 1)}


def golden_lines(lab: Lab, conversation_id: str, began: datetime) -> list[str]:
    """The conversation and its timeline: times as seconds since the start, ids as names."""
    text = json.dumps(lab.conversation(conversation_id), indent=1) + "\n"
    text += "".join(f"{json.dumps(event)}\n" for event in lab.timeline(conversation_id))
    for id_, name in named_ids(lab, text).items():
        text = text.replace(f'"{id_}"', f'"<{name}>"')
    text = TIME.sub(lambda time: f"+{(_moment(time[0]) - began).total_seconds()} s", text)
    return text.splitlines()


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_every_field_and_every_time_of_a_whole_call(new_lab: NewLab) -> None:
    lab = new_lab([Person(DANA, behaviour="busy"), Person(LEE, answer_after_secs=3)])
    # Telnyx's time of an event is then another time than ours.
    lab.telnyx.deliverer.settings["*"] = DeliverySettings(delay_secs=(0.25, 0.25))
    began = lab.clock.now()
    conversation_id = lab.start(name="Robin", metadata={"order": 7})
    lab.run(10)
    lab.invite(conversation_id, [DANA, LEE], name="Dana")
    lab.run(10)
    lab.transport.refuse("dial", 422, "10016", "The number is not in E.164.")
    lab.invite(conversation_id, KIM, name="Kim")
    lab.run(10)
    lab.hang_up(LEE)
    lab.run(10)
    lab.hang_up(HOST)
    lab.run(60)
    lines = golden_lines(lab, conversation_id, began)
    assert lines == GOLDEN.read_text().splitlines()
    lab.assert_clean()

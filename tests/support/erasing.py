"""What tests of erasures share: the index of people, passes of erasures, the search for bytes."""

import base64
import json
from functools import cache
from typing import Any
from urllib.parse import quote

from local.stack.event_bus import matches
from tests.support.lab import Answer, Json, Lab, minutes

DEAD_LETTERS = ("FailoverDeadLetters", "StartDeadLetters", "BusDeadLetters")


class FakeScheduler:
    """The schedules of later starts; `cancelled` has the ids of deleted schedules."""

    def __init__(self) -> None:
        self.cancelled: list[str] = []

    def schedule(self, conversation_id: str, at: Any) -> None:
        """Take a schedule that never fires."""

    def cancel(self, conversation_id: str) -> None:
        """Note the deletion of a schedule."""
        self.cancelled.append(conversation_id)


class ErasureLab:
    """A lab on a table in memory whose stream feeds the index of people."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.table: Any = lab.table._dynamodb
        self.table.follower = self._follow
        self.scheduler = FakeScheduler()
        lab.app.__dict__["start_scheduler"] = self.scheduler
        mappings = dict(lab.gateway._template.properties_of("AWS::Lambda::EventSourceMapping"))
        [wanted] = mappings["IndexNumbersMapping"]["FilterCriteria"]["Filters"]
        self._pattern = wanted["Pattern"]
        self._records: list[Json] = []

    def _follow(self, name: str, item: Json) -> None:
        record = {"eventName": name, "dynamodb": {"NewImage": item}}
        if matches(self._pattern, record):
            self._records.append(record)

    def index(self) -> int:
        """Deliver the records of the stream to the function of the index; return how many."""
        records, self._records = self._records, []
        if records:
            self.invoke("index_numbers", {"Records": records})
        return len(records)

    def invoke(self, folder: str, event: Json) -> Any:
        """Run a function of a folder."""
        functions = self.lab.gateway._template.functions.values()
        [function] = [function for function in functions if function.folder == folder]
        return self.lab.gateway.invoke(function, event)

    def erase(self) -> int:
        """Run the function of erasures once; return how many erasures had a pass."""
        return int(self.lab.gateway.invoke_schedule("erase")["passes"])

    def settle(self, erasure_id: str, hours: float = 0.5) -> Json:
        """Let minutes pass until an erasure is done; return its receipt."""
        for _ in range(int(hours * 60)):
            self.index()
            self.erase()
            receipt = self.receipt(erasure_id)
            if receipt["status"] == "done":
                return receipt
            self.lab.run(minutes(1))
        return receipt

    def receipt(self, erasure_id: str) -> Json:
        """The receipt of an erasure."""
        answer = self.lab.ask("GET", f"/erasures/{erasure_id}")
        assert answer.status == 200, answer.json
        return answer.json

    def delete_person(self, number: str, query: str = "") -> Answer:
        """Ask for the erasure of a person."""
        return self.lab.ask("DELETE", f"/people/{number}{query}")

    def places_of(self, number: str) -> dict[str, list[str]]:
        """Where the number is left, in any form: table, queues and logs, with the rows' keys."""
        found: dict[str, list[str]] = {}
        for item in self.lab.table.items():
            if holds(json.dumps(item, ensure_ascii=False), number):
                found.setdefault("table", []).append(f"{item['pk']['S']} {item['sk']['S']}")
        queues = self.lab.gateway.queues
        for name, _ in self.lab.gateway._template.properties_of("AWS::SQS::Queue"):
            for message in queues.waiting(name):
                if holds(message.body + json.dumps(dict(message.attributes)), number):
                    found.setdefault("queues", []).append(name)
        for line in map(json.dumps, self.lab.logs.lines()):
            if holds(line, number):
                found.setdefault("logs", []).append(line)
        return found


@cache
def forms(number: str) -> frozenset[bytes]:
    """The forms in which a number may be written, from the plainest on."""
    digits = number.removeprefix("+")
    plain = {digits, quote(number, safe=""), number.replace("+", "\\u002b")}
    coded = set[bytes]()
    for shift in range(3):  # base64 of a text in which the number begins anywhere
        whole = base64.b64encode(b"-" * shift + digits.encode())
        coded.add(whole[(shift * 4 + 2) // 3 : len(digits) * 4 // 3 - 1])
    return frozenset(text.encode() for text in plain) | coded


def holds(text: str, number: str) -> bool:
    """Whether a text holds a number in any form."""
    return any(form in text.encode() for form in forms(number))

"""The API under fuzz: schemathesis asks the local stack, by its own description.

Half of the requests are what the description allows, half are not. Many ask about conversations
that are really there: ids are taken from what was answered before. Run as a program, with the
number of requests: `make fuzz`.
"""

import sys
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisDeprecationWarning
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi import checks

from local.docs.openapi import document
from local.stack.local_stack import API_KEY, LocalStack, Options

CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
    checks.negative_data_rejection,
]
NUMBER = "+13125550111"

KEPT = 40
"""How many ids are remembered, the newest."""

OPEN_DOORS = {
    # Whatever number is made up may be called: the simulator rings nobody.
    "AllowedDestinationPrefixes": ",".join(f"+{digit}" for digit in range(1, 10)),
    "MaxConversations": "1000",
    "MaxDialsPerMinute": "1000",
}


@dataclass
class Report:
    """What was asked and answered: statuses for each operation, and what was wrong."""

    answered: dict[str, Counter[int]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return sum(counted.total() for counted in self.answered.values())

    def lines(self) -> Iterator[str]:
        """The report as a table."""
        for label, counted in self.answered.items():
            said = "  ".join(f"{status}: {times}" for status, times in sorted(counted.items()))
            yield f"{label:58} {said}"
        yield f"{self.requests} requests, {len(self.wrong)} wrong answers"
        yield from self.wrong[:20]


class Fuzzer:
    """Somebody who asks everything that can be asked, and a lot that can't."""

    def __init__(self, stack: LocalStack, session: requests.Session) -> None:
        """Take a stack that is up, and the connections to it."""
        self._url = stack.url
        described = document()
        schema = schemathesis.openapi.from_dict(described)
        self._operations: list[APIOperation[Any, Any, Any, Any]] = [
            schema[path][method.upper()]
            for method in ("post", "put", "get", "delete")  # what is there first, and what is gone
            for path, methods in described["paths"].items()
            if method in methods
        ]
        self._session = session
        self._session.trust_env = False
        numbers = [f"+13125550{nth}" for nth in range(150, 154)]
        self._ids: dict[str, list[str]] = {
            "id": [],
            "participant_id": ["host"],
            "cursor": [],
            "number": numbers,
        }
        self.report = Report()

    def run(self, wanted: int, rounds: int, first_seed: int = 0) -> Report:
        """Ask about `wanted` requests, spread over all operations, and over some `rounds`."""
        each = -(-wanted // (len(self._operations) * 2 * rounds))
        for nth in range(rounds):
            for operation in self._operations:
                for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                    self._ask_many(operation, mode, each, first_seed + nth)
        return self.report

    def _ask_many(
        self,
        operation: APIOperation[Any, Any, Any, Any],
        mode: GenerationMode,
        times: int,
        nth: int,
    ) -> None:
        @seed(nth)
        @settings(
            max_examples=times,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode), data=st.data())
        def ask(case: Case[Any], data: st.DataObject) -> None:
            led = self._lead(case, data)
            if mode is GenerationMode.POSITIVE:
                _mend(case, data)
            # What is wrong with a request may have been the id that it was led away from.
            self._ask(case, [checks.negative_data_rejection] if led else [])

        with warnings.catch_warnings():  # how schemathesis draws what is wrong
            warnings.simplefilter("ignore", HypothesisDeprecationWarning)
            ask()

    def _lead(self, case: Case[Any], data: st.DataObject) -> bool:
        """Lead a request to what is there, to ids that were answered before; whether it was led."""
        led = False
        for where in (case.path_parameters, case.query):
            for name in where or {}:
                if self._ids.get(name) and data.draw(st.integers(0, 4)):
                    where[name] = data.draw(st.sampled_from(self._ids[name]))
                    led = True
        return led

    def _ask(self, case: Case[Any], excluded: list[Any]) -> None:
        label = f"{case.method.upper()} {case.path}"
        headers = {"authorization": f"Bearer {API_KEY}"}
        answer = case.call(base_url=self._url, session=self._session, headers=headers, timeout=30)
        self.report.answered.setdefault(label, Counter())[answer.status_code] += 1
        unsent = bool(case.query) and "?" not in str(answer.request.url)
        if unsent or 400 <= answer.status_code < 500:  # also 413, which schemathesis doesn't know
            excluded = [checks.negative_data_rejection]
        try:
            case.validate_response(answer, checks=CHECKS, excluded_checks=excluded)
        except (Failure, FailureGroup) as failure:
            self.report.wrong.append(
                f"{answer.request.url} -> {answer.status_code}: {_short(failure)}"
            )
        if answer.status_code < 300:
            self._remember(answer.json())

    def _remember(self, said: Any) -> None:
        found = {
            "id": [said.get("id")] if "direction" in said or "start_at" in said else [],
            "participant_id": [each["id"] for each in said.get("participants", [])],
            "cursor": [said.get("next_cursor")],
        }
        for name, ids in found.items():
            self._ids[name] = [*self._ids[name], *filter(None, ids)][-KEPT:]


def _mend(case: Case[Any], data: st.DataObject) -> None:
    """Keep the rules that the description can't state, so that most of what is allowed is taken."""
    if not isinstance(case.body, dict):
        return
    body: dict[str, Any] = case.body
    reached = [body] if case.path.endswith(("/conversations", "/participants")) else []
    reached += body.get("participants") or []
    contacts = list((body.get("contacts") or {}).values())
    for each in [*reached, *contacts]:
        ways = [way for way in ("to", "call_control_id") if each.get(way) is not None]
        if each in contacts or not ways:
            each.update(to=NUMBER, call_control_id=None)
        elif len(ways) > 1:
            each.pop(data.draw(st.sampled_from(ways)))
        if "deadline_secs" in each:
            each["deadline_secs"] = 3600
        # To JSON Schema 10.0 is an integer; the API takes 10.
        each.update({n: int(v) for n, v in each.items() if isinstance(v, float) and v % 1 == 0})
    body.pop("on_host_hangup", None)
    if body.get("start_at"):
        body["start_at"] = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        body.pop("call_control_id", None)
        body["to"] = NUMBER
    if isinstance(body.get("assistant"), dict):
        body["assistant"]["id"] = "assistant-1"


def _short(failure: Failure | FailureGroup) -> str:
    parts: Sequence[Any] = getattr(failure, "exceptions", [failure])
    return " | ".join(" ".join(str(each).split())[:400] for each in parts)


def main() -> int:
    """Bring a stack up and ask it as much as the argument says; 1 when an answer was wrong."""
    wanted = int(sys.argv[1])
    with LocalStack(Options(parameters=OPEN_DOORS)) as stack, requests.Session() as session:
        report = Fuzzer(stack, session).run(wanted, rounds=1 + wanted // 1500)
    sys.stdout.write("\n".join(report.lines()) + "\n")
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())

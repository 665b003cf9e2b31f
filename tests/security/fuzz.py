"""Fuzz the API: schemathesis generates requests to the local stack from the API's description.

Half of the requests are valid, half are invalid. Many requests use ids from earlier answers, so
that the conversation exists. A tenth as many requests are hostile starts, which a stack with the
default parameters must refuse, and half as many come with keys of single rights, expired keys and
unknown keys. `make fuzz` runs this program with the number of requests.
"""

import sys
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
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
from local.stack.local_stack import LocalStack, Options
from tests.security.hostile_keys import KeyedOptions, KeyFuzzer
from tests.security.hostile_starts import hostile_starts
from tests.support.patience import PATIENCE_SECS

CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
    checks.negative_data_rejection,
]
NUMBER = "+13125550111"

MAX_IDS = 40
"""The number of ids to remember of each kind. The newest are kept."""

PERMISSIVE = {
    # Allow every generated number: the simulator makes no real call.
    "AllowedDestinationPrefixes": ",".join(f"+{digit}" for digit in range(1, 10)),
    "AllowedCountries": "*",
    "AllowedSpecialNumbers": "premium,shared_cost,personal",
    "MaxConversations": "1000",
    "InboundShare": "0",
    "MaxDialsPerMinute": "1000",
}


@dataclass
class Report:
    """The number of answers by operation and status, and the wrong answers."""

    statuses: dict[str, Counter[int]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    @property
    def requests(self) -> int:
        """The number of requests sent."""
        return sum(counted.total() for counted in self.statuses.values())

    def lines(self) -> Iterator[str]:
        """The report as a table."""
        for label, counted in self.statuses.items():
            counts = "  ".join(f"{status}: {times}" for status, times in sorted(counted.items()))
            yield f"{label:58} {counts}"
        yield f"{self.requests} requests, {len(self.wrong)} wrong answers"
        yield from self.wrong[:20]


class Fuzzer:
    """Sends generated requests to every operation of the API, valid and invalid."""

    def __init__(self, stack: LocalStack, session: requests.Session) -> None:
        """Prepare requests to a running stack through a session."""
        self._url = stack.url
        self._headers = {"authorization": f"Bearer {stack.api_key}"}
        described = document()
        schema = schemathesis.openapi.from_dict(described)
        self._operations: list[APIOperation[Any, Any, Any, Any]] = [
            schema[path][method.upper()]
            for method in ("post", "put", "get", "delete")  # create, read, then delete
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
        """Send about `wanted` requests in `rounds` rounds over all operations."""
        times = -(-wanted // (len(self._operations) * 2 * rounds))
        for nth in range(rounds):
            for operation in self._operations:
                for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                    self._ask_many(operation, mode, times, first_seed + nth)
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
            replaced = self._use_known_ids(case, data)
            if mode is GenerationMode.POSITIVE:
                _apply_unstated_rules(case, data)
            # The invalid part of a request may have been the id that was replaced.
            self._ask(case, [checks.negative_data_rejection] if replaced else [])

        with warnings.catch_warnings():  # schemathesis draws invalid data in a deprecated way
            warnings.simplefilter("ignore", HypothesisDeprecationWarning)
            ask()

    def _use_known_ids(self, case: Case[Any], data: st.DataObject) -> bool:
        """Replace ids of a request by ids from earlier answers.

        Returns whether an id was replaced.
        """
        replaced = False
        for where in (case.path_parameters, case.query):
            for name in where or {}:
                # Drawn without regard to the known ids, which grow between the examples.
                use, position = data.draw(st.integers(0, 4)), data.draw(st.integers(0, MAX_IDS))
                known = self._ids.get(name)
                if known and use:
                    where[name] = known[position % len(known)]
                    replaced = True
        return replaced

    def _ask(self, case: Case[Any], excluded: list[Any]) -> None:
        label = f"{case.method.upper()} {case.path}"
        answer = case.call(
            base_url=self._url,
            session=self._session,
            headers=self._headers,
            timeout=PATIENCE_SECS,
        )
        self.report.statuses.setdefault(label, Counter())[answer.status_code] += 1
        unsent = bool(case.query) and "?" not in str(answer.request.url)
        if (
            unsent or 400 <= answer.status_code < 500
        ):  # among them 413, which schemathesis does not know
            excluded = [checks.negative_data_rejection]
        try:
            case.validate_response(answer, checks=CHECKS, excluded_checks=excluded)
        except (Failure, FailureGroup) as failure:
            self.report.wrong.append(
                f"{answer.request.url} -> {answer.status_code}: {_short(failure)}"
            )
        is_json = "json" in answer.headers["content-type"][0]
        if answer.status_code < 300 and is_json:
            self._remember(answer.json())

    def _remember(self, answer: Any) -> None:
        ids_by_name = {
            "id": [answer.get("id")] if "direction" in answer or "start_at" in answer else [],
            "participant_id": [person["id"] for person in answer.get("participants", [])],
            "cursor": [answer.get("next_cursor")],
        }
        for name, ids in ids_by_name.items():
            self._ids[name] = [*self._ids[name], *filter(None, ids)][-MAX_IDS:]


def _apply_unstated_rules(case: Case[Any], data: st.DataObject) -> None:
    """Apply the rules that the description cannot state, so that most valid requests succeed."""
    if not isinstance(case.body, dict):
        return
    body: dict[str, Any] = case.body
    reached = [body] if case.path.endswith(("/conversations", "/participants")) else []
    reached += body.get("participants") or []
    contacts = list((body.get("contacts") or {}).values())
    for plan in [*reached, *contacts]:
        ways = [way for way in ("to", "call_control_id") if plan.get(way) is not None]
        if plan in contacts or not ways:
            plan.update(to=NUMBER, call_control_id=None)
        elif len(ways) > 1:
            plan.pop(data.draw(st.sampled_from(ways)))
        if "deadline_secs" in plan:
            plan["deadline_secs"] = 3600
        # JSON Schema counts 10.0 as an integer; the API accepts 10 only.
        plan.update({n: int(v) for n, v in plan.items() if isinstance(v, float) and v % 1 == 0})
    body.pop("on_host_hangup", None)
    if body.get("start_at"):
        body["start_at"] = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        body.pop("call_control_id", None)
        body["to"] = NUMBER
    if isinstance(body.get("assistant"), dict):
        body["assistant"]["id"] = "assistant-1"


def send_hostile_starts(
    stack: LocalStack, session: requests.Session, wanted: int, report: Report
) -> None:
    """Send hostile starts, and report each that is not refused with the field at fault."""
    session.trust_env = False
    headers = {"authorization": f"Bearer {stack.api_key}"}
    for start in hostile_starts(stack.url, wanted):
        answer = session.request(
            start.method,
            stack.url + start.path,
            json=start.body,
            headers=headers,
            timeout=PATIENCE_SECS,
        )
        report.statuses.setdefault("hostile starts", Counter())[answer.status_code] += 1
        details = answer.json().get("error", {}).get("details", [])
        named = any(str(detail.get("field")).startswith(start.field) for detail in details)
        if answer.status_code != 422 or not named:
            report.wrong.append(f"{start} -> {answer.status_code}: {answer.text[:200]}")


def send_with_narrow_keys(
    stack: LocalStack, session: requests.Session, wanted: int, report: Report
) -> None:
    """Send requests with keys of single rights, expired and unknown keys; report wrong answers."""
    session.trust_env = False

    def ask(method: str, path: str, body: Any, key: str | None) -> tuple[int, Any]:
        headers = {"authorization": f"Bearer {key}"}
        answer = session.request(method, stack.url + path, json=body, headers=headers, timeout=30)
        return answer.status_code, answer.json()

    fuzzer = KeyFuzzer(stack.template, ask, Random(wanted))
    report.wrong += fuzzer.wrong(wanted)
    for key_id, statuses in fuzzer.answers.items():
        report.statuses[f"key {key_id}"] = Counter(statuses)


def _short(failure: Failure | FailureGroup) -> str:
    parts: Sequence[Any] = getattr(failure, "exceptions", [failure])
    return " | ".join(" ".join(str(part).split())[:400] for part in parts)


def main() -> int:
    """Start a stack and send as many requests as the argument says.

    Returns 1 if an answer was wrong, else 0.
    """
    wanted = int(sys.argv[1])
    with LocalStack(Options(parameters=PERMISSIVE)) as stack, requests.Session() as session:
        report = Fuzzer(stack, session).run(wanted, rounds=1 + wanted // 1500)
    with LocalStack(Options()) as stack, requests.Session() as session:
        send_hostile_starts(stack, session, wanted // 10, report)
    # The bound of bookings is low, so that some requests reach the bound.
    options = KeyedOptions(parameters={"MaxBookings": "5", "MaxDialsPerMinute": "1000"})
    with LocalStack(options) as stack, requests.Session() as session:
        send_with_narrow_keys(stack, session, wanted // 2, report)
    sys.stdout.write("\n".join(report.lines()) + "\n")
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())

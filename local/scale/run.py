"""A run: N conversations in virtual time through the real handlers, and what they used."""

import base64
import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256

from nacl.signing import SigningKey

from local.scale import calls as phases
from local.scale.calls import Calls, key_count
from local.scale.clock import InvocationClock
from local.scale.lambdas import Functions, TimersQueue, run_each_minute
from local.scale.metered_table import MeteredTable
from local.scale.telnyx import SlowTransport, make_simulator
from local.simulator.settings import PUBLISHED_TEST_SEED, Settings
from local.stack.embedded_aws import SecretsInMemory
from local.stack.gateway import Gateway
from local.stack.logs import Logs
from local.stack.template import Template
from partyline.bootstrap import App, override
from partyline.domain.model.statuses import FINISHED
from partyline.ids import conversation_id_for_call
from partyline.store import ConversationStore, keys
from partyline.telemetry import logger

LOST_SHARE = 0.01
LOST_HANGUP = "call.hangup"


@dataclass(frozen=True)
class Result:
    """What a run measured.

    `held_requests` are the requests to Telnyx in `held_secs`, in which all people are on the line.
    `known_secs` has the time from each lost hangup to the step that records it; None for never.
    `wrong` lists what no run may end with.
    """

    conversations: int
    run_secs: float
    lateness_secs: Sequence[float]
    known_secs: Sequence[float | None]
    requests: int
    held_requests: int
    held_secs: float
    used: Counter[str]
    peaks: dict[str, int]
    wrong: Sequence[str]


def run(conversations: int, lost_share: float = LOST_SHARE, seed: int = 1) -> Result:
    """Run N conversations from their beginnings to their ends."""
    with _own_process(), Logs().capture():
        return Run(conversations, lost_share, seed).result()


@contextmanager
def _own_process() -> Iterator[None]:
    """Restore the environment, the process's App and the level of its log afterwards."""
    before, level = dict(os.environ), logger.log_level
    logger.setLevel("ERROR")
    try:
        yield
    finally:
        override(None)
        logger.setLevel(level)
        os.environ.clear()
        os.environ.update(before)


class Run:
    """The parts of a run."""

    def __init__(self, conversations: int, lost_share: float, seed: int) -> None:
        self._conversations = conversations
        template = _template(conversations)
        clock = InvocationClock()
        self._functions = Functions(template, clock)
        os.environ |= {"POWERTOOLS_METRICS_DISABLED": "true", "AWS_DEFAULT_REGION": "us-east-1"}
        self._gateway = Gateway(template, invoke=self._functions)
        self._telnyx = make_simulator(clock, self._gateway, lost_share, seed)
        self._transport = SlowTransport(self._telnyx, clock)
        self._queue = TimersQueue(template, self._functions, clock)
        self._table = MeteredTable(template.table.create, clock)
        self._table_name = template.table.name
        self._store = ConversationStore(self._table, template.table.name)
        self._clock = clock
        self._calls = Calls(
            *(conversations, clock, self._gateway, self._telnyx, conversation_id_for_call, seed)
        )
        override(
            App(
                begin=clock.beside,
                clock=clock.now,
                sleep=clock.sleep,
                telnyx_transport=self._transport,
                dynamodb=self._table,
                sqs=self._queue,
                secrets_client=_secrets(template, conversations),
            )
        )

    def result(self) -> Result:
        """Let the calls begin, last and end; return what the run measured."""
        began = self._clock.now()
        run_each_minute(self._functions, self._clock)
        self._calls.begin()
        self._clock.advance(phases.BEGIN_SECS + phases.SETTLE_SECS)
        before = self._transport.requests
        self._clock.advance(phases.HOLD_SECS)
        held = self._transport.requests - before
        self._calls.guests_leave()
        self._clock.advance(phases.GUESTS_LEAVE_SECS)
        self._calls.others_come()
        self._clock.advance(phases.WITHOUT_GUEST_SECS)
        self._calls.all_leave()
        self._clock.advance(phases.HOSTS_LEAVE_SECS + phases.AFTER_SECS)
        used = self._functions.used.copy()
        used.update(self._table.units)
        used["sqs_requests"] = self._queue.requests
        return Result(
            conversations=self._conversations,
            run_secs=(self._clock.now() - began).total_seconds(),
            lateness_secs=self._table.lateness_secs,
            known_secs=list(self._lost_hangups()),
            requests=self._transport.requests,
            held_requests=held,
            held_secs=phases.HOLD_SECS,
            used=used,
            peaks=self._functions.peaks,
            wrong=list(self._wrong()),
        )

    def _lost_hangups(self) -> Iterator[float | None]:
        for event in self._telnyx.deliverer.dropped:
            leg = self._telnyx.world.legs[event.call_control_id or ""]
            row = self._store.table.get(keys.call(leg.call_control_id))
            conversation = self._store.load(row["conversation_id"]["S"]) if row else None
            if event.event_type != LOST_HANGUP or conversation is None or leg.ended_at is None:
                continue
            for person, ours in conversation.legs():
                if ours.call_control_id == leg.call_control_id:
                    known = self._table.legs_ended.get((conversation.id, person.id, ours.number))
                    yield (known - leg.ended_at).total_seconds() if known else None

    def _wrong(self) -> Iterator[str]:
        # Without the first webhook of an incoming call, nobody knows of the call.
        lost = self._telnyx.deliverer.dropped
        unknown = sum(
            event.event_type == "call.initiated"
            and self._telnyx.world.legs[event.call_control_id or ""].direction == "incoming"
            for event in lost
        )
        refused = self._calls.refused
        if len(refused) > unknown * phases.INVITATIONS:
            yield f"{len(refused)} requests were refused: {refused[0]}"
        if self._queue.dead:
            yield f"{self._queue.dead} timers became dead letters"
        if self._telnyx.violations:
            yield f"{len(self._telnyx.violations)} violations: {self._telnyx.violations[0]}"
        up = sum(leg.state != "ended" for leg in self._telnyx.legs)
        if up:
            yield f"{up} calls are still up"
        pages = self._table.get_paginator("scan").paginate(TableName=self._table_name)
        items = (item for page in pages for item in page["Items"])
        statuses = Counter(item["status"]["S"] for item in items if item["sk"]["S"] == keys.STATE)
        open_ = sum(count for status, count in statuses.items() if status not in FINISHED)
        if open_ or sum(statuses.values()) + unknown != self._conversations:
            yield f"the conversations are {dict(statuses)}"


def _template(conversations: int) -> Template:
    limit = max(conversations * 2, 100)
    return Template(
        {
            "TelnyxConnectionId": Settings().connection_id,
            "TelnyxPublicKeys": base64.b64encode(
                bytes(SigningKey(PUBLISHED_TEST_SEED).verify_key)
            ).decode(),
            "DefaultNumber": phases.OUR_NUMBER,
            "DefaultAssistantId": "assistant-default",
            "MaxConversations": str(limit),
            "MaxDialsPerMinute": "1000",
            "LogLevel": "INFO",
            "ReleaseSha": "0" * 40,
        }
    )


def _secrets(template: Template, conversations: int) -> SecretsInMemory:
    entries = [
        {"id": f"key-{nth}", "sha256": sha256(f"key-{nth}".encode()).hexdigest()}
        for nth in range(key_count(conversations))
    ]
    values = {"api_key": Settings().api_key}
    secrets = {"TelnyxApiKey": json.dumps(values), "BearerKeys": json.dumps({"keys": entries})}
    return SecretsInMemory(template, secrets)

"""What an experiment works with: calls, assistants, and its findings."""

import json
from dataclasses import dataclass, field
from typing import Any

from local.live_test.api import Api, LiveClock, Reply, SurpriseError
from local.live_test.calls import Calls
from local.live_test.masking import Masker
from local.live_test.state import CallRecord, Finding, Result, Setup, State
from local.live_test.webhooks import Webhook
from local.simulator.unknowns import UNKNOWNS

NOT_SHOWN = "Telnyx's answers did not show it"
CREATED_SECS = 20


@dataclass
class Lab:
    """The means and the findings of a running experiment.

    `result` collects the findings; `earlier` has the results of the experiments before.
    """

    api: Api
    calls: Calls
    state: State
    masker: Masker
    result: Result = field(default_factory=Result)

    @property
    def setup(self) -> Setup:
        """The account's objects."""
        return self.state.setup

    @property
    def clock(self) -> LiveClock:
        """The clock."""
        return self.api.clock

    def found(self, unknown_id: str, answer_id: str, *evidence: object) -> None:
        """Record an observed answer. Raises ValueError for an answer that is not listed."""
        UNKNOWNS[unknown_id].answer(answer_id)
        self._record(unknown_id, Finding(answer=answer_id), evidence)

    def found_refusal(self, unknown_id: str, replies: list[Reply], setting: str) -> None:
        """Record the answer whose setting is the status and the code of all replies."""
        refusals = {reply.refusal for reply in replies}
        for answer in UNKNOWNS[unknown_id].answers:
            if {answer.settings[setting]} == refusals:
                self.found(unknown_id, answer.id, *replies)
                return
        self.unlisted(unknown_id, *replies)

    def accepted_or_refused(self, unknown_id: str, reply: Reply) -> None:
        """Record `accepted`, or `refused` for a refusal other than a missing call."""
        if reply.status == 404:
            self.unlisted(unknown_id, reply)
        else:
            self.found(unknown_id, "accepted" if reply.ok else "refused", reply)

    def repeated(self, unknown_id: str, first: Reply, second: Reply, field: str) -> None:
        """Record Telnyx's answer to a command whose command_id it has seen.

        A refusal that does not name command_id is about the effect of the first command, such as
        90061, so the repetition was not recognized.
        """
        ids = [reply.data.get(field) for reply in (first, second)]
        evidence = (second, f"{field} {ids[0]}, then {ids[1]}")
        if second.ok and ids[1] in (None, ids[0]):
            self.found(unknown_id, "same" if ids[1] else "bare", *evidence)
        elif second.status == 422 and "command_id" in second.pointer:
            self.found(unknown_id, "refused", *evidence)
        else:
            self.unlisted(unknown_id, *evidence)

    def unlisted(self, unknown_id: str, *evidence: object) -> None:
        """Record that Telnyx gave an answer that the list of unknowns does not have."""
        self._record(unknown_id, Finding(unlisted=True), evidence)

    def leave_open(self, unknown_id: str, reason: str, *evidence: object) -> None:
        """Record why a question has no answer."""
        self._record(unknown_id, Finding(reason=reason), evidence)

    def finding(self, unknown_id: str) -> Finding | None:
        """Return the latest answer to a question, of this experiment or of an earlier one."""
        results = [*self.state.results.values(), self.result]
        findings = [result.findings.get(unknown_id) for result in results]
        answers = [finding for finding in findings if finding and finding.answer]
        return answers[-1] if answers else None

    def fact(self, name: str) -> str | None:
        """Return a fact that an earlier experiment has left."""
        facts = [result.facts.get(name) for result in self.state.results.values()]
        return next((fact for fact in reversed(facts) if fact), None)

    def _record(self, unknown_id: str, finding: Finding, evidence: tuple[object, ...]) -> None:
        finding.evidence = [self.masker.mask(str(item)) for item in evidence]
        self.result.findings[unknown_id] = finding

    # Commands

    def command_id(self, call: CallRecord, name: str) -> str:
        """Return a command_id that no other call has."""
        return f"{call.client_state}-{name}"

    def start(self, call: CallRecord, name: str = "start", **fields: Any) -> Reply:
        """Start the assistant on a call."""
        body = {
            "assistant": {"id": self.setup.assistant_id},
            "client_state": call.client_state,
            "command_id": self.command_id(call, name),
            **fields,
        }
        return self.api.command(call.ids[-1], "ai_assistant_start", **body)

    def started(self, call: CallRecord, **fields: Any) -> str:
        """Start the assistant, and return the id of its conversation. Raises SurpriseError."""
        reply = self.start(call, **fields)
        if not reply.ok:
            raise SurpriseError(f"Telnyx refused to start the assistant: {reply}.")
        return self.conversation_id(call, reply)

    def conversation_id(self, call: CallRecord, reply: Reply) -> str:
        """Return the conversation id of a start, or of call.conversation.created."""
        if reply.data.get("conversation_id"):
            self.calls.sleep(2)
            return str(reply.data["conversation_id"])

        def created() -> str | None:
            webhooks = self.calls.webhooks(call)
            ids = [
                str(webhook.payload.get("conversation_id"))
                for webhook in webhooks
                if webhook.is_a("call.conversation.created")
            ]
            return ids[-1] if ids else None

        conversation_id = self.calls.poll(CREATED_SECS, created)
        if conversation_id is None:
            raise SurpriseError("The start named no conversation, nor did a webhook.")
        return conversation_id

    def stop(self, call: CallRecord) -> Reply:
        """Stop the assistant of a call."""
        return self.api.command(call.ids[-1], "ai_assistant_stop", client_state=call.client_state)

    def join_on(
        self, path: CallRecord, guest: CallRecord, conversation_id: str, name: str = "join"
    ) -> Reply:
        """Join a guest's call to a conversation, with a call in the path of the command."""
        return self.api.command(
            path.ids[-1],
            "ai_assistant_join",
            conversation_id=conversation_id,
            participant={"id": guest.ids[-1], "role": "user"},
            command_id=self.command_id(path, f"{name} {guest.client_state}"),
        )

    def join(
        self, host: CallRecord, guest: CallRecord, conversation_id: str
    ) -> tuple[CallRecord, Reply]:
        """Join a guest's call on its own path, else on the host's path. Returns path and reply."""
        reply = self.join_on(guest, guest, conversation_id)
        if reply.ok:
            return guest, reply
        return host, self.join_on(host, guest, conversation_id)

    def joined(self, host: CallRecord, guest: CallRecord, conversation_id: str) -> CallRecord:
        """Join a guest's call. Returns the call of the path. Raises SurpriseError."""
        path, reply = self.join(host, guest, conversation_id)
        if not reply.ok:
            raise SurpriseError(f"Telnyx refused to join a call: {reply}.")
        return path


def show(webhook: Webhook, *fields: str) -> str:
    """Return a webhook's type, time and fields as evidence."""
    shown = {name: webhook.payload.get(name, "(absent)") for name in fields}
    return f"{webhook.event_type} {webhook.at.isoformat()} {json.dumps(shown) if shown else ''}"

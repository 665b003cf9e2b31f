"""Calls of the live test: each is on disk before its dial, and can be hung up by any process."""

import base64
import math
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import quote

from local.live_test.api import CALLS, Api, Reply, SurpriseError
from local.live_test.state import CallRecord, State, StateFile
from local.live_test.webhooks import Webhook, listed, of_type

T = TypeVar("T")

CALL_SECS = 120
"""`time_limit_secs` of a call: what a call costs at most if this process dies."""

CALL_USD = 0.02
"""An estimate of both ends of a call for a minute, in US dollars."""

ASSISTANT_USD = 0.12
"""An estimate of an assistant for a minute, in US dollars: speech, voice and model."""

_LISTED_SECS = 30
"""How long the listing of webhooks may take to show a webhook."""

_TRACE_SECS = 8
"""How long a dial without an answer is searched in the lists."""

_TRIES = 3


class BudgetError(SurpriseError):
    """The next call would exceed the budget."""


class Calls:
    """Dials, answers and hangs up."""

    def __init__(self, api: Api, state: State, file: StateFile) -> None:
        self._api = api
        self._state = state
        self._file = file

    def sleep(self, secs: float) -> None:
        """Wait."""
        self._api.clock.sleep(secs)

    def poll(self, secs: float, probe: Callable[[], T | None]) -> T | None:
        """Call `probe` each second until it returns a value; None after `secs` seconds."""
        for _ in range(math.ceil(secs)):
            value = probe()
            if value:
                return value
            self.sleep(1)
        return probe()

    def dial(self, connection_id: str | None = None, **fields: Any) -> tuple[CallRecord, Reply]:
        """Dial the second number; without a second number, dial the number itself.

        Raises:
            BudgetError: The budget has no room for another call.
            SurpriseError: Telnyx has not answered as an API does.
        """
        call = self.new_call(connection_id)
        return call, self.dial_again(call, **fields)

    def new_call(self, connection_id: str | None = None) -> CallRecord:
        """Record a call that is about to be dialled. Raises BudgetError."""
        state, setup = self._state, self._state.setup
        if state.dialled >= setup.max_calls:
            raise BudgetError(f"The budget of {setup.max_calls} calls is used up.")
        minutes = state.minutes + sum(bool(call.client_state) for call in state.open_calls) + 1
        if minutes > setup.max_minutes:
            raise BudgetError(f"The budget of {setup.max_minutes} minutes is used up.")
        if minutes * (CALL_USD + ASSISTANT_USD) > setup.max_usd:
            raise BudgetError(f"The budget of {setup.max_usd:.2f} US dollars is used up.")
        state.dialled += 1
        name = f"live-test {state.begun_at.timestamp():.0f} {state.dialled}"
        call = CallRecord(
            client_state=base64.b64encode(name.encode()).decode(),
            connection_id=connection_id or setup.connection_id,
            begun_at=self._api.clock.now(),
        )
        state.calls.append(call)
        self._file.save(state)
        return call

    def dial_again(self, call: CallRecord, **fields: Any) -> Reply:
        """Send the dial of a recorded call; a refused dial makes no call."""
        setup = self._state.setup
        body = {
            "connection_id": call.connection_id,
            "from": setup.number,
            "to": setup.second_number or setup.number,
            "client_state": call.client_state,
            "time_limit_secs": CALL_SECS,
            **fields,
        }
        reply = self._api.request("POST", CALLS, body)
        if reply.ok and reply.data.get("call_control_id"):
            self._note(call, reply.data)
        elif not call.ids and not reply.ok:
            self._end(call)
        return reply

    def answered(self, **fields: Any) -> CallRecord:
        """Dial the second number, answer the incoming call, and wait for call.answered.

        Raises SurpriseError if Telnyx refuses the dial or the call is not answered.
        """
        call, reply = self.dial(**fields)
        if not reply.ok:
            raise SurpriseError(f"Telnyx refused a dial: {reply}.")
        self.pick_up(call)
        self.wait_for_answer(call)
        return call

    def pick_up(self, call: CallRecord, **body: Any) -> tuple[CallRecord, Reply]:
        """Answer the incoming call of a dialled call. Returns the incoming call and the answer.

        A deployment that answers the second number may be faster; Telnyx then refuses the answer.
        Raises SurpriseError if the incoming call is not listed.
        """
        for _ in range(_TRIES):
            payload = self.poll(_LISTED_SECS, lambda: self._incoming(call))
            if payload is None:
                break
            far_end = CallRecord(
                client_state=None, connection_id=call.connection_id, begun_at=call.begun_at
            )
            self._state.calls.append(far_end)
            self._note(far_end, payload)
            reply = self._api.command(far_end.ids[-1], "answer", **body)
            if not _is_over(reply):
                return far_end, reply
            self._end(far_end)  # the incoming call of an earlier dial
        raise SurpriseError("No incoming call of the second number is listed.")

    def wait_for_answer(self, call: CallRecord) -> Webhook:
        """Wait for call.answered, and take over the ids of its payload. Raises SurpriseError."""

        def answered() -> Webhook | None:
            webhooks = self.webhooks(call)
            if of_type(webhooks, "call.hangup"):
                raise SurpriseError("A call ended before its answer.")
            return next(iter(of_type(webhooks, "call.answered")), None)

        webhook = self.poll(_LISTED_SECS, answered)
        if webhook is None:
            raise SurpriseError("A call was not answered, or call.answered is not listed.")
        self._note(call, webhook.payload)
        return webhook

    def webhooks(self, call: CallRecord) -> list[Webhook]:
        """Return the listed webhooks of a call, oldest first."""
        return listed(self._api, call.session_id or str(call.client_state), call.begun_at)

    def finish(self, call: CallRecord) -> list[Webhook]:
        """Hang up, and return all webhooks of the call once call.hangup is listed.

        A webhook that is not listed by then was not sent before the hangup. Raises SurpriseError.
        """
        self.hang_up(call)
        self.wait_for_hangup(call, _LISTED_SECS)
        self.sleep(3)
        return self.webhooks(call)

    def wait_for_hangup(self, call: CallRecord, secs: float) -> Webhook:
        """Wait for call.hangup. Raises SurpriseError."""
        hangup = self.poll(
            secs, lambda: next(iter(of_type(self.webhooks(call), "call.hangup")), None)
        )
        if hangup is None:
            raise SurpriseError("call.hangup of a call is not listed.")
        return hangup

    def is_alive(self, call: CallRecord) -> bool:
        """Return whether a call is up, by GET /calls/{id}."""
        reply = self._api.request("GET", f"{CALLS}/{quote(call.ids[-1], safe='')}")
        return bool(reply.ok and reply.data.get("is_alive"))

    def hang_up(self, call: CallRecord) -> None:
        """Hang up a call under all its ids. Raises SurpriseError if the call may be up."""
        if not call.ids and call.client_state:
            self.poll(_TRACE_SECS, lambda: self.trace(call))
        replies = [self._hang_up(call_id, call) for call_id in call.ids]
        if replies and all(reply.status == 404 for reply in replies):
            for call_id in self.trace(call)[len(replies) :]:  # ids since the answer
                self._hang_up(call_id, call)
        self._end(call)

    def hang_up_all(self) -> list[str]:
        """Hang up all recorded calls, each with several tries.

        Returns:
            The reason for each call that may still be up.
        """
        failures = []
        for call in self._state.open_calls:
            for last in (False, False, True):
                try:
                    self.hang_up(call)
                    break
                except SurpriseError as error:
                    if last:
                        failures.append(str(error))
                    else:
                        self.sleep(1)
        return failures

    def _hang_up(self, call_id: str, call: CallRecord) -> Reply:
        body = {"client_state": call.client_state} if call.client_state else {}
        reply = self._api.command(call_id, "hangup", **body)
        if not reply.ok and not _is_over(reply):
            raise SurpriseError(f"A call may be up: {reply}.")
        return reply

    def _incoming(self, call: CallRecord) -> dict[str, Any] | None:
        """Return the payload of the newest incoming call that is not recorded yet."""
        setup = self._state.setup
        known = {call_id for record in self._state.calls for call_id in record.ids}
        initiated = of_type(
            listed(self._api, str(setup.second_number), call.begun_at), "call.initiated"
        )
        return next(
            (
                webhook.payload
                for webhook in reversed(initiated)
                if webhook.payload.get("direction") == "incoming"
                and _same(webhook.payload.get("to"), setup.second_number)
                and _same(webhook.payload.get("from"), setup.number)
                and webhook.payload["call_control_id"] not in known
            ),
            None,
        )

    def trace(self, call: CallRecord) -> list[str]:
        """Find the ids of a call in the lists, by its session and its client_state."""
        for text in filter(None, (call.session_id, call.client_state)):
            for webhook in listed(self._api, text, call.begun_at):
                if webhook.payload.get("call_control_id"):
                    self._note(call, webhook.payload)
        path = f"/connections/{call.connection_id}/active_calls"
        for row in self._api.get(path).data or ():
            if call.client_state and row.get("client_state") == call.client_state:
                self._note(call, row)
        return call.ids

    def _note(self, call: CallRecord, ids: dict[str, Any]) -> None:
        call_id = str(ids["call_control_id"])
        if call_id not in call.ids:
            call.ids.append(call_id)
        call.session_id = call.session_id or ids.get("call_session_id")
        self._file.save(self._state)

    def _end(self, call: CallRecord) -> None:
        if not call.ended and call.client_state and call.ids:
            lasted = min(self._api.clock.now() - call.begun_at, timedelta(seconds=CALL_SECS))
            self._state.minutes += max(1, math.ceil(lasted / timedelta(minutes=1)))
        call.ended = True
        self._file.save(self._state)


def _same(number: Any, other: str | None) -> bool:
    """Return whether two numbers have the same digits; Telnyx may write spaces and hyphens."""
    digits = [
        [character for character in str(text) if character.isdigit()] for text in (number, other)
    ]
    return digits[0] == digits[1]


def _is_over(reply: Reply) -> bool:
    """Return whether a refusal says that the call is over or unknown (90018, 404)."""
    return reply.status == 404 or reply.code == "90018"

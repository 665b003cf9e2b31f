"""Experiments with calls that nobody needs to answer."""

from itertools import pairwise
from typing import Any

from local.live_test.api import SurpriseError
from local.live_test.experiments.model import Experiment
from local.live_test.lab import Lab, show
from local.live_test.webhooks import Webhook, of_type

UNREACHABLE = "https://partyline-live-test.invalid/webhooks"
"""A URL without a server: RFC 2606 keeps `.invalid` free, so each delivery fails."""

FORCED_PAUSE_MS = 2000
_AT_ONCE_SECS = 1.5
_SECONDS = 12
KEPT_SECS = 45
"""How long an ended call may be among the active calls."""


def repeated_dial(lab: Lab) -> None:
    """Dial with a list of URLs, and dial twice with the same command_id."""
    urls = {"call.answered": [f"{lab.setup.webhook_url}/call.answered"]}
    call, reply = lab.calls.dial(webhook_urls=urls)
    if reply.ok:
        lab.found("webhook-urls-form", "list", reply)
        lab.calls.hang_up(call)
    elif "webhook_urls" in reply.pointer:
        lab.found("webhook-urls-form", "text", reply)
    else:
        lab.unlisted("webhook-urls-form", reply)

    call = lab.calls.new_call()
    command_id = lab.command_id(call, "dial")
    first, second = (lab.calls.dial_again(call, command_id=command_id) for _ in range(2))
    if not first.ok:
        raise SurpriseError(f"Telnyx refused a dial: {first}.")
    lab.calls.sleep(3)
    calls = lab.calls.trace(call)
    if len(calls) > 1:
        lab.unlisted("duplicate-dial", first, second, f"{len(calls)} calls")
    else:
        lab.repeated("duplicate-dial", first, second, "call_control_id")
    lab.calls.hang_up(call)


def failed_deliveries(lab: Lab) -> None:
    """Let the deliveries of call.initiated fail, with a policy and without."""
    policy = {"call.initiated": {"retries_ms": [FORCED_PAUSE_MS]}}
    again = _initiated(lab, 10, webhook_retries_policies=policy)
    attempts = [attempt for webhook in again for attempt in webhook.attempts]
    evidence = [f"{show(webhook)} {webhook.id}, {len(webhook.attempts)}" for webhook in again]
    if len(attempts) < 2:
        for name in ("redelivered-id", "redelivery-signature"):
            lab.leave_open(name, "Telnyx listed no second delivery.", *evidence)
    else:
        same = len(again) == 1
        lab.found("redelivered-id", "same" if same else "new", *evidence)
        times = [attempt.timestamp for attempt in attempts[:2]]
        if None in times:
            lab.leave_open("redelivery-signature", "The listing has no telnyx-timestamp.")
        else:
            equal = times[0] == times[1]
            text = "telnyx-timestamp of both deliveries is " + ("equal" if equal else "different")
            lab.found("redelivery-signature", "first" if equal else "new", text)

    attempts = [attempt for webhook in _initiated(lab, 40) for attempt in webhook.attempts]
    times_at = sorted(attempt.at for attempt in attempts if attempt.url == UNREACHABLE)
    pauses = [round((later - earlier).total_seconds()) for earlier, later in pairwise(times_at)]
    answers = {(1, 2, 4): "three", (): "none"}
    answer = answers.get(tuple(pauses))
    if answer and times_at:
        lab.found("default-retries", answer, f"pauses between the deliveries: {pauses} s")
    else:
        lab.unlisted("default-retries", f"pauses between the deliveries: {pauses} s")


def _initiated(lab: Lab, secs: float, **fields: Any) -> list[Webhook]:
    """Dial with an unreachable URL, and return the webhooks call.initiated after `secs`."""
    call, reply = lab.calls.dial(webhook_url=UNREACHABLE, **fields)
    if not reply.ok:
        raise SurpriseError(f"Telnyx refused a dial: {reply}.")
    lab.calls.sleep(1)
    lab.calls.hang_up(call)
    lab.calls.sleep(secs)
    webhooks = lab.calls.poll(60, lambda: of_type(lab.calls.webhooks(call), "call.initiated"))
    return [
        webhook for webhook in webhooks or () if webhook.payload.get("call_control_id") in call.ids
    ]


def ringing(lab: Lab) -> None:
    """Look for a ringing call in the list of active calls."""
    path = f"/connections/{lab.setup.connection_id}/active_calls"
    call, reply = lab.calls.dial()
    if not reply.ok:
        raise SurpriseError(f"Telnyx refused a dial: {reply}.")
    began = lab.clock.now()

    def row() -> dict[str, object] | None:
        rows = lab.api.get(path, {"page[limit]": 50}).data or []
        return next((row for row in rows if row["call_control_id"] in call.ids), None)

    listed = lab.calls.poll(_SECONDS, row)
    secs = (lab.clock.now() - began).total_seconds()
    if listed is None:
        lab.unlisted("calls-listed", f"not among the active calls after {_SECONDS} s")
        lab.leave_open("active-client-state", "The call was not among the active calls.")
    else:
        answer = "at-once" if secs < _AT_ONCE_SECS else "seconds"
        lab.found("calls-listed", answer, f"among the active calls after {secs:.0f} s")
        present = listed.get("client_state") == call.client_state
        text = "client_state is ours" if present else f"client_state {listed.get('client_state')!r}"
        lab.found("active-client-state", "present" if present else "absent", text)
    lab.calls.hang_up(call)
    if listed is None:
        lab.leave_open("calls-kept", "The call was not among the active calls.")
        return
    ended = lab.clock.now()
    gone = lab.calls.poll(KEPT_SECS, lambda: row() is None)
    secs = (lab.clock.now() - ended).total_seconds()
    if not gone:
        lab.unlisted("calls-kept", f"among the active calls {secs:.0f} s after the hangup")
    else:
        answer = "not" if secs < _AT_ONCE_SECS else "seconds"
        lab.found("calls-kept", answer, f"among the active calls for {secs:.0f} s")


EXPERIMENTS = (
    Experiment(
        "a repeated dial",
        ("webhook-urls-form", "duplicate-dial"),
        calls=2,
        minutes=2,
        play=repeated_dial,
        with_assistant=False,
        answered=False,
    ),
    Experiment(
        "failed deliveries",
        ("redelivered-id", "redelivery-signature", "default-retries"),
        calls=2,
        minutes=2,
        play=failed_deliveries,
        with_assistant=False,
        answered=False,
    ),
    Experiment(
        "a ringing call",
        ("active-client-state", "calls-listed", "calls-kept"),
        calls=1,
        minutes=1,
        play=ringing,
        with_assistant=False,
    ),
)

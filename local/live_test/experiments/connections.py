"""Experiments with calls that are connected to each other."""

from local.live_test.api import Reply
from local.live_test.experiments.alone import END_SECS
from local.live_test.experiments.model import Experiment
from local.live_test.lab import Lab
from local.live_test.state import CallRecord
from local.live_test.webhooks import listed, of_type

WEBHOOK_SECS = 5

CONFERENCE_EVENTS = (
    "conference.created",
    "conference.participant.joined",
    "conference.participant.left",
    "conference.ended",
)


def after_stop(lab: Lab) -> None:
    """Stop the assistant of a call, and bridge the call to another call."""
    first, second = lab.calls.answered(), lab.calls.answered()
    lab.started(first)
    lab.stop(first)
    lab.calls.sleep(END_SECS)
    lab.accepted_or_refused("connect-after-stop", _bridge(lab, first, second))


def end_of_a_bridge(lab: Lab) -> None:
    """Bridge two calls, and hang up the first."""
    first, second = lab.calls.answered(), lab.calls.answered()
    bridge = _bridge(lab, first, second)
    if not bridge.ok:
        lab.leave_open("bridge-end", "Telnyx refused the bridge.", bridge)
        return
    lab.calls.finish(first)
    lab.calls.sleep(END_SECS)
    alive = lab.calls.is_alive(second)
    text = f"is_alive of the second call is {alive}"
    lab.found("bridge-end", "parked" if alive else "hung-up", text)


def start_on_a_bridge(lab: Lab) -> None:
    """Bridge two calls, and start an assistant on the first."""
    first, second = lab.calls.answered(), lab.calls.answered()
    bridge = _bridge(lab, first, second)
    if bridge.ok:
        lab.accepted_or_refused("start-on-bridged", lab.start(first))
    else:
        lab.leave_open("start-on-bridged", "Telnyx refused the bridge.", bridge)


def conference(lab: Lab) -> None:
    """Make a conference with a call, and list the webhooks."""
    call = lab.calls.answered()
    body = {
        "call_control_id": call.ids[-1],
        "name": lab.command_id(call, "conference"),
        "beep_enabled": "never",
        "client_state": call.client_state,
        "command_id": lab.command_id(call, "conference"),
    }
    made = lab.api.request("POST", "/conferences", body)
    if not made.ok:
        for name in ("conference-events", "conference-bridged"):
            lab.leave_open(name, "Telnyx refused the conference.", made)
        return
    lab.calls.sleep(WEBHOOK_SECS)
    of_call = lab.calls.finish(call)
    webhooks = [*of_call, *listed(lab.api, str(made.data.get("id")), call.begun_at)]
    events = [name for name in CONFERENCE_EVENTS if of_type(webhooks, name)]
    evidence = f"listed: {', '.join(events) or 'no conference event'}"
    lab.found("conference-events", "sent" if events else "none", evidence)
    bridged = of_type(of_call, "call.bridged")
    text = f"{len(bridged)} call.bridged"
    lab.found("conference-bridged", "sent" if bridged else "none", text)


def _bridge(lab: Lab, first: CallRecord, second: CallRecord) -> Reply:
    """Bridge two calls as Partyline does: the first is to stay up after the bridge."""
    return lab.api.command(
        first.ids[-1],
        "bridge",
        call_control_id=second.ids[-1],
        park_after_unbridge="self",
        client_state=first.client_state,
        command_id=lab.command_id(first, "bridge"),
    )


EXPERIMENTS = (
    Experiment(
        "a bridge after a stop", ("connect-after-stop",), calls=2, minutes=2, play=after_stop
    ),
    Experiment(
        "the end of a bridge",
        ("bridge-end",),
        calls=2,
        minutes=2,
        play=end_of_a_bridge,
        with_assistant=False,
    ),
    Experiment(
        "an assistant on a bridged call",
        ("start-on-bridged",),
        calls=2,
        minutes=2,
        play=start_on_a_bridge,
    ),
    Experiment(
        "a conference",
        ("conference-events", "conference-bridged"),
        calls=1,
        minutes=1,
        play=conference,
        with_assistant=False,
    ),
)

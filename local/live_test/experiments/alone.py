"""Experiments with an assistant on a call without guests."""

from local.live_test.api import SurpriseError
from local.live_test.experiments.model import Experiment
from local.live_test.experiments.single import NO_CONVERSATION
from local.live_test.lab import Lab, show
from local.live_test.state import CallRecord
from local.live_test.webhooks import Webhook, of_type

ENDED = "call.conversation.ended"
CREATED = "call.conversation.created"
END_SECS = 10
"""How long the webhooks of an end may take."""

_ANALYSIS_SECS = 60
_HELD_SECS = 1.5
_LISTED_SECS = 150


def ending(lab: Lab) -> None:
    """Start the assistant twice with a command_id, hang up, and wait for all that follows."""
    call = lab.calls.answered()
    first = lab.start(call)
    if not first.ok:
        raise SurpriseError(f"Telnyx refused to start the assistant: {first}.")
    began = lab.clock.now()
    answer = "slow" if first.secs >= _HELD_SECS else "at-once"
    lab.found("start-response", answer, f"{first}, after {first.secs:.1f} s")
    found = [_is_listed(lab, call)]
    lab.repeated("duplicate-start", first, lab.start(call), "conversation_id")

    lab.calls.sleep(6)
    webhooks = lab.calls.finish(call)
    secs = 0.0
    while not any(found) and secs < _LISTED_SECS:
        found.append(_is_listed(lab, call))
        secs = (lab.clock.now() - began).total_seconds()
        lab.calls.sleep(0 if found[-1] else 5)
    listed = "at-once" if found[0] else "seconds" if secs < 60 else "minutes"
    if any(found):
        lab.found("conversations-listed", listed, f"found after {secs:.0f} s")
    else:
        lab.unlisted("conversations-listed", f"not found after {secs:.0f} s")

    lab.calls.sleep(_ANALYSIS_SECS)
    webhooks = lab.calls.webhooks(call)
    _webhooks_of_the_end(lab, webhooks)


def _is_listed(lab: Lab, call: CallRecord) -> bool:
    """Return whether the list of AI conversations has the conversation of a call."""
    query = {
        "metadata->call_control_id": f"eq.{call.ids[-1]}",
        "order": "created_at.desc",
        "limit": 5,
    }
    rows = lab.api.get("/ai/conversations", query).data or []
    return any((row.get("metadata") or {}).get("call_control_id") in call.ids for row in rows)


def _webhooks_of_the_end(lab: Lab, webhooks: list[Webhook]) -> None:
    types = sorted({webhook.event_type.replace("_", ".") for webhook in webhooks})
    twins = [name for name in types if name.startswith("ai.")]
    lab.found("ai-twins", "twins" if twins else "none", f"types: {', '.join(types)}")
    turns = of_type(webhooks, "call.conversation.messages_added")
    lab.found("turn-webhooks", "each-turn" if turns else "none", f"{len(turns)} webhooks")
    analyses = of_type(webhooks, "call.analyzed")
    lab.found("analysis", "sent" if analyses else "absent", f"{len(analyses)} webhooks")
    costs = of_type(webhooks, "call.cost")
    lab.found("call-cost", "sent" if costs else "absent", f"{len(costs)} webhooks")

    ends, hangups = of_type(webhooks, ENDED), of_type(webhooks, "call.hangup")
    if ends and hangups:
        order = "before" if ends[0].at < hangups[0].at else "after"
        lab.found("end-order", order, show(hangups[0]), show(ends[0]))
    else:
        lab.leave_open("end-order", f"{ENDED} did not come.")
    _named(lab, "end-names-conversation", ends, ENDED)
    generated = "call.conversation_insights.generated"
    _named(lab, "insights-name-conversation", of_type(webhooks, generated), generated)


def _named(lab: Lab, unknown_id: str, webhooks: list[Webhook], event_type: str) -> None:
    if not webhooks:
        lab.leave_open(unknown_id, f"{event_type} did not come.")
        return
    named = bool(webhooks[0].payload.get("conversation_id"))
    fields = ", ".join(sorted(webhooks[0].payload))
    lab.found(unknown_id, "named" if named else "unnamed", f"fields: {fields}")


def stop_and_start(lab: Lab) -> None:
    """Stop the assistant, join the ended conversation, and start the assistant again."""
    call = lab.calls.answered()
    conversation_id = lab.started(call)
    lab.stop(call)
    lab.calls.sleep(END_SECS)
    unknown, over = (
        lab.join_on(call, call, talk, name)
        for talk, name in ((NO_CONVERSATION, "unknown"), (conversation_id, "over"))
    )
    lab.found_refusal("unknown-conversation", [unknown, over], "unknown_conversation")
    again = lab.start(call, "again", client_state="YWdhaW4=")
    lab.accepted_or_refused("start-again", again)
    lab.calls.sleep(5)
    webhooks = lab.calls.finish(call)
    created = of_type(webhooks, CREATED)
    ends = of_type(webhooks, ENDED)
    if len(created) > 1:
        ends = [end for end in ends if end.at < created[1].at]
    evidence = [show(webhook) for webhook in ends]
    lab.found("stop-event", "ended" if ends else "none", f"{len(ends)} {ENDED}", *evidence)


def conversation_keys(lab: Lab) -> None:
    """Dial with a URL of its own for call.conversation.ended."""
    url = f"{lab.setup.webhook_url}/{ENDED}"
    forms: dict[str, object] = {"list": [url], "text": url}
    known = lab.finding("webhook-urls-form")
    names = [known.answer] if known and known.answer else list(forms)
    for name in names:
        call, reply = lab.calls.dial(webhook_urls={ENDED: forms[name]})
        if reply.ok or reply.code == "90057":
            break
    if not reply.ok:
        if reply.code == "90057":
            lab.found("conversation-keys", "refused", reply)
        else:
            lab.unlisted("conversation-keys", reply)
        return
    lab.calls.pick_up(call)
    lab.calls.wait_for_answer(call)
    lab.started(call)
    ends = of_type(lab.calls.finish(call), ENDED)
    if not ends:
        lab.leave_open("conversation-keys", f"{ENDED} did not come.", reply)
        return
    taken = url in ends[0].urls
    lab.found("conversation-keys", "taken" if taken else "ignored", reply, *ends[0].urls)


def prepared_assistant(lab: Lab) -> None:
    """Answer the incoming call with an assistant."""
    call, reply = lab.calls.dial()
    if not reply.ok:
        raise SurpriseError(f"Telnyx refused a dial: {reply}.")
    assistant = {"id": lab.setup.assistant_id}
    incoming, reply = lab.calls.pick_up(call, assistant=assistant)
    lab.calls.wait_for_answer(call)
    lab.calls.sleep(5)
    lab.calls.hang_up(call)
    webhooks = lab.calls.finish(incoming)
    answered, created = (of_type(webhooks, name) for name in ("call.answered", CREATED))
    if not reply.ok:
        reason = "The deployment answered the second number first."
        lab.leave_open("prepared-assistant", reason, reply)
    elif not (answered and created):
        lab.leave_open("prepared-assistant", f"{CREATED} did not come.", reply)
    else:
        secs = (created[0].at - answered[0].at).total_seconds()
        answer = "at-once" if secs < 1 else "late"
        lab.found("prepared-assistant", answer, show(answered[0]), show(created[0]))


EXPERIMENTS = (
    Experiment(
        "an assistant and a hangup",
        (
            "start-response",
            "duplicate-start",
            "conversations-listed",
            "ai-twins",
            "turn-webhooks",
            "analysis",
            "call-cost",
            "end-order",
            "end-names-conversation",
            "insights-name-conversation",
        ),
        calls=1,
        minutes=1,
        play=ending,
    ),
    Experiment(
        "a stop and a second start",
        ("unknown-conversation", "start-again", "stop-event"),
        calls=1,
        minutes=1,
        play=stop_and_start,
    ),
    Experiment(
        "URLs for conversation events",
        ("conversation-keys",),
        calls=2,
        minutes=2,
        play=conversation_keys,
    ),
    Experiment(
        "an answer with an assistant",
        ("prepared-assistant",),
        calls=1,
        minutes=1,
        play=prepared_assistant,
    ),
)

"""The forms of a request that Telnyx refused: without optional fields, with other webhook URLs."""

import re
from collections.abc import Callable
from typing import Any

from partyline.domain.model import results
from partyline.domain.model.commands import WEBHOOK_URLS
from partyline.services.leg_commands import LegCommand, code_and_message
from partyline.telemetry import Metric, count
from partyline.telnyx import errors, requests
from partyline.telnyx.call_control import CallControl

OPTIONAL_FIELDS = (
    "message_history",
    "assistant.voice_settings",
    "assistant.greeting",
    "assistant.transcription",
    "interruption_settings",
    "send_message_history_updates",
    "answering_machine_detection_config",
    "reason",
)
"""The fields without which a command still has its effect: six of a start, one of a dial, one of a
hangup. Telnyx refused a start on live calls because of the first two (third-party reports, July
2026)."""

IN_ASSISTANT = "assistant."
"""The prefix of the fields within `assistant`."""

ENVELOPES = frozenset({"body", "data", "attributes", "assistant"})
"""The beginnings of a pointer that Telnyx may leave out or add."""

VOICE, BAD_VOICE = "assistant.voice_settings", "10015"
"""The code of a voice that does not exist, on a live start (report, July 2026); the report does not
say whether a pointer names the field."""

FORM_METRICS = {
    "list": Metric.WEBHOOK_URLS_LIST,
    "string": Metric.WEBHOOK_URLS_STRING,
    "none": Metric.WEBHOOK_URLS_NONE,
}


def with_webhooks(
    telnyx: CallControl, leg_command: LegCommand, send: Callable[[], results.Result]
) -> results.Result:
    """Send a request with `webhook_urls`; after a refusal of their form, ask for the next form."""
    form = telnyx.webhook_form
    try:
        result = send()
    except errors.WebhookUrlsRefusedError as error:
        if not leg_command.webhooks or form == "none":
            raise
        return results.FormRefused(**code_and_message(error), changes=(WEBHOOK_URLS,))
    if leg_command.webhooks and isinstance(result, results.Succeeded):
        count(FORM_METRICS[form])
    return result


def with_optional_fields(
    request: requests.Command, send: Callable[[], results.Succeeded]
) -> results.Result:
    """Send a request; after a refusal of optional fields only, ask for the form without them."""
    try:
        return send()
    except errors.InvalidRequestError as error:
        refused = _optional_fields(error, request.body())
        if not refused:
            raise
        return results.FormRefused(**code_and_message(error), changes=refused)


def assistant_settings(leg_command: LegCommand) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the settings that Telnyx takes within `assistant`, and those that a start has beside.

    Fields that Telnyx refused are left out. An answer has no place for the settings beside.
    """
    beside = leg_command.conversation.assistant.model_dump(exclude_none=True)
    if leg_command.conversation.transcript.live:
        beside["send_message_history_updates"] = True
    names = beside.keys() & requests.Assistant.model_fields.keys()
    within = {name: beside.pop(name) for name in names}
    for change in leg_command.command.changes:
        (within if change.startswith(IN_ASSISTANT) else beside).pop(
            change.removeprefix(IN_ASSISTANT), None
        )
    return within, beside


def without_refused(leg_command: LegCommand, **fields: Any) -> dict[str, Any]:
    """Return optional fields without those that Telnyx refused."""
    return {
        name: field for name, field in fields.items() if name not in leg_command.command.changes
    }


def _optional_fields(error: errors.RefusedError, body: dict[str, Any]) -> tuple[str, ...]:
    """Return the optional fields at which all problems point; else none."""
    sent = {*body, *(f"{IN_ASSISTANT}{name}" for name in body.get("assistant", ()))}
    if error.code == BAD_VOICE and not any(problem.pointer for problem in error.problems):
        return (VOICE,) if VOICE in sent else ()
    fields = [
        next((field for field in OPTIONAL_FIELDS if _points_at(problem, field)), "")
        for problem in error.problems
    ]
    return tuple(dict.fromkeys(fields)) if sent.issuperset(fields) else ()


def _points_at(problem: errors.Problem, field: str) -> bool:
    """Whether a pointer (`/assistant/greeting/text`, `body.greeting`) is at a field or within."""
    steps = [step for step in re.split(r"[/.\[\]#]+", problem.pointer) if step]
    while steps and steps[0] in ENVELOPES:
        del steps[0]
    return steps[:1] == [field.removeprefix(IN_ASSISTANT)]

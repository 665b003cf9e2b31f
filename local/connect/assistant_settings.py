"""The stored settings of an assistant that change the behaviour of Partyline's conversations.

Each is a note and not a fault: the owner of the assistant may want the setting. Telnyx API:
GET /ai/assistants/{id}, `telephony_settings`, `privacy_settings` and `tools`.
"""

from collections.abc import Iterator

from local.connect.account import Json
from local.connect.findings import Finding, note
from partyline.domain.masking import mask_text

DEFAULT_TIME_LIMIT_SECS = 1800
"""Telnyx's own default for `time_limit_secs`."""

DEFAULT_MAX_MINUTES = 120
"""The default of the template's parameter MaxMinutes."""

_TOOLS = {
    "transfer": "moves the caller to a call that Partyline does not know",
    "refer": "moves the caller away by SIP REFER, and Partyline's call ends",
    "invite": "dials people past Partyline's dial rules, limits and timeline",
    "handoff": "gives the conversation to another assistant",
}


def notes(assistant: Json, max_minutes: int) -> Iterator[Finding]:
    """Yield a note for each stored setting that changes the behaviour of a conversation."""
    name = assistant["id"]
    telephony = assistant.get("telephony_settings") or {}
    sentences = (
        *_tools(assistant),
        *_endings(telephony, max_minutes),
        *_webhooks(telephony),
        *_privacy(assistant.get("privacy_settings") or {}),
    )
    yield from (note(f"{name}: {sentence}") for sentence in sentences)


def _tools(assistant: Json) -> Iterator[str]:
    for tool in assistant.get("tools") or []:
        effect = _TOOLS.get(tool.get("type", ""))
        if effect:
            yield f"the tool {tool['type']} {effect}."
        webhook = tool.get("webhook")
        if isinstance(webhook, dict) and "timeout_ms" in webhook:
            yield (
                f"the tool {webhook.get('name')} has timeout_ms within webhook, where Telnyx "
                "stores and does not apply the value: set timeout_ms beside webhook."
            )


def _endings(telephony: Json, max_minutes: int) -> Iterator[str]:
    fallback = telephony.get("fallback_destination")
    if fallback:
        yield (
            f"fallback_destination is {mask_text(str(fallback))}: after an abnormal end of the "
            "assistant, Telnyx transfers the caller there."
        )
    limit_secs = telephony.get("time_limit_secs") or DEFAULT_TIME_LIMIT_SECS
    if limit_secs < max_minutes * 60:
        yield (
            f"time_limit_secs is {limit_secs}, so the assistant ends before the {max_minutes} "
            "minutes of a conversation (MaxMinutes)."
        )
    idle_secs = telephony.get("user_idle_timeout_secs")
    if idle_secs:
        yield (
            f"user_idle_timeout_secs is {idle_secs}: the assistant ends when the caller is silent "
            "for so long, also while the caller waits for a guest."
        )


def _webhooks(telephony: Json) -> Iterator[str]:
    if telephony.get("conversation_ended_full_history"):
        yield (
            "conversation_ended_full_history is on: call.conversation.ended holds the whole "
            "history with the results of tools."
        )
    updates = telephony.get("send_message_history_updates")
    if updates is not None:
        yield (
            f"send_message_history_updates is {'on' if updates else 'off'}, whatever a request "
            "says; on means a webhook with the whole history at each turn."
        )


def _privacy(privacy: Json) -> Iterator[str]:
    if privacy.get("data_retention") is False:
        yield "data_retention is off, so Telnyx keeps no history and no insights."

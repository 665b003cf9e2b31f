"""Every difference between us and the official client that is right as it is, with the reason."""

_STT_MODELS = (
    "=assemblyai/universal-3-5-pro | =assemblyai/universal-streaming | =azure/fast | "
    "=azure/realtime | =cohere/ar-stt | =deepgram/flux | =deepgram/nova-2 | =deepgram/nova-3 | "
    "=distil-whisper/distil-large-v2 | =flux | =google/latest_long | =humain/realtime | "
    "=nvidia/parakeet-v3 | =omi-health/omi-med-stt-v1 | =openai/whisper-large-v3-turbo | "
    "=reson8/turns | =soniox/stt-rt-v4 | =speechmatics/enhanced | =speechmatics/linden-1 | "
    "=speechmatics/standard | =xai/grok-stt"
)
_LANGUAGES = (
    "=arb | =cmn-CN | =cy-GB | =da-DK | =de-DE | =en-AU | =en-GB | =en-GB-WLS | =en-IN | =en-US | "
    "=es-ES | =es-MX | =es-US | =fr-CA | =fr-FR | =hi-IN | =is-IS | =it-IT | =ja-JP | =ko-KR | "
    "=nb-NO | =nl-NL | =pl-PL | =pt-BR | =pt-PT | =ro-RO | =ru-RU | =sv-SE | =tr-TR"
)
_INLINE_TOOLS = "A request's inline tools are passed on as they are; Telnyx checks them."
_ANOTHER_API = "The insight group's own webhook is not in the description; captured on live calls."
_IN_METADATA = (
    "The insight group's own webhook has this field; the other insights webhook lacks it."
)
_SHARED_PAYLOAD = "call.conversation.ended has this field, and both webhooks have one model."

EXCEPTIONS: dict[str, str] = {
    "send ai_assistant_start assistant.tools[]{}: sent, and not in the client": _INLINE_TOOLS,
    "send answer assistant.tools[]{}: sent, and not in the client": _INLINE_TOOLS,
    f"send ai_assistant_start transcription.model: sent as text, the client has {_STT_MODELS}": (
        "A request may name a model that is newer than the description."
    ),
    f"send gather_using_speak language: sent as text, the client has {_LANGUAGES}": (
        "The command executor sends en-US and nothing else."
    ),
    "webhook call.conversation.created payload.duration_sec: read, and not in the client": (
        _SHARED_PAYLOAD
    ),
    "webhook call.conversation.created payload.reason: read, and not in the client": (
        _SHARED_PAYLOAD
    ),
    "webhook call.conversation.insights.generated: read, and not in the client": (
        "A misprint in Telnyx's own material, in case the server has the misprint too."
    ),
    "webhook call.conversation_insights.generated payload.conversation_id: "
    "read, and not in the client": _IN_METADATA,
    "webhook call.conversation_insights.generated payload.from: read, and not in the client": (
        _IN_METADATA
    ),
    "webhook call.conversation_insights.generated payload.to: read, and not in the client": (
        _IN_METADATA
    ),
    "webhook conversation_insight_result: read, and not in the client": _ANOTHER_API,
}

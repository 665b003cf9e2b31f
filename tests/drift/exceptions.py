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
_SPOKEN_LANGUAGES = (
    "=Afrikaans | =Arabic | =Bulgarian | =Catalan | =Chinese | =Chinese,Yue | =Croatian | =Czech | "
    "=Danish | =Dutch | =English | =Filipino | =Finnish | =French | =German | =Greek | =Hebrew | "
    "=Hindi | =Hungarian | =Indonesian | =Italian | =Japanese | =Korean | =Malay | =Norwegian | "
    "=Nynorsk | =Persian | =Polish | =Portuguese | =Romanian | =Russian | =Slovak | =Slovenian | "
    "=Spanish | =Swedish | =Tamil | =Thai | =Turkish | =Ukrainian | =Vietnamese | =auto"
)
_NEWER = "A request may name a value that is newer than the description."
_UNDOCUMENTED = "Telnyx does not describe the webhook; it came on live calls."
_TEXTS_OF_NUMBERS = "Telnyx sends numbers as texts here, and the model reads both."
_INLINE_TOOLS = "A request's inline tools are passed on as they are; Telnyx checks them."
_ANOTHER_API = "The insight group's own webhook is not in the description; captured on live calls."
_IN_METADATA = (
    "The insight group's own webhook has this field; the other insights webhook lacks it."
)
_DIRECTION = (
    "Telnyx describes the direction for call.initiated. If another webhook has the direction, an "
    "incoming call is never taken for a call that we dialled."
)
_NUMBERS = "Every webhook of a call is read with the call's numbers, which may be missing."
_SHARED_MESSAGES = (
    "The messages of all sources have one model; live calls had sent_at and metadata, and nothing "
    "is documented of messages_added and of who spoke."
)
_TURN = ("created_at", "metadata", "metadata{}", "participant_id", "sent_at", "text")
_CALLS = (
    *("tool_call_id", "tool_calls", "tool_calls[]", "tool_calls[].id", "tool_calls[].function"),
    *("tool_calls[].function.arguments", "tool_calls[].function.name"),
)
_SHARED_PAYLOAD = "call.conversation.ended has this field, and both webhooks have one model."

EXCEPTIONS: dict[str, str] = {
    "send ai_assistant_start assistant.tools[]{}: sent, and not in the client": _INLINE_TOOLS,
    "send answer assistant.tools[]{}: sent, and not in the client": _INLINE_TOOLS,
    **{
        f"send {command} assistant.{field}: sent as text, the client has {values}": _NEWER
        for command in ("ai_assistant_start", "answer")
        for field, values in (
            ("transcription.model", _STT_MODELS),
            ("voice_settings.language_boost", _SPOKEN_LANGUAGES),
        )
    },
    **{
        f"send {command} language: sent as text, the client has {_LANGUAGES}": _NEWER
        for command in ("gather_using_speak", "speak")
    },
    **{
        f"webhook {type_} payload.direction: read, and not in the client": _DIRECTION
        for type_ in (
            "call.ai_gather.message_history_updated",
            "call.analyzed",
            "call.answered",
            "call.bridged",
            "call.conversation.created",
            "call.conversation.ended",
            "call.conversation.start_failed",
            "call.conversation_insights.generated",
            "call.cost",
            "call.gather.ended",
            "call.hangup",
            "call.machine.detection.ended",
            "call.machine.greeting.ended",
            "call.machine.premium.call_screening.detected",
            "call.machine.premium.detection.ended",
            "call.machine.premium.detection.started",
            "call.machine.premium.greeting.ended",
            "call.playback.ended",
            "call.playback.started",
            "call.speak.ended",
            "call.speak.started",
            "conference.participant.joined",
            "conference.participant.left",
        )
    },
    **{
        f"webhook {type_} payload.{field}: read, and not in the client": _NUMBERS
        for type_ in (
            *("call.cost", "call.playback.ended", "call.playback.started"),
            *("call.speak.ended", "call.speak.started"),
            *("conference.participant.joined", "conference.participant.left"),
        )
        for field in ("from", "to")
    },
    "webhook call.analyzed payload.cost: read as object, the client has object | text": (
        "The text says that there is no cost, and is read so."
    ),
    **{
        f"webhook call.hangup payload.call_quality_stats.{field}, the client has text": (
            _TEXTS_OF_NUMBERS
        )
        for field in (
            "inbound.jitter_max_variance: read as number",
            "inbound.jitter_packet_count: read as whole",
            "inbound.mos: read as number",
            "inbound.packet_count: read as whole",
            "inbound.skip_packet_count: read as whole",
            "outbound.packet_count: read as whole",
            "outbound.skip_packet_count: read as whole",
        )
    },
    **{
        f"webhook call.ai_gather.message_history_updated payload.{field}: "
        "read, and not in the client": _SHARED_MESSAGES
        for field in (
            *("conversation_id", "messages", "messages[]"),
            *("messages[].content", "messages[].role"),
            *(f"{rows}[].{field}" for rows in ("messages", "message_history") for field in _TURN),
            *(f"{rows}[].{field}" for rows in ("messages", "message_history") for field in _CALLS),
            *(f"{rows}[].timestamp" for rows in ("messages", "message_history")),
        )
    },
    **{
        f"webhook call.conversation.ended payload.messages[].{field}: "
        "read, and not in the client": _SHARED_MESSAGES
        for field in _TURN
    },
    "webhook call.conversation.message_history_updated: read, and not in the client": (
        _UNDOCUMENTED
    ),
    "webhook call.conversation.messages_added: read, and not in the client": _UNDOCUMENTED,
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

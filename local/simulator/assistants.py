"""Assistant conversations: start, join, messages, stop, end and insights."""

import re
from collections.abc import Callable
from dataclasses import replace

from local.simulator import model, payloads
from local.simulator.endings import Endings
from local.simulator.errors import ApiError
from local.simulator.model import JsonObject, SimulatedConversation, SimulatedLeg
from local.simulator.switchboard import Switchboard, timestamp

_ASSISTANT_ID = re.compile(r"assistant-[A-Za-z0-9-]+")


class Assistants:
    """All conversations; a conversation's end never hangs up a leg."""

    def __init__(self, board: Switchboard) -> None:
        self._board = board
        self._endings = Endings(board)
        self._started: set[tuple[str, str | None]] = set()  # the calls, with the command_id
        self.check_free: Callable[[SimulatedLeg], None] = lambda _leg: None
        self.hang_up: Callable[[SimulatedLeg], None] = lambda _leg: None

    def start(self, leg: SimulatedLeg, body: JsonObject) -> JsonObject:
        """Start an assistant on an answered leg (Telnyx API: ai_assistant_start)."""
        if leg.assistant is not None:
            call = leg.call_control_id
            self._board.record_violation(f"a start followed an answer with an assistant on {call}")
        return self._start(leg, body, self._board.settings.created_after_secs)

    def _start(self, leg: SimulatedLeg, body: JsonObject, created_after_secs: float) -> JsonObject:
        if leg.conversation_id is not None:
            raise ApiError("90061", "An AI Assistant is already in progress on this call")
        assistant = body.get("assistant") or {}
        assistant_id = assistant.get("id")
        if assistant_id is None:
            raise ApiError("10004", "assistant.id is required", "/assistant/id")
        if not self.exists(assistant_id):
            status, code = self._board.settings.unknown_assistant
            raise ApiError(code, "The assistant does not exist", "/assistant/id", status=status)
        board = self._board
        self._check_start(leg, body)
        self.check_free(leg)
        voice = self._voice(assistant)
        for guest in body.get("participants", []):
            self._live_leg(guest["id"], "/participants")
        started = leg.call_control_id, body.get("command_id") or body.get("client_state")
        if started in self._started:
            board.record_violation(f"an assistant was started twice on {leg.call_control_id}")
        self._started.add(started)
        conversation = SimulatedConversation(
            conversation_id=board.ids.uuid(),
            starting_call=leg.call_control_id,
            assistant_id=assistant_id,
            started_at=board.now(),
            client_state=body.get("client_state"),
            metadata={
                "assistant_id": assistant_id,
                "call_control_id": leg.call_control_id,
                "call_leg_id": leg.call_leg_id,
                "call_session_id": leg.call_session_id,
                "telnyx_agent_target": leg.to if leg.direction == "incoming" else leg.from_,
                "telnyx_end_user_target": leg.person_number,
                "telnyx_conversation_channel": "phone_call",
            },
            voice=voice,
            sends_history=body.get("send_message_history_updates", False),
        )
        board.world.conversations[conversation.conversation_id] = conversation
        leg.conversation_id = conversation.conversation_id
        conversation.messages += self._rows(body.get("message_history", []))
        for guest in body.get("participants", []):
            self._add_participant(self._live_leg(guest["id"], "/participants"), conversation, guest)
        greeting = assistant.get("greeting") or body.get("greeting") or board.settings.greeting
        board.later(created_after_secs, lambda: self._greet(leg, conversation, greeting))
        return {"conversation_id": conversation.conversation_id}

    def _check_start(self, leg: SimulatedLeg, body: JsonObject) -> None:
        """Refuse a start that the settings refuse."""
        settings, conversations = self._board.settings, self._board.world.conversations.values()
        if body.get("message_history") and settings.refuses_message_history:
            raise ApiError("10000", "Invalid message format", "/message_history")
        call = leg.call_control_id
        started = any(conversation.starting_call == call for conversation in conversations)
        joined = any(conversation.guest(call) for conversation in conversations)
        if (started and not settings.start_again) or (joined and not settings.start_on_joined):
            raise ApiError("10015", "The call had an AI Assistant before")

    def _voice(self, assistant: JsonObject) -> str:
        """Return the assistant's voice: `voice_settings` replace the stored voice settings.

        Telnyx API: ai_assistant_start, assistant. An unknown voice is refused with 400 and code
        10015 (seen live in July 2026).
        """
        settings = self._board.settings
        if "voice_settings" not in assistant:
            return settings.stored_voice
        voice = str(assistant["voice_settings"]["voice"])
        if settings.voices is not None and voice not in settings.voices:
            pointer = "/assistant/voice_settings/voice"
            raise ApiError("10015", "The voice does not exist", pointer, status=400)
        return voice

    def start_on_answer(self, leg: SimulatedLeg) -> None:
        """Start the assistant of the dial or answer, which is warmed up while the call rings.

        The 200 of the dial or answer has no conversation id. `call.conversation.created` or
        `start_failed` follows (Telnyx API: answer, assistant).
        """
        if leg.assistant is None:
            return
        try:
            warm_secs = self._board.settings.warm_created_after_secs
            self._start(leg, {"assistant": leg.assistant}, warm_secs)
        except ApiError:
            self._send_start_failed(leg, leg.assistant.get("id"), "invalid_request")

    def exists(self, assistant_id: str) -> bool:
        """Return whether the assistant exists."""
        known = self._board.settings.assistants
        if known is None:
            return _ASSISTANT_ID.fullmatch(assistant_id) is not None
        return assistant_id in known

    def join(self, leg: SimulatedLeg, body: JsonObject) -> JsonObject:
        """Put an answered leg into a running conversation (Telnyx API: ai_assistant_join)."""
        guest, settings = body["participant"], self._board.settings
        conversation = self._board.world.conversations.get(body["conversation_id"])
        if conversation is None or conversation.status == "ended":
            status, code = settings.unknown_conversation
            text = "The conversation does not exist or is not yours"
            raise ApiError(code, text, "/conversation_id", status=status)
        path_is_guest = guest["id"] == leg.call_control_id
        if settings.join_path == "host" or (settings.join_path == "either" and not path_is_guest):
            if leg.conversation_id != conversation.conversation_id:
                raise ApiError("10015", "The call is not in the conversation", "/conversation_id")
            leg = self._live_leg(guest["id"], "/participant/id")
        elif not path_is_guest:
            raise ApiError("10015", "participant.id is another call", "/participant/id")
        if leg.conversation_id == conversation.conversation_id:
            self._board.record_violation(f"{leg.call_control_id} was joined twice")
            if settings.refuses_second_join:
                raise ApiError("10015", "The call is in the conversation already")
        elif leg.conversation_id is not None:
            raise ApiError("90061", "An AI Assistant is already in progress on this call")
        else:
            self._check_join(leg, conversation)
            self.check_free(leg)
            self._add_participant(leg, conversation, guest)
            if settings.join_sends_bridged:
                for side in (self._board.world.legs[conversation.starting_call], leg):
                    self._board.emit(side, "call.bridged", payloads.bridged(side))
        return {"conversation_id": conversation.conversation_id}

    def _check_join(self, leg: SimulatedLeg, conversation: SimulatedConversation) -> None:
        """Refuse a join that the settings refuse."""
        settings = self._board.settings
        host = self._board.world.legs[conversation.starting_call]
        if leg.connection_id != host.connection_id and not settings.joins_other_connections:
            raise ApiError("10015", "The call belongs to another connection")
        present = sum(guest.present for guest in conversation.participants)
        if settings.guest_limit is not None and present >= settings.guest_limit:
            raise ApiError("10015", "The conversation has no room for another participant")

    def add_messages(self, leg: SimulatedLeg, body: JsonObject) -> None:
        """Put messages into the leg's conversation (Telnyx API: ai_assistant_add_messages).

        With `trigger_response` the assistant speaks at once, and here repeats the last message.
        Without, the message waits for the next turn, and here the assistant says nothing.
        """
        if self._ignores(leg):
            return
        conversation, messages = self._running(leg), body.get("messages", [])
        self._add_messages(conversation, messages)
        if body.get("trigger_response") and messages:
            news = payloads.as_text(messages[-1].get("content"))
            reply_secs = self._board.settings.reply_after_secs
            self._board.later(reply_secs, lambda: self._speak(conversation, news))

    def say(self, leg: SimulatedLeg, text: str, *, interrupts: bool = False) -> None:
        """Let the person on `leg` speak to the assistant and to the other participants.

        `interrupts`: half of the assistant's last words were heard, and the rest is taken back.
        """
        conversation = self._running(leg)
        last = conversation.messages[-1] if conversation.messages else None
        if interrupts and last and last.role == "assistant":
            heard = last.content[: len(last.content) // 2]
            conversation.messages[-1] = replace(last, content=heard)
        self._add_messages(conversation, [{"role": "user", "content": text}])
        for other in self._legs(conversation):
            if other is not leg:
                self._board.record_heard(other, f"{leg.person_number}: {text}")
        spoken = text.lower()
        script = self._board.settings.script
        reply = next((answer for word, answer in script if word in spoken), None)
        if reply is not None:
            self._board.later(
                self._board.settings.reply_after_secs, lambda: self._speak(conversation, reply)
            )

    def stop(self, leg: SimulatedLeg) -> None:
        """Stop the leg's assistant; the legs stay up (Telnyx API: ai_assistant_stop)."""
        if not self._ignores(leg):
            self._end(self._running(leg), None, stopped=True)

    def end_at_time_limit(self, leg: SimulatedLeg) -> None:
        """End the leg's assistant at its own time limit; the legs stay up."""
        self._end(self._running(leg), "assistant_time_limit")

    def fail_start(self, leg: SimulatedLeg) -> None:
        """Let the started assistant fail: no end follows, and the legs stay up."""
        conversation = self._running(leg)
        conversation.status, conversation.ended_at = "ended", self._board.now()
        for member in self._legs(conversation):
            member.conversation_id = None
        self._send_start_failed(leg, conversation.assistant_id, "service_error")

    def end_by_transfer(self, leg: SimulatedLeg) -> None:
        """End the leg's assistant because of a transfer; the legs stay up."""
        self._end(self._running(leg), self._board.settings.transfer_reason)

    def check_running(self, leg: SimulatedLeg) -> None:
        """Raise ApiError if no assistant is on the call."""
        self._running(leg)

    def leg_ended(self, leg: SimulatedLeg) -> None:
        """Remove an ended leg from its conversation, and end the conversation if it must end."""
        if leg.conversation_id is None:
            return
        conversation = self._board.world.conversations[leg.conversation_id]
        leg.conversation_id = None
        ends = False
        if leg.call_control_id == conversation.starting_call:
            conversation.host_present = False
            ends = self._board.settings.host_hangup == "ends"
        for guest in conversation.participants:
            if guest.call_control_id == leg.call_control_id:
                guest.present = False
                ends = ends or guest.on_hangup == "end_conversation"
        if ends or not self._legs(conversation):
            self._end(conversation, "customer_disconnect")

    def _send_start_failed(self, leg: SimulatedLeg, assistant_id: str | None, reason: str) -> None:
        failed = payloads.conversation_start_failed(leg, assistant_id, reason)
        self._board.emit(leg, "call.conversation.start_failed", failed, stored=True)

    def _ignores(self, leg: SimulatedLeg) -> bool:
        """Return whether a command to an assistant has no effect and is answered 200."""
        return leg.conversation_id is None and not self._board.settings.no_assistant[1]

    def _running(self, leg: SimulatedLeg) -> SimulatedConversation:
        if leg.conversation_id is None:
            status, code = self._board.settings.no_assistant
            text = "No AI Assistant is in progress on this call"
            raise ApiError(code or "10015", text, status=status if code else None)
        return self._board.world.conversations[leg.conversation_id]

    def _live_leg(self, call_control_id: str, pointer: str) -> SimulatedLeg:
        leg = self._board.world.legs.get(call_control_id)
        if leg is None or leg.state != "answered":
            raise ApiError("10015", "A participant is not on an answered call", pointer)
        return leg

    def _legs(self, conversation: SimulatedConversation) -> list[SimulatedLeg]:
        joined = (participant.call_control_id for participant in conversation.participants)
        calls = dict.fromkeys([conversation.starting_call, *joined])
        legs = [self._board.world.legs[call] for call in calls if call in self._board.world.legs]
        legs = [leg for leg in legs if leg.conversation_id == conversation.conversation_id]
        return sorted(legs, key=lambda leg: leg.started_at)

    def _add_participant(
        self, leg: SimulatedLeg, conversation: SimulatedConversation, guest: JsonObject
    ) -> None:
        for other in self._legs(conversation):
            self._board.record_heard(other, f"{guest.get('name') or leg.person_number} joined")
        leg.conversation_id = conversation.conversation_id
        self._board.record_heard(leg, "joined the conversation")
        conversation.participants.append(
            model.JoinedParticipant(
                leg.call_control_id,
                guest.get("name"),
                guest.get("on_hangup", "continue_conversation"),
            )
        )

    def _add_messages(
        self, conversation: SimulatedConversation, messages: list[JsonObject]
    ) -> None:
        rows = self._rows(messages)
        conversation.messages += rows
        board, leg = self._board, self._board.world.legs[conversation.starting_call]
        if board.settings.sends_messages_added:
            shown = rows if board.settings.messages_added_rows == "new" else conversation.messages
            added = payloads.messages_added(leg, conversation.conversation_id, shown)
            board.emit(leg, "call.conversation.messages_added", added)
        if conversation.sends_history:
            history = payloads.message_history(leg, conversation.messages)
            board.emit(leg, "call.ai_gather.message_history_updated", history)

    def _rows(self, messages: list[JsonObject]) -> list[model.Message]:
        now = self._board.now()
        return [
            model.Message(message["role"], payloads.as_text(message.get("content")), now)
            for message in messages
        ]

    def _greet(self, leg: SimulatedLeg, conversation: SimulatedConversation, greeting: str) -> None:
        created = payloads.conversation_created(leg, conversation.conversation_id)
        self._board.emit(leg, "call.conversation.created", created, stored=True)
        self._speak(conversation, greeting)

    def _speak(self, conversation: SimulatedConversation, text: str) -> None:
        if conversation.status == "active":
            self._add_messages(conversation, [{"role": "assistant", "content": text}])
            for listener in self._legs(conversation):
                self._board.record_heard(listener, f"assistant: {text}")

    def _end(
        self, conversation: SimulatedConversation, reason: str | None, *, stopped: bool = False
    ) -> None:
        board = self._board
        conversation.status = "ended"
        conversation.ended_at = board.now()
        conversation.reason = reason
        starting = board.world.legs[conversation.starting_call]
        informed, members = [starting], self._legs(conversation)
        for leg in members:
            leg.conversation_id, leg.had_assistant = None, True
            board.record_heard(leg, "the assistant left")
            if board.settings.ended_once_per_leg and leg is not starting:
                informed.append(leg)
        sends_end = board.settings.stop_sends_end or not stopped
        self._endings.report(conversation, informed, sends_end=sends_end)
        hangs_up = board.settings.stop_hangs_up_guests if stopped else None
        if board.settings.end_hangs_up_guests if hangs_up is None else hangs_up:
            for leg in members:
                if leg is not starting:
                    self.hang_up(leg)


def conversation_row(conversation: SimulatedConversation) -> JsonObject:
    """Return a conversation as a row of GET /ai/conversations."""
    last = conversation.messages[-1].at if conversation.messages else conversation.started_at
    return {
        "id": conversation.conversation_id,
        "name": "New Conversation",
        "created_at": timestamp(conversation.started_at),
        "last_message_at": timestamp(last),
        "metadata": conversation.metadata,
    }

"""Executes commands at Telnyx and translates each answer into a result of the domain."""

from collections.abc import Callable
from datetime import UTC, datetime

from pydantic import ValidationError

from partyline.aws_errors import AwsError
from partyline.domain.dial_policy import DialPolicy, DialRuleError
from partyline.domain.model import results
from partyline.domain.model.commands import FETCHES, Action, Command
from partyline.domain.model.conversation import UNKNOWN_CONVERSATION_ID, Conversation
from partyline.domain.model.insight import Insight
from partyline.domain.model.transcript import RunMessages
from partyline.services import assistant_commands as assistant
from partyline.services import call_commands as calls
from partyline.services import connection_commands as connections
from partyline.services import voice_commands as voice
from partyline.services.leg_commands import LegCommand, code_and_message
from partyline.services.secrets import SecretMissingError, SecretUnreadableError
from partyline.services.transcript_messages import messages_of
from partyline.telemetry import logger
from partyline.telnyx import errors
from partyline.telnyx.call_control import CallControl

INSIGHTS_DONE = frozenset({"completed", "failed"})
"""The last statuses of a row of insights (Telnyx API: conversations-insights, status)."""

LONG_AGO = datetime.min.replace(tzinfo=UTC)  # for a row without a time

Clock = Callable[[], datetime]

NO_API_KEY = results.Refused(code="no_api_key", message="The Telnyx API key is not set up.")

RULE_FAILED = results.Refused(
    code="dial_rule_failed", message="A dial rule failed.", rule="dial_rule_failed"
)

LegCommandHandler = Callable[[CallControl, LegCommand], results.Result]

SEND: dict[Action, LegCommandHandler] = {
    Action.DIAL: calls.dial,
    Action.ANSWER: calls.answer,
    Action.HANG_UP: calls.hang_up,
    Action.START: assistant.start,
    Action.JOIN: assistant.join,
    Action.STOP: assistant.stop,
    Action.MESSAGE: assistant.message,
    Action.HOLD: calls.hold,
    Action.IDENTIFY: calls.identify,
    Action.SCREEN: calls.screen,
    Action.BRIDGE: connections.bridge,
    Action.CREATE_CONFERENCE: connections.create_conference,
    Action.JOIN_CONFERENCE: connections.join_conference,
    Action.LEAVE_CONFERENCE: connections.leave_conference,
    Action.LEAVE_MESSAGE: voice.leave_message,
    Action.WAIT_WORDS: voice.say_waiting_words,
    Action.STOP_WORDS: voice.stop_words,
    Action.GOODBYE: voice.say_goodbye,
    Action.LOOK: calls.retrieve,
}

RECONCILE: dict[Action, LegCommandHandler] = {
    Action.DIAL: calls.reconcile_dial,
    Action.START: assistant.reconcile_start,
    Action.JOIN: assistant.find_call_event,
    Action.MESSAGE: assistant.find_call_event,
    Action.SCREEN: assistant.find_call_event,
    Action.LEAVE_MESSAGE: assistant.find_call_event,
}
"""How to find the effect of an earlier sending that may have taken effect."""


class CommandExecutor:
    """Executes commands at Telnyx."""

    def __init__(self, telnyx: CallControl, dial_policy: DialPolicy, clock: Clock) -> None:
        self._telnyx = telnyx
        self._dial_policy = dial_policy
        self._clock = clock

    def execute(self, conversation: Conversation, command: Command) -> results.Result:
        """Send a command, or reconcile an earlier sending, and return the result."""
        try:
            if command.action in FETCHES:
                is_insights = command.action is Action.FETCH_INSIGHTS
                fetch = self._fetch_insights if is_insights else self._fetch_transcript
                return fetch(conversation)
            participant, leg = conversation.target_of(command)
            if participant is None or leg is None:
                return results.Refused(code="unknown_leg", message="There is no such leg.")
            return self._execute(LegCommand(conversation, command, participant, leg))
        except errors.TelnyxError as error:
            return result_of(error)
        except (SecretMissingError, SecretUnreadableError) as error:
            logger.error(str(error))
            unreadable = isinstance(error, SecretUnreadableError)
            return results.Retryable(had_no_effect=True) if unreadable else NO_API_KEY
        except ValidationError as error:  # Telnyx would refuse this request, so it is not sent
            locations = [problem["loc"] for problem in error.errors()]
            fields = ", ".join(str(location[-1]) for location in locations if location)
            message = f"Telnyx does not take this: {fields}."
            return results.Refused(code="invalid_request", message=message)

    def _execute(self, leg_command: LegCommand) -> results.Result:
        command = leg_command.command
        if command.action is Action.DIAL and not command.reconcile:
            refused = self._dial_refusal(leg_command)
            if isinstance(refused, results.Refused) and command.may_have_taken_effect:
                # An earlier sending, before the rule held, may have made a call.
                dialed = RECONCILE[Action.DIAL](self._telnyx, leg_command)
                return dialed if isinstance(dialed, results.Succeeded) else refused
            if refused:
                return refused
        if command.reconcile:
            return RECONCILE[command.action](self._telnyx, leg_command)
        result = SEND[command.action](self._telnyx, leg_command)
        if isinstance(result, results.FormRefused) and command.may_have_taken_effect:
            # An earlier sending may have made a call or started an assistant after all.
            reconcile = RECONCILE.get(command.action)
            earlier = reconcile(self._telnyx, leg_command) if reconcile else None
            return earlier if isinstance(earlier, results.Succeeded) else result
        return result

    def _dial_refusal(self, leg_command: LegCommand) -> results.Refused | results.Retryable | None:
        own_lines = own_lines_of(leg_command.conversation)
        to, key_id = leg_command.leg.to or "", leg_command.key_of_later_round
        try:
            return self._dial_policy.refusal(
                to, self._clock(), own_lines, key_id, leg_command.reserved_on
            )
        except DialRuleError as error:
            # A rule that fails allows no call, and ends no request.
            outage = isinstance(error.__cause__, AwsError | SecretUnreadableError)
            logger.error(
                "a dial rule cannot be read" if outage else "a dial rule failed",
                extra={
                    "rule": error.rule,
                    "error": type(error.__cause__).__name__,
                    "command_id": leg_command.command.id,
                },
            )
            return results.Retryable(had_no_effect=True) if outage else RULE_FAILED

    def _fetch_insights(self, conversation: Conversation) -> results.Result:
        # After a restart of the assistant, Telnyx has several conversations for this conversation.
        newest = conversation.telnyx_conversation_id or self._look_for_conversation(conversation)
        telnyx_ids = [*conversation.previous_telnyx_ids, newest]
        known_ids = [id_ for id_ in telnyx_ids if id_ and id_ != UNKNOWN_CONVERSATION_ID]
        rows = {id_: self._telnyx.list_conversation_insights(id_) for id_ in known_ids}
        insights = [
            Insight(
                insight_id=insight.insight_id,
                result=insight.result,
                telnyx_conversation_id=telnyx_id,
            )
            for telnyx_id in known_ids
            for row in sorted(rows[telnyx_id], key=lambda row: row.created_at or LONG_AGO)
            for insight in row.insights
        ]
        complete = newest is not None and all(
            found and all(row.status in INSIGHTS_DONE for row in found) for found in rows.values()
        )
        return results.InsightsFound(
            insights=tuple(insights), telnyx_conversation_id=newest, complete=complete
        )

    def _fetch_transcript(self, conversation: Conversation) -> results.Result:
        """Fetch the messages of the runs whose messages are not complete."""
        newest = conversation.telnyx_conversation_id or self._look_for_conversation(conversation)
        stored = conversation.transcript.runs
        missing = [
            telnyx_id
            for run, telnyx_id in enumerate([*conversation.previous_telnyx_ids, newest])
            if telnyx_id and telnyx_id != UNKNOWN_CONVERSATION_ID
            if run not in stored or not stored[run].final
        ]
        runs = tuple(
            RunMessages(telnyx_conversation_id=telnyx_id, messages=messages_of(rows))
            for telnyx_id in missing
            for rows in [self._telnyx.list_conversation_messages(telnyx_id)]
        )
        return results.TranscriptFound(runs=runs, telnyx_conversation_id=newest)

    def _look_for_conversation(self, conversation: Conversation) -> str | None:
        """Return the id of the newest run, whose start was not answered with an id.

        The list of AI conversations may show a conversation minutes late (not documented), so the
        start may have been given up before.
        """
        start, call = conversation.start_command, conversation.started_on
        if start is None or call is None or not call[1].call_control_id:
            return None
        found = assistant.reconcile_start(self._telnyx, LegCommand(conversation, start, *call))
        newest = found.telnyx_conversation_id if isinstance(found, results.Succeeded) else None
        # A start that was withdrawn made no run: the call's newest conversation is an earlier run.
        return None if newest in conversation.previous_telnyx_ids else newest


def own_lines_of(conversation: Conversation) -> set[str | None]:
    """Return the numbers of ours that a conversation runs on: those called, and called from."""
    plans = [participant.plan for participant in conversation.participants]
    return {conversation.route, *(plan.from_ for plan in plans if plan)}


def result_of(error: errors.TelnyxError) -> results.Result:
    """Translate a Telnyx error into the command's result.

    Source of the codes: Telnyx docs, API error codes,
    https://developers.telnyx.com/development/api-fundamentals/api-errors.
    """
    match error:
        case errors.NotSentError() | errors.RateLimitedError() | errors.NotAnsweredError():
            return results.Retryable(had_no_effect=True, retry_after=_retry_after(error))
        case errors.NoResponseError() | errors.UnavailableError():
            unanswered, wait = isinstance(error, errors.NoResponseError), _retry_after(error)
            return results.Retryable(had_no_effect=False, unanswered=unanswered, retry_after=wait)
        case errors.CallEndedError() | errors.UnknownCallError():
            unknown = isinstance(error, errors.UnknownCallError)
            result = results.CallUnknown if unknown else results.CallEnded
            return result(**code_and_message(error))
        case errors.AssistantAlreadyRunningError() | errors.DuplicateCommandError():
            return results.Succeeded()
        case errors.RefusedError():
            # A new account's limit and a key without rights are the same 403: only the text of
            # the message tells them apart (https://developers.telnyx.com/api/errors/10039, and
            # Telnyx docs, concurrent call limits).
            answer = code_and_message(error)
            limited = error.code in errors.CHANNEL_LIMITS or "limit" in answer["message"].lower()
            limit = isinstance(error, errors.ForbiddenError) and limited
            no_conversation = isinstance(error, errors.UnknownConversationError)
            return results.Refused(**answer, limit=limit, no_conversation=no_conversation)
    return results.Retryable(had_no_effect=False)


def _retry_after(error: errors.TelnyxError) -> float | None:
    """Return Telnyx's wait in seconds; 0 for a rate limit without a wait: our own pauses count."""
    if isinstance(error, errors.RateLimitedError):
        return error.retry_after or 0.0
    return error.retry_after if isinstance(error, errors.RefusedError) else None

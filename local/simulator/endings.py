"""The webhooks after the end of an assistant's conversation: the end, insights and analysis."""

from local.simulator import payloads
from local.simulator.model import SimulatedConversation, SimulatedLeg
from local.simulator.switchboard import Switchboard


class Endings:
    """Reports ended conversations."""

    def __init__(self, board: Switchboard) -> None:
        self._board = board

    def report(
        self, conversation: SimulatedConversation, legs: list[SimulatedLeg], *, sends_end: bool
    ) -> None:
        """Send the end for each of `legs`, and the rest for the first leg, as the settings say."""
        settings, later = self._board.settings, self._board.later
        if sends_end:
            later(settings.ended_after_secs, lambda: self._send_end(conversation, legs))
        if settings.insights_after_secs is not None:
            later(settings.insights_after_secs, lambda: self._send_insights(conversation, legs[0]))
        if settings.analyzed_after_secs is not None:
            # The analysis has the insights, so the analysis comes later.
            secs = max(settings.analyzed_after_secs, settings.insights_after_secs or 0.0)
            later(secs, lambda: self._send_analysis(conversation, legs[0]))

    def _send_end(self, conversation: SimulatedConversation, legs: list[SimulatedLeg]) -> None:
        settings = self._board.settings
        for leg in legs:
            payload = payloads.conversation_ended(leg, conversation, settings)
            self._board.emit(leg, "call.conversation.ended", payload, stored=True)

    def _send_insights(self, conversation: SimulatedConversation, leg: SimulatedLeg) -> None:
        conversation.insights = [
            {"insight_id": self._board.ids.uuid(), "result": result}
            for result in self._board.settings.insight_results
        ]
        payload = payloads.insights(leg, self._board.ids.uuid(), conversation.insights)
        if self._board.settings.insights_name_conversation:
            payload["conversation_id"] = conversation.conversation_id
        self._board.emit(leg, "call.conversation_insights.generated", payload)

    def _send_analysis(self, conversation: SimulatedConversation, leg: SimulatedLeg) -> None:
        self._board.emit(leg, "call.analyzed", payloads.analyzed(leg, conversation))

"""The masking of content before the engine decides, so that unmasked content is stored nowhere.

Only the first content loads the mask and the operator's patterns: no caller waits for them.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from partyline.domain.masking import MASK
from partyline.domain.model import inputs, results
from partyline.domain.model.insight import Insight
from partyline.domain.model.transcript import TranscriptMessage
from partyline.telemetry import logger

if TYPE_CHECKING:
    from partyline.domain.content_mask import ContentMask, Pattern

PATTERN_MEMORY_BYTES = 1 << 20
"""The memory that RE2 may use for a pattern: a pattern with large counts needs more."""


class PatternError(ValueError):
    """A pattern of the operator is no regular expression of RE2. The message has the pattern."""


class _MaskOfEverything:
    """Hides each text as a whole: the mask in place of one whose patterns are wrong."""

    def text(self, _text: str) -> str:
        return MASK

    def json(self, _value: Any) -> Any:
        return MASK


class Content:
    """Masks the content of inputs and texts. `build` makes the mask; None: nothing is masked."""

    def __init__(self, build: "Callable[[], ContentMask] | None") -> None:
        self._build = build
        self._built: ContentMask | None = None

    def text(self, text: str) -> str:
        """Mask a text."""
        return self._mask.text(text) if self._build else text

    def input(self, input_: inputs.Input) -> inputs.Input:
        """Mask what an input holds of people's words, of insights, and of Telnyx's reasons.

        A message for the assistant stays, and gets the masked text that its events show.
        """
        masks = _MASKS.get(type(input_)) if self._build else None
        return masks(self, input_) if masks else input_

    @property
    def _mask(self) -> "ContentMask":
        if self._built is None and self._build:
            try:
                self._built = self._build()
            except PatternError as error:
                # Neither a lost call nor stored content is the price of a wrong parameter.
                logger.error("all content is masked", extra={"reason": str(error)})
                self._built = cast("ContentMask", _MaskOfEverything())
        return cast("ContentMask", self._built)

    def _insights(self, insights: tuple[Insight, ...]) -> tuple[Insight, ...]:
        return tuple(replace(item, result=self._mask.json(item.result)) for item in insights)

    def _with_insights(self, input_: Any) -> Any:
        has_some = bool(input_.insights)
        return replace(input_, insights=self._insights(input_.insights)) if has_some else input_

    def _with_reason(self, input_: Any) -> Any:
        return replace(input_, reason=self.text(input_.reason)) if input_.reason else input_

    def _with_messages(self, holder: Any) -> Any:
        if not holder.messages:
            return holder
        return replace(holder, messages=tuple(map(self._said, holder.messages)))

    def _said(self, message: TranscriptMessage) -> TranscriptMessage:
        calls = tuple(
            replace(call, arguments=self._mask.json(call.arguments)) for call in message.tool_calls
        )
        return replace(message, text=self._mask.json(message.text), tool_calls=calls)

    def _ended(self, input_: inputs.ConversationEnded) -> inputs.ConversationEnded:
        ended: inputs.ConversationEnded = self._with_messages(self._with_reason(input_))
        return ended

    def _message(self, input_: inputs.SendMessage) -> inputs.SendMessage:
        shown = self.text(input_.content)
        return input_ if shown == input_.content else replace(input_, shown=shown)

    def _result(self, input_: inputs.CommandResult) -> inputs.CommandResult:
        result: results.Result = input_.result
        if isinstance(result, results.InsightsFound):
            result = self._with_insights(result)
        elif isinstance(result, results.TranscriptFound):
            result = replace(result, runs=tuple(map(self._with_messages, result.runs)))
        elif isinstance(result, results.NotDone):
            result = replace(result, message=self.text(result.message))
        return input_ if result is input_.result else replace(input_, result=result)


_MASKS: dict[type[inputs.Input], Callable[[Content, Any], inputs.Input]] = {
    inputs.SendMessage: Content._message,
    inputs.ConversationStartFailed: Content._with_reason,
    inputs.ConversationEnded: Content._ended,
    inputs.TranscriptUpdated: Content._with_messages,
    inputs.InsightsGenerated: Content._with_insights,
    inputs.ConversationAnalyzed: Content._with_insights,
    inputs.CommandResult: Content._result,
}
"""The inputs with content. An input that is not here has none."""


def compile_patterns(patterns: tuple[str, ...]) -> "tuple[Pattern, ...]":
    """Compile the operator's patterns with RE2, whose searches take time linear in the text.

    RE2 has neither back references nor look-around, which linear time does not allow. Raises a
    PatternError.
    """
    if not patterns:
        return ()
    import re2

    options = re2.Options()
    options.max_mem, options.log_errors = PATTERN_MEMORY_BYTES, False
    compiled = []
    for pattern in patterns:
        try:
            found = re2.compile(pattern, options)
        except re2.error as error:
            raise PatternError(f"MaskPatterns: no pattern of RE2: {pattern!r}") from error
        if found.search(""):
            raise PatternError(f"MaskPatterns: a pattern that finds the empty text: {pattern!r}")
        compiled.append(found)
    return tuple(compiled)

"""The routes that edit `/hooks`, list deliveries and replay events."""

from datetime import datetime
from typing import Annotated, Literal, Self, cast

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path
from pydantic import AfterValidator, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from partyline.domain.model.events import DisabledReason, EventType
from partyline.domain.model.hooks import DeliveryStatus, Hook
from partyline.entrypoints.api import app as api
from partyline.entrypoints.api.queries import DEFAULT_LIMIT, MAX_CURSOR_CHARS, Cursor, Limit
from partyline.entrypoints.api.responses import ApiModel
from partyline.entrypoints.api.responses import Moment as ShownMoment
from partyline.services.assistant_settings import RequestModel, field_error
from partyline.services.bearer_keys import Right
from partyline.services.hook_urls import MAX_URL_CHARS
from partyline.services.hooks import MAX_HOOKS, HookFields, NewSecret
from partyline.services.requests import Moment
from partyline.telemetry import Metric, count, logger

hooks = api.KeyRouter(Right.HOOKS)


def _known_type(name: str) -> str:
    if name not in list(EventType):
        raise PydanticCustomError("event_type", "there is no event type {name}", {"name": name})
    return name


_HOOK_ID_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"
HookId = Annotated[str, Field(pattern=_HOOK_ID_PATTERN), Path(alias="id")]
TypeName = Annotated[
    str,
    Field(max_length=64),
    AfterValidator(_known_type),
    WithJsonSchema({"type": "string", "enum": list(EventType)}),
]


class HookRequest(RequestModel):
    """`PUT /hooks/{id}`: where events go. No `event_types` stand for all types."""

    url: Annotated[
        str, Field(min_length=1, max_length=MAX_URL_CHARS, examples=["https://example.com/"])
    ]
    event_types: Annotated[list[TypeName], Field(max_length=len(EventType))] = Field(
        default_factory=list
    )
    description: Annotated[str, Field(max_length=500)] | None = None
    enabled: bool = True


class ReplayRequest(RequestModel):
    """`POST /hooks/{id}/replay`: an event, or the events of a span of time."""

    event_id: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    from_: Moment | None = Field(None, alias="from")
    to: Moment | None = None
    cursor: Annotated[str, Field(min_length=1, max_length=MAX_CURSOR_CHARS)] | None = None

    @property
    def span(self) -> tuple[datetime, datetime]:
        """The span of a request without `event_id`."""
        return cast("tuple[datetime, datetime]", (self.from_, self.to))

    @model_validator(mode="after")
    def _one_or_span(self) -> Self:
        if self.event_id is not None:
            if self.from_ or self.to or self.cursor:
                raise field_error("event_id", "not together with `from`, `to` and `cursor`")
        elif self.from_ is None or self.to is None:
            raise field_error("event_id", "give `event_id`, or `from` and `to`")
        elif self.from_ > self.to:
            raise field_error("from", "later than `to`")
        return self


class HookView(ApiModel):
    """A hook. `failing_since` is the first attempt after which no delivery succeeded."""

    id: str
    url: str
    event_types: list[EventType]
    description: str | None
    enabled: bool
    disabled_reason: DisabledReason | None
    failing_since: ShownMoment | None
    created_at: ShownMoment
    changed_at: ShownMoment
    changed_by: str


class HookWithSecret(HookView):
    """A hook; `secret` is there in the answer that made the secret, and never again.

    Until `former_secret_until`, deliveries also have a signature of the former secret.
    """

    secret: str | None = None
    former_secret_until: ShownMoment | None = None

    @classmethod
    def of(cls, made: NewSecret) -> Self:
        """Show a hook with its new secret."""
        shown = cls.model_validate(made.hook)
        shown.secret, shown.former_secret_until = made.secret, made.former_until
        return shown


class HookList(ApiModel):
    """All hooks by their ids."""

    hooks: Annotated[list[HookView], Field(max_length=MAX_HOOKS)]


class DeletedHook(ApiModel):
    """The id of a hook that does not exist any more."""

    id: str
    deleted: Literal[True] = True


class DeliveryView(ApiModel):
    """The delivery of an event. `event_id` is the header `webhook-id` of each attempt.

    `error` says in a word why there was no HTTP status; `attempts` counts since the last replay.
    """

    event_id: str
    type: str
    conversation_id: str | None
    occurred_at: ShownMoment
    status: DeliveryStatus
    attempts: Annotated[int, Field(ge=0)]
    attempted_at: ShownMoment | None
    next_attempt_at: ShownMoment | None
    http_status: int | None
    error: str | None


class Deliveries(ApiModel):
    """A page of deliveries, the newest event first."""

    deliveries: list[DeliveryView]
    next_cursor: str | None


class Replayed(ApiModel):
    """The number of deliveries that begin again, and the cursor of the rest of the span."""

    replayed: Annotated[int, Field(ge=0)]
    next_cursor: str | None = None


@hooks.put("/hooks/<id>", responses=api.answers({200: HookWithSecret}))
def put_hook(hook_id: HookId, body: Annotated[HookRequest, Body()]) -> Response[HookWithSecret]:
    """Send events to a URL from now on. The answer for a new hook has the hook's secret."""
    fields = HookFields(body.url, body.event_types, body.description, body.enabled)
    made = api.app().hooks.put(hook_id, fields, api.change())
    _report()
    return api.respond(HookWithSecret.of(made))


@hooks.get("/hooks", responses=api.answers({200: HookList}))
def list_hooks() -> Response[HookList]:
    """List all hooks."""
    api.check_query()
    shown = [_shown(hook) for hook in api.app().hooks.store.all()]
    return api.respond(HookList(hooks=shown))


@hooks.get("/hooks/<id>", responses=api.answers({200: HookView}))
def get_hook(hook_id: HookId) -> Response[HookView]:
    """Get a hook."""
    return api.respond(_shown(api.app().hooks.get(hook_id)))


@hooks.delete("/hooks/<id>", responses=api.answers({200: DeletedHook}))
def delete_hook(hook_id: HookId) -> Response[DeletedHook]:
    """Delete a hook."""
    api.app().hooks.delete(hook_id, api.change())
    _report()
    return api.respond(DeletedHook(id=hook_id))


@hooks.post("/hooks/<id>/secret", responses=api.answers({200: HookWithSecret}))
def replace_secret(hook_id: HookId) -> Response[HookWithSecret]:
    """Give a hook a new secret. The former secret signs too for a day."""
    made = api.app().hooks.replace_secret(hook_id, api.change())
    _report()
    return api.respond(HookWithSecret.of(made))


@hooks.get("/hooks/<id>/deliveries", responses=api.answers({200: Deliveries}))
def list_deliveries(
    hook_id: HookId, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Response[Deliveries]:
    """List the deliveries to a hook, `limit` at a time from `cursor`."""
    api.check_query("limit", "cursor")
    parts = api.app().hooks
    page = parts.store.deliveries(parts.get(hook_id).id, limit, cursor)
    shown = [
        DeliveryView.model_validate(
            delivery.model_copy(update={"conversation_id": delivery.conversation_id or None})
        )
        for delivery in page.items
    ]
    return api.respond(Deliveries(deliveries=shown, next_cursor=page.next_cursor))


@hooks.post("/hooks/<id>/replay", responses=api.answers({200: Replayed}))
def replay(hook_id: HookId, body: Annotated[ReplayRequest, Body()]) -> Response[Replayed]:
    """Deliver an event again, or the events of a span of time, up to 100 in a request."""
    parts, now = api.app().hooks, api.app().clock()
    if body.event_id is not None:
        return api.respond(Replayed(replayed=parts.replay_event(hook_id, body.event_id, now)))
    replayed, next_cursor = parts.replay_span(hook_id, *body.span, body.cursor, now)
    return api.respond(Replayed(replayed=replayed, next_cursor=next_cursor))


def _shown(hook: Hook) -> HookView:
    return HookView.model_validate(hook)


def _report() -> None:
    """Log and count a change. The log line has the id of the bearer key, and no URL."""
    logger.info(EventType.HOOK_CHANGED)
    count(Metric.HOOK_CHANGED)

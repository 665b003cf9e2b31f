"""The composition root: builds the `App`, everything that a function works with, once a process.

Each part is imported where the part is built, so that a function loads no part of another function.
All parts need boto3, which Lambda imports while the function starts with more processor than later.
Entry points get the App from `with_app`; nothing below the entry points asks for the App.
"""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
from botocore.config import Config

from partyline.telemetry import lambda_handler

if TYPE_CHECKING:
    import httpx

    from partyline.domain.content_mask import ContentMask
    from partyline.domain.dial_policy import Destinations, DialPolicy
    from partyline.services.assistant_tools import AssistantTools
    from partyline.services.budget import Budget
    from partyline.services.call_backs import CallBacks
    from partyline.services.census import Census
    from partyline.services.content import Content
    from partyline.services.conversations import Conversations
    from partyline.services.dead_letters import DeadLetters
    from partyline.services.engine import Engine
    from partyline.services.eraser import Eraser
    from partyline.services.erasures import ErasureRequests
    from partyline.services.hook_delivery import HookDelivery, HookFanOut
    from partyline.services.hook_queue import HookQueue
    from partyline.services.hooks import Hooks
    from partyline.services.inbound_quotas import InboundQuotas
    from partyline.services.inline_tools import AssistantRules
    from partyline.services.number_hashes import NumberHashes
    from partyline.services.quotas import Quotas
    from partyline.services.scheduler import StartScheduler
    from partyline.services.scheduling import Scheduling
    from partyline.services.secrets import Secret
    from partyline.services.timers import Timers
    from partyline.settings import ConversationSettings, HookSettings, QuerySettings
    from partyline.store import ConversationStore
    from partyline.store.dialing import DialingSwitch
    from partyline.store.directory import Directory
    from partyline.store.erasures import Erasures
    from partyline.store.hooks import HookStore
    from partyline.store.people import PersonIndex
    from partyline.store.retention import Retention
    from partyline.store.scheduled import ScheduledConversations
    from partyline.telnyx.call_control import CallControl
    from partyline.telnyx.signature import PublicKeys

T = TypeVar("T")
Event = dict[str, Any]
Begin = Callable[[Callable[[], int]], Callable[[], int]]


def utc_now() -> datetime:
    """Return the time, with its zone."""
    return datetime.now(UTC)


class App:
    """Everything that a function works with. Parts that hold a connection are built once.

    Tests and the local stack replace the clock, the way to Telnyx, the sleep, the clients of
    DynamoDB, SQS and Secrets Manager, and the thread for a read beside another read (`begin`).
    """

    def __init__(
        self,
        clock: Callable[[], datetime] = utc_now,
        telnyx_transport: "httpx.BaseTransport | None" = None,
        dynamodb: Any = None,
        sqs: Any = None,
        sleep: Callable[[float], None] = time.sleep,
        secrets_client: Any = None,
        begin: "Begin | None" = None,
    ) -> None:
        self.clock = clock
        self._sleep = sleep
        self._telnyx_transport = telnyx_transport
        self._dynamodb = dynamodb
        self._sqs = sqs
        self._secrets_client = secrets_client
        self._begin = begin

    @cached_property
    def settings(self) -> "ConversationSettings":
        """The settings of a function that moves conversations."""
        from partyline.settings import ConversationSettings

        return ConversationSettings.from_environment()

    @cached_property
    def destinations(self) -> "Destinations":
        """The destinations that calls may go to."""
        from partyline.settings import DestinationSettings

        return DestinationSettings.from_environment().destinations

    @cached_property
    def assistant_rules(self) -> "AssistantRules":
        """The rules for the settings of an assistant in a request."""
        from partyline.services.inline_tools import AssistantRules
        from partyline.settings import AssistantRuleSettings

        settings = AssistantRuleSettings.from_environment()
        allows_secrets, hosts = settings.integration_secrets == "on", settings.allowed_tool_hosts
        return AssistantRules(allows_secrets, settings.public_base_url, hosts)

    @cached_property
    def public_keys(self) -> "PublicKeys":
        """The keys that Telnyx signs with."""
        from partyline.settings import SignedSettings
        from partyline.telnyx.signature import PublicKeys

        return PublicKeys.parse(SignedSettings.from_environment().telnyx_public_keys)

    @cached_property
    def store(self) -> "ConversationStore":
        """The conversations in the table."""
        from partyline.store import ConversationStore

        return ConversationStore(self._table_client, self._table_name, self._retention, self.clock)

    @cached_property
    def directory(self) -> "Directory":
        """The routes and the do-not-call list."""
        from partyline.store.directory import Directory

        return Directory(self._table_client, self._table_name, self._retention)

    @cached_property
    def dialing(self) -> "DialingSwitch":
        """The emergency stop of all dials."""
        from partyline.store.dialing import DialingSwitch

        return DialingSwitch(self._table_client, self._table_name, self.clock)

    @cached_property
    def scheduled(self) -> "ScheduledConversations":
        """The conversations that start later."""
        from partyline.store.scheduled import ScheduledConversations

        return ScheduledConversations(self._table_client, self._table_name, self._retention)

    @cached_property
    def start_scheduler(self) -> "StartScheduler":
        """The scheduler that calls `start_scheduled` at the time of a start."""
        from partyline.services.scheduler import StartScheduler
        from partyline.settings import SchedulerSettings

        settings = SchedulerSettings.from_environment()
        names = settings.schedule_group, settings.schedule_target, settings.schedule_role
        return StartScheduler(aws_client("scheduler"), *names)

    @cached_property
    def events_client(self) -> Any:
        """A client of EventBridge."""
        return aws_client("events")

    @cached_property
    def codedeploy_client(self) -> Any:
        """A client of CodeDeploy."""
        return aws_client("codedeploy")

    @cached_property
    def _table_client(self) -> Any:
        return self._dynamodb or aws_client("dynamodb")

    @cached_property
    def _table_settings(self) -> "QuerySettings":
        from partyline.settings import QuerySettings

        return QuerySettings.from_environment()

    @property
    def _table_name(self) -> str:
        return self._table_settings.table_name

    @cached_property
    def _retention(self) -> "Retention":
        from partyline.store.retention import Retention

        days = self._table_settings
        return Retention.of_days(
            days.keep_conversations_days, days.keep_transcripts_days, days.keep_events_days
        )

    @cached_property
    def dial_policy(self) -> "DialPolicy":
        """The rules that each dial has to pass."""
        from partyline.domain.dial_policy import DialPolicy, QuietHours

        quiet = self.settings.quiet_hours
        listed = self.directory.do_not_call if self.settings.do_not_call == "on" else None
        default_number, directory = self.settings.default_number, self.directory
        return DialPolicy(
            self.settings.destinations,
            QuietHours.parse(quiet) if quiet else None,
            listed and (lambda number: listed(number) is not None),
            lambda number: number == default_number or directory.has_route(number),
            self.dialing.is_off,
            self._key_may_dial,
            self.budget.is_used_up if self.budget else lambda _: False,
        )

    @cached_property
    def budget(self) -> "Budget | None":
        """The budget of a day; None for no budget."""
        units = self.settings.budget_units
        if units is None:
            return None
        from partyline.services.budget import Budget
        from partyline.store.spending import SpendingStore

        return Budget(units, SpendingStore(self._table_client, self._table_name), self.clock)

    def _key_may_dial(self, key_id: str) -> bool:
        """Whether a bearer key may still dial. A function that cannot read the keys does not ask.

        The functions of the timers ask: a later round of calls follows a pause, so a timer.
        """
        from partyline.services.bearer_keys import BearerKeys, Right

        if "BEARER_KEYS_SECRET" not in os.environ:
            return True
        return BearerKeys(self.bearer_keys, self.clock).has(key_id, Right.START)

    @cached_property
    def telnyx_api_key(self) -> "Secret":
        """The secret that holds the Telnyx API key."""
        return self._secret(self.settings.telnyx_api_key_secret)

    @cached_property
    def bearer_keys(self) -> "Secret":
        """The secret that holds the hashes of the bearer keys."""
        # Not a setting: pydantic would be half of the authorizer's start.
        secret_id = os.environ["BEARER_KEYS_SECRET"]
        return self._secret(secret_id, max_age_secs=30)  # a revoked key has to stop working

    @cached_property
    def engine(self) -> "Engine":
        """The engine that moves conversations."""
        from partyline.services.command_executor import CommandExecutor
        from partyline.services.engine import Engine

        executor = CommandExecutor(self.call_control, self.dial_policy, self.clock)
        parts = self.store, executor, self.timers, self.clock, self._sleep
        keeps_inputs = self.settings.keep_inputs == "on"
        return Engine(*parts, keeps_inputs=keeps_inputs, content=self.content, budget=self.budget)

    @cached_property
    def content(self) -> "Content":
        """The masking of content."""
        from partyline.services.content import Content, compile_patterns

        def build() -> "ContentMask":
            from partyline.domain.content_mask import ContentMask

            return ContentMask(compile_patterns(self.settings.mask_patterns))

        return Content(build if self.settings.mask_content == "on" else None)

    @cached_property
    def call_control(self) -> "CallControl":
        """Telnyx's commands and queries."""
        from partyline.telnyx.call_control import CallControl
        from partyline.telnyx.client import TelnyxClient

        client = TelnyxClient(
            self._api_key,
            base_url=self.settings.telnyx_api_base_url,
            timeout_secs=self.settings.telnyx_timeout_secs,
            transport=self._telnyx_transport,
            pause=self._sleep,
        )
        return CallControl(client, self.settings.telnyx_webhook_urls)

    @property
    def inbound_quotas(self) -> "InboundQuotas":
        """The quotas of incoming calls."""
        from partyline.services.inbound_quotas import InboundQuotas, in_thread

        begin = self._begin or in_thread
        return InboundQuotas(self.settings, self.store, lambda: self.call_control, begin)

    @property
    def census(self) -> "Census":
        """The census of live calls."""
        from partyline.services.census import Census
        from partyline.store.census import CensusStore

        store = CensusStore(self._table_client, self._table_name)
        return Census(store, lambda: self.call_control, self.clock)

    @cached_property
    def timers(self) -> "Timers":
        """The queue of the conversations' timers."""
        from partyline.services.timers import Timers

        return Timers(lambda: self._sqs_client, self.settings.timers_queue_url, self.clock)

    @cached_property
    def _sqs_client(self) -> Any:
        # Nobody should wait long for a request that fails: the sweep or the next census follows.
        return self._sqs or aws_client("sqs", read_timeout=1, attempts=1)

    @property
    def conversations(self) -> "Conversations":
        """The use cases of conversations."""
        from partyline.services.conversations import Conversations

        stores = self.store, self.scheduled
        parts = *stores, self.engine, self._quotas, self.clock, self.assistant_rules
        return Conversations(self.settings, *parts)

    @property
    def scheduling(self) -> "Scheduling":
        """The use cases of conversations that start later."""
        from partyline.services.bearer_keys import BearerKeys
        from partyline.services.scheduling import Scheduling

        parts = self.conversations, self.store, self.scheduled
        keys = lambda: BearerKeys(self.bearer_keys, self.clock)  # noqa: E731 - built for due starts
        return Scheduling(*parts, lambda: self.start_scheduler, keys, self.clock)

    @cached_property
    def number_key(self) -> "Secret":
        """The secret that holds the key of the hashes of numbers."""
        return self._secret(os.environ["NUMBER_KEY_SECRET"])

    @property
    def number_hashes(self) -> "NumberHashes":
        """The keyed hashes of numbers."""
        from partyline.services.number_hashes import NumberHashes

        return NumberHashes(self.number_key, self.destinations)

    @cached_property
    def person_index(self) -> "PersonIndex":
        """The index from people to their conversations."""
        from partyline.store.people import PersonIndex

        return PersonIndex(self._table_client, self._table_name, self._retention)

    @cached_property
    def erasures(self) -> "Erasures":
        """The erasures in the table."""
        from partyline.store.erasures import Erasures

        return Erasures(self._table_client, self._table_name, self._retention)

    @property
    def erasure_requests(self) -> "ErasureRequests":
        """The use cases of erasures."""
        from partyline.services.erasures import ErasureRequests

        stores = self.store, self.scheduled, self.erasures, self.person_index
        return ErasureRequests(*stores, lambda: self.number_hashes, self.clock)

    @property
    def eraser(self) -> "Eraser":
        """The work of erasures."""
        from partyline.services.eraser import Eraser

        return Eraser(
            self.erasures,
            self.scheduled,
            self.directory,
            self.person_index,
            lambda: self.number_hashes,
            lambda: self.start_scheduler,
            lambda: self.call_control,
            lambda: self.dead_letters,
            self.clock,
        )

    @property
    def dead_letters(self) -> "DeadLetters":
        """The queues of messages that could not be handled."""
        from partyline.services.dead_letters import DeadLetters
        from partyline.settings import DeadLetterSettings

        urls = DeadLetterSettings.from_environment().dead_letter_urls
        return DeadLetters(self._sqs or aws_client("sqs"), urls)

    @cached_property
    def all_dead_letters(self) -> "DeadLetters":
        """The same queues and all others of their kind, to count their messages."""
        from partyline.services.dead_letters import DeadLetters
        from partyline.settings import CensusSettings

        urls = CensusSettings.from_environment().all_dead_letter_urls
        return DeadLetters(self._sqs_client, urls)

    @property
    def assistant_tools(self) -> "AssistantTools":
        """The assistant's own tools."""
        from partyline.services.assistant_tools import AssistantTools

        parts = self.settings, self.store, self.directory, self.engine, self._quotas, self.clock
        return AssistantTools(*parts, self.content.text)

    @property
    def call_backs(self) -> "CallBacks":
        """The assistant's tool that books a call back."""
        from partyline.services.call_backs import CallBacks

        parts = self.store, self.scheduled, self.scheduling, self.engine, self._quotas
        return CallBacks(*parts, self.dial_policy, self.clock, self.content.text)

    @cached_property
    def hook_settings(self) -> "HookSettings":
        """The settings of hooks."""
        from partyline.settings import HookSettings

        return HookSettings.from_environment()

    @cached_property
    def hook_key(self) -> "Secret":
        """The secret with the key from which the secrets of hooks are derived."""
        return self._secret(os.environ["HOOK_KEY_SECRET"])

    @cached_property
    def hooks(self) -> "Hooks":
        """The use cases of hooks."""
        from partyline.services.hooks import Hooks

        allows = self.hook_settings.hooks_allow_loopback == "on"
        return Hooks(self._hook_store, self._hook_queue, self._hook_key, allow_loopback=allows)

    @cached_property
    def hook_fan_out(self) -> "HookFanOut":
        """The part that makes deliveries of events."""
        from partyline.services.hook_delivery import HookFanOut

        return HookFanOut(self._hook_store, self._hook_queue, self.clock)

    @cached_property
    def hook_delivery(self) -> "HookDelivery":
        """The part that makes the attempts of deliveries."""
        from partyline.services.hook_delivery import HookDelivery
        from partyline.services.hook_queue import HookQueue
        from partyline.services.hook_sender import HookSender

        url = self.hook_settings.hook_dead_letters_url
        dead_letters = HookQueue(lambda: self._sqs_client, url, self.clock)
        sender = HookSender(allow_loopback=self.hook_settings.hooks_allow_loopback == "on")
        queues = self._hook_queue, dead_letters
        return HookDelivery(self._hook_store, *queues, sender, self._hook_key, self.clock)

    @cached_property
    def _hook_store(self) -> "HookStore":
        from partyline.store.hooks import HookStore

        return HookStore(self._table_client, self._table_name, self._retention)

    @property
    def _hook_queue(self) -> "HookQueue":
        from partyline.services.hook_queue import HookQueue

        url = self.hook_settings.hook_deliveries_url
        return HookQueue(lambda: self._sqs_client, url, self.clock)

    def _hook_key(self) -> str:
        return self.hook_key.field("key")

    @property
    def _quotas(self) -> "Quotas":
        from partyline.services.quotas import Quotas

        return Quotas(self.settings, self.store, self.clock, self.dialing, self.budget)

    def _api_key(self, fresh: bool = False) -> str:
        return self.telnyx_api_key.field("api_key", fresh=fresh)

    def _secret(self, secret_id: str, max_age_secs: int = 300) -> "Secret":
        from partyline.services.secrets import Secret

        client = self._secrets_client
        return Secret(secret_id, lambda: client or aws_client("secretsmanager"), max_age_secs)


def aws_client(service: str, read_timeout: int = 3, attempts: int = 3) -> Any:
    """Build a client of an AWS service with short timeouts: a caller waits for the function."""
    config = Config(
        connect_timeout=1,
        read_timeout=read_timeout,
        retries={"mode": "standard", "total_max_attempts": attempts},
        tcp_keepalive=True,
        parameter_validation=False,  # tests hold our few request shapes; validation takes time
    )
    return boto3.client(service, config=config)  # type: ignore[call-overload]


_app: App | None = None


def bootstrap() -> App:
    """Return this process's App; the first call builds the App."""
    global _app  # noqa: PLW0603 - a process has one App
    if _app is None:
        _app = App()
    return _app


def override(app: App | None) -> None:
    """Make another App this process's: for tests and the local stack. None: build anew."""
    global _app  # noqa: PLW0603
    _app = app


def with_app(work: Callable[[App, Event, Any], T]) -> Callable[[Event, Any], T]:
    """Make the Lambda handler around `work`, which gets the App, the event and the context."""
    return lambda_handler(lambda event, context: work(bootstrap(), event, context))

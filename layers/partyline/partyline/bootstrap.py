"""The composition root: everything a function works with, made when it is first needed.

A part is imported where it is made, so that a function loads no other's. All of them need boto3: it
is loaded while Lambda starts them, which it does with more processor than they run with.

A process makes one `Wiring` and keeps it, so that connections are kept too. Tests and the local
stack make their own, with another clock, another Telnyx or another table.
"""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    import httpx

    from partyline.domain.destinations import Destinations
    from partyline.domain.dial_policy import DialPolicy
    from partyline.services.engine import Engine
    from partyline.services.scheduler import StartScheduler
    from partyline.services.secrets import Secret
    from partyline.settings import ConversationSettings
    from partyline.store import ConversationStore
    from partyline.store.directory import Directory
    from partyline.store.scheduled import ScheduledConversations
    from partyline.telnyx.signature import PublicKeys


def utc_now() -> datetime:
    """The time, with its zone."""
    return datetime.now(UTC)


class App:
    """What a function works with. Every part is made at its first use, and kept."""

    def __init__(
        self,
        clock: Callable[[], datetime] = utc_now,
        telnyx_transport: "httpx.BaseTransport | None" = None,
        dynamodb: Any = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take what is not to be made here: a clock, a way to Telnyx, a DynamoDB client."""
        self.clock = clock
        self._sleep = sleep
        self._telnyx_transport = telnyx_transport
        self._dynamodb = dynamodb

    @cached_property
    def settings(self) -> "ConversationSettings":
        """The settings of a function that moves conversations."""
        from partyline.settings import ConversationSettings

        return ConversationSettings.from_environment()

    @cached_property
    def destinations(self) -> "Destinations":
        """Where calls may go."""
        from partyline.settings import DestinationSettings

        return DestinationSettings.from_environment().destinations

    @cached_property
    def public_keys(self) -> "PublicKeys":
        """The keys that Telnyx signs with."""
        from partyline.settings import SignedSettings
        from partyline.telnyx.signature import PublicKeys

        return PublicKeys.parse(SignedSettings.from_environment().telnyx_public_keys)

    @cached_property
    def store(self) -> "ConversationStore":
        """The table."""
        from partyline.store import ConversationStore

        return ConversationStore(self._table_client, self._table_name)

    @cached_property
    def directory(self) -> "Directory":
        """Routes and the do-not-call list."""
        from partyline.store.directory import Directory

        return Directory(self._table_client, self._table_name)

    @cached_property
    def scheduled(self) -> "ScheduledConversations":
        """What is to begin later."""
        from partyline.store.scheduled import ScheduledConversations

        return ScheduledConversations(self._table_client, self._table_name)

    @cached_property
    def start_scheduler(self) -> "StartScheduler":
        """What rings when it is time."""
        from partyline.services.scheduler import StartScheduler
        from partyline.settings import SchedulerSettings

        settings = SchedulerSettings.from_environment()
        return StartScheduler(
            aws_client("scheduler"),
            settings.schedule_group,
            settings.schedule_target,
            settings.schedule_role,
        )

    @cached_property
    def events_client(self) -> Any:
        """A client of EventBridge."""
        return aws_client("events")

    @cached_property
    def _table_client(self) -> Any:
        return self._dynamodb or aws_client("dynamodb")

    @cached_property
    def _table_name(self) -> str:
        from partyline.settings import QuerySettings

        return QuerySettings.from_environment().table_name

    @cached_property
    def dial_policy(self) -> "DialPolicy":
        """What every dial has to pass."""
        from partyline.domain.dial_policy import DialPolicy, QuietHours

        quiet = self.settings.quiet_hours
        listed = self.directory.do_not_call if self.settings.do_not_call == "on" else None
        return DialPolicy(
            self.settings.destinations,
            QuietHours.parse(quiet) if quiet else None,
            listed and (lambda number: listed(number) is not None),
        )

    @cached_property
    def telnyx_api_key(self) -> "Secret":
        """Where the Telnyx API key is kept."""
        return self._secret(self.settings.telnyx_api_key_secret)

    @cached_property
    def bearer_keys(self) -> "Secret":
        """Where the hashes of the bearer keys are kept."""
        # Not among the settings, which would bring pydantic: half of the authorizer's start.
        secret_id = os.environ["BEARER_KEYS_SECRET"]
        return self._secret(secret_id, max_age_secs=30)  # a key taken away has to stop working

    @cached_property
    def engine(self) -> "Engine":
        """What moves conversations."""
        from partyline.services.command_executor import CommandExecutor
        from partyline.services.engine import Engine
        from partyline.telnyx.call_control import CallControl
        from partyline.telnyx.client import TelnyxClient

        client = TelnyxClient(
            self._api_key,
            base_url=self.settings.telnyx_api_base_url,
            timeout_secs=self.settings.telnyx_timeout_secs,
            transport=self._telnyx_transport,
            pause=self._sleep,
        )
        dispatcher = CommandExecutor(CallControl(client), self.dial_policy, self.clock)
        return Engine(self.store, dispatcher, self.clock, self._sleep)

    def _api_key(self, fresh: bool = False) -> str:
        return self.telnyx_api_key.field("api_key", fresh=fresh)

    def _secret(self, secret_id: str, max_age_secs: int = 300) -> "Secret":
        from partyline.services.secrets import Secret

        return Secret(secret_id, lambda: aws_client("secretsmanager"), max_age_secs)


def aws_client(service: str) -> Any:
    """A client of an AWS service, with the patience of a function that somebody waits for."""
    config = Config(
        connect_timeout=1,
        read_timeout=3,
        retries={"mode": "standard", "total_max_attempts": 3},
        tcp_keepalive=True,
        parameter_validation=False,  # our own few shapes are tested; checking them takes its time
    )
    return boto3.client(service, config=config)  # type: ignore[call-overload]


_process: App | None = None


def bootstrap() -> App:
    """This process's wiring."""
    global _process  # noqa: PLW0603 - one for each process is the point
    if _process is None:
        _process = App()
    return _process


def override(given: App | None) -> None:
    """Make another wiring this process's: for tests and the local stack. None: begin anew."""
    global _process  # noqa: PLW0603
    _process = given

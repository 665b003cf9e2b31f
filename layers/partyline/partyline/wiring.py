"""The composition root: everything a function works with, made when it is first needed.

A process makes one `Wiring` and keeps it, so that connections are kept too. Tests and the local
stack make their own, with another clock, another Telnyx or another table.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from partyline.settings import (
    AlarmSettings,
    AuthorizerSettings,
    ConversationSettings,
    DestinationSettings,
    QuerySettings,
    SignedSettings,
)

if TYPE_CHECKING:
    import httpx

    from partyline.alarms import Alarms
    from partyline.engine import Engine
    from partyline.gates import Gates
    from partyline.secret import Secret
    from partyline.store import Store
    from partyline.store.directory import Directory
    from partyline.store.schedules import Schedules
    from partyline.telnyx.signature import PublicKeys


def utc_now() -> datetime:
    """The time, with its zone."""
    return datetime.now(UTC)


class Wiring:
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
    def settings(self) -> ConversationSettings:
        """The settings of a function that moves conversations."""
        return ConversationSettings.from_environment()

    @cached_property
    def destinations(self) -> tuple[str, ...]:
        """Beginnings of the numbers that may be called."""
        return DestinationSettings.from_environment().allowed_destination_prefixes

    @cached_property
    def public_keys(self) -> "PublicKeys":
        """The keys that Telnyx signs with."""
        from partyline.telnyx.signature import PublicKeys

        return PublicKeys.parse(SignedSettings.from_environment().telnyx_public_keys)

    @cached_property
    def store(self) -> "Store":
        """The table."""
        from partyline.store import Store

        return Store(self._table_client, QuerySettings.from_environment().table_name)

    @cached_property
    def directory(self) -> "Directory":
        """Routes and the do-not-call list."""
        from partyline.store.directory import Directory

        return Directory(self._table_client, QuerySettings.from_environment().table_name)

    @cached_property
    def schedules(self) -> "Schedules":
        """What is to begin later."""
        from partyline.store.schedules import Schedules

        return Schedules(self._table_client, QuerySettings.from_environment().table_name)

    @cached_property
    def alarms(self) -> "Alarms":
        """What rings when it is time."""
        from partyline.alarms import Alarms

        settings = AlarmSettings.from_environment()
        return Alarms(
            _aws_client("scheduler"),
            settings.schedule_group,
            settings.schedule_target,
            settings.schedule_role,
        )

    @cached_property
    def _table_client(self) -> Any:
        return self._dynamodb or _aws_client("dynamodb")

    @cached_property
    def gates(self) -> "Gates":
        """What every dial has to pass."""
        from partyline.gates import Gates, QuietHours

        quiet = self.settings.quiet_hours
        listed = self.directory.do_not_call if self.settings.do_not_call == "on" else None
        return Gates(
            self.settings.allowed_destination_prefixes,
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
        secret_id = AuthorizerSettings.from_environment().bearer_keys_secret
        return self._secret(secret_id, max_age_secs=30)  # a key taken away has to stop working

    @cached_property
    def engine(self) -> "Engine":
        """What moves conversations."""
        from partyline.dispatch import Dispatcher
        from partyline.engine import Engine
        from partyline.telnyx.actions import Telnyx
        from partyline.telnyx.client import TelnyxClient

        client = TelnyxClient(
            self._api_key,
            base_url=self.settings.telnyx_api_base_url,
            timeout_secs=self.settings.telnyx_timeout_secs,
            transport=self._telnyx_transport,
            pause=self._sleep,
        )
        dispatcher = Dispatcher(Telnyx(client), self.gates, self.clock)
        return Engine(self.store, dispatcher, self.clock, self._sleep)

    def _api_key(self, fresh: bool = False) -> str:
        return self.telnyx_api_key.field("api_key", fresh=fresh)

    def _secret(self, secret_id: str, max_age_secs: int = 300) -> "Secret":
        from partyline.secret import Secret

        return Secret(secret_id, lambda: _aws_client("secretsmanager"), max_age_secs)


def _aws_client(service: str) -> Any:
    import boto3
    from botocore.config import Config

    config = Config(
        connect_timeout=1,
        read_timeout=3,
        retries={"mode": "standard", "total_max_attempts": 3},
        tcp_keepalive=True,
        parameter_validation=False,  # our own few shapes are tested; checking them takes its time
    )
    return boto3.client(service, config=config)  # type: ignore[call-overload]


_process: Wiring | None = None


def wiring() -> Wiring:
    """This process's wiring."""
    global _process  # noqa: PLW0603 - one for each process is the point
    if _process is None:
        _process = Wiring()
    return _process


def install(given: Wiring | None) -> None:
    """Make another wiring this process's: for tests and the local stack. None: begin anew."""
    global _process  # noqa: PLW0603
    _process = given

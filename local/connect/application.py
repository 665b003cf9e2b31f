"""Finds or creates the Call Control application, changes its settings and restores them.

Telnyx API: /call_control_applications.
"""

from dataclasses import dataclass
from typing import Any

from local.connect import numbers
from local.connect.account import Account, AccountError, Json, NotFoundError, path_segment
from local.connect.records import Record, Records

PATH = "/call_control_applications"
WEBHOOKS = "/webhooks"
FAILOVER = "/failover"
API_VERSION = "2"
TIMEOUT_SECS = 10
"""Telnyx's pages name different defaults; ten seconds cover a cold start."""

READ = "read Call Control applications"
CHANGE = "change Call Control applications"

UNFINISHED_URL = "https://example.com/partyline"
"""The webhook URL of a switched-off application until the deployment's URL is known.

Telnyx API: a URL is required. The name is reserved (RFC 2606), and no call reaches the application.
"""
# Telnyx API: `filter[application_name][contains]` takes at least three characters.
_FILTERED_FROM = 3


@dataclass(frozen=True)
class ApplicationSettings:
    """Which application is to have which settings.

    `url` is the API's base URL; `failover_url` is used in place of the API's own failover URL.
    Without a `profile_id` the outbound voice profile stays.
    """

    url: str
    name: str
    application_id: str | None = None
    failover_url: str | None = None
    profile_id: str | None = None

    @property
    def fields(self) -> Json:
        """Return the fields of the application that Partyline sets."""
        return {
            "webhook_event_url": f"{self.url}{WEBHOOKS}",
            "webhook_event_failover_url": self.failover_url or f"{self.url}{FAILOVER}",
            "webhook_api_version": API_VERSION,
            "webhook_timeout_secs": TIMEOUT_SECS,
            "call_cost_in_webhooks": True,
            "active": True,
        }

    def fields_for(self, current: Json) -> Json:
        """Return `fields` and the outbound settings; the other outbound settings stay."""
        if self.profile_id is None:
            return self.fields
        outbound = current.get("outbound") or {}
        return {
            **self.fields,
            "outbound": {**outbound, "outbound_voice_profile_id": self.profile_id},
        }


def find(account: Account, application_id: str | None, name: str) -> Json | None:
    """Return the application of this id or of exactly this name; None for an unknown name.

    Raises an AccountError for an unknown id and for a name that several applications have.
    """
    if application_id:
        try:
            return account.request_object(READ, "GET", f"{PATH}/{path_segment(application_id)}")
        except NotFoundError:
            raise NotFoundError(
                f"This Telnyx account has no Call Control application {application_id}."
            ) from None
    query = {"filter[application_name][contains]": name} if len(name) >= _FILTERED_FROM else {}
    rows = account.list_all(READ, PATH, query)
    named = [row for row in rows if row["application_name"] == name]
    if len(named) > 1:
        ids = ", ".join(row["id"] for row in named)
        raise AccountError(
            f"Several applications are called {name}: choose with --application from {ids}."
        )
    return named[0] if named else None


def exists(account: Account, application_id: str) -> bool:
    """Return whether the account has an application of this id."""
    try:
        return find(account, application_id, "") is not None
    except NotFoundError:
        return False


def prepare(
    account: Account, records: Records, name: str, application_id: str | None
) -> tuple[Record, list[str]]:
    """Return the record of an application, and create the application if none has the name.

    A new application is switched off, and `connect` finishes the application: the deployment needs
    the application's id, and the application needs the deployment's URL. Returns a line for each
    change too.
    """
    current, changes = find(account, application_id, name), []
    if current is None:
        body = {
            "application_name": name,
            "webhook_event_url": UNFINISHED_URL,
            "webhook_api_version": API_VERSION,
            "active": False,
        }
        current = account.request_object(CHANGE, "POST", PATH, body)
        changes = [f"made the application {name}, {current['id']}, still switched off"]
    record = records.find(current["id"]) or Record(application_id=current["id"])
    # Also after a lost answer: only Partyline's own application has this URL.
    if current.get("webhook_event_url") == UNFINISHED_URL and not record.created:
        record.created = True
        records.save(record)
    return record, changes


def connect(
    account: Account, records: Records, wanted: ApplicationSettings
) -> tuple[Record, list[str]]:
    """Create or change the application. Returns its record and a line for each change.

    The previous settings are on disk before the first change.
    """
    current = find(account, wanted.application_id, wanted.name)
    if current is None:
        fields = wanted.fields_for({})
        body = {"application_name": wanted.name, **fields}
        created = account.request_object(CHANGE, "POST", PATH, body)
        record = Record(application_id=created["id"], created=True)
        record.add_our_values(fields)
        records.save(record)
        return record, [f"made the application {wanted.name}, {created['id']}"]
    record = records.find(current["id"]) or Record(application_id=current["id"])
    fields = wanted.fields_for(current)
    different = {name: value for name, value in fields.items() if current.get(name) != value}
    for name in different:
        # A value that Partyline has not set is the user's own: disconnect restores it.
        if not record.is_our_value(name, current.get(name)):
            record.before[name] = current.get(name)
    record.add_our_values(different)
    records.save(record)
    return record, _change_fields(account, current, different)


class HasNumbersError(AccountError):
    """Numbers still belong to an application that is to be deleted."""


def disconnect(account: Account, record: Record) -> list[str]:
    """Restore the application's previous settings. Returns a line for each change.

    An application that Partyline created is deleted. Raises HasNumbersError when such an
    application still has numbers. A field that was changed since connect stays as it is.
    """
    try:
        current = find(account, record.application_id, "")
    except NotFoundError:
        current = None
    if current is None:
        return [f"the application {record.application_id} no longer exists"]
    if record.created:
        return [_delete(account, current)]
    before = record.before.items()
    restored = {name: old for name, old in before if record.is_our_value(name, current.get(name))}
    return _change_fields(account, current, restored) + [
        f"{name}: {_printable(current.get(name))} stays: the field was changed since connect"
        for name, old in before
        if name not in restored and current.get(name) != old
    ]


def switch_off(account: Account, record: Record) -> list[str]:
    """Switch an application off, so that no call reaches it. Returns a line for each change."""
    current = find(account, record.application_id, "")
    if current is None or not current.get("active"):
        return []
    return _change_fields(account, current, {"active": False})


def _delete(account: Account, current: Json) -> str:
    rows = numbers.of_application(account, current["id"])
    phone_numbers = [row["phone_number"] for row in rows]
    if phone_numbers:
        raise HasNumbersError(
            f"Partyline made the application {current['id']}, so disconnect would delete it, but "
            f"{', '.join(phone_numbers)} would then ring nowhere: assign the numbers to another "
            "application, then disconnect again."
        )
    account.ask(CHANGE, "DELETE", f"{PATH}/{path_segment(current['id'])}")
    return f"removed the application {current['application_name']}, {current['id']}"


def _change_fields(account: Account, current: Json, fields: Json) -> list[str]:
    """Change the fields of an application. Returns a line for each change."""
    if not fields:
        return []
    # Telnyx API: name and URL are required in a PATCH too, and the URL is never null.
    body = {**fields, "application_name": current["application_name"]}
    url = fields.get("webhook_event_url", current.get("webhook_event_url"))
    body["webhook_event_url"] = url or ""
    account.ask(CHANGE, "PATCH", f"{PATH}/{path_segment(current['id'])}", body)
    return [
        f"{name}: {_printable(current.get(name))} -> {_printable(value)}"
        for name, value in fields.items()
    ]


def _printable(value: Any) -> str:
    return "not set" if value in (None, "") else str(value)

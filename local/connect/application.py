"""The Call Control application: found or made, pointed at a deployment, and put back.

Telnyx API: /call_control_applications.
"""

from dataclasses import dataclass
from typing import Any

from local.connect.account import Account, AccountError, Json, NotFoundError, path_segment
from local.connect.records import Record, Records

PATH = "/call_control_applications"
WEBHOOKS = "/webhooks"
FAILOVER = "/failover"
API_VERSION = "2"
TIMEOUT_SECS = 10
"""Telnyx's pages disagree about what holds when nothing is set; this covers a cold start."""

READ = "read Call Control applications"
CHANGE = "change Call Control applications"
READ_NUMBERS = "read phone numbers"
# Telnyx API: `filter[application_name][contains]` takes at least three characters.
_FILTERED_FROM = 3


@dataclass(frozen=True)
class ApplicationSettings:
    """Which application, and what it is to be; `url` is the API's base URL.

    `failover_url` is another failover door than the API's own.
    """

    url: str
    name: str
    application_id: str | None = None
    failover_url: str | None = None

    @property
    def fields(self) -> Json:
        """The fields of the application that are ours to set."""
        return {
            "webhook_event_url": f"{self.url}{WEBHOOKS}",
            "webhook_event_failover_url": self.failover_url or f"{self.url}{FAILOVER}",
            "webhook_api_version": API_VERSION,
            "webhook_timeout_secs": TIMEOUT_SECS,
            "active": True,
        }


def find(account: Account, application_id: str | None, name: str) -> Json | None:
    """The application of this id, or else of exactly this name; None when no name is like it.

    Raises an AccountError: for an id that is not there, and for a name that several have.
    """
    if application_id:
        try:
            return account.request_object(READ, "GET", f"{PATH}/{path_segment(application_id)}")
        except NotFoundError:
            raise NotFoundError(
                f"This Telnyx account has no Call Control application {application_id}."
            ) from None
    narrow = {"filter[application_name][contains]": name} if len(name) >= _FILTERED_FROM else {}
    rows = account.list_all(READ, PATH, narrow)
    found = [each for each in rows if each["application_name"] == name]
    if len(found) > 1:
        ids = ", ".join(each["id"] for each in found)
        raise AccountError(f"Several applications are called {name}: say --application, of {ids}.")
    return found[0] if found else None


def connect(
    account: Account, records: Records, wanted: ApplicationSettings
) -> tuple[Record, list[str]]:
    """Make or change the application; the record of it, and what was changed, a line each.

    What was there is on disk before anything is changed.
    """
    found = find(account, wanted.application_id, wanted.name)
    if found is None:
        body = {"application_name": wanted.name, **wanted.fields}
        made = account.request_object(CHANGE, "POST", PATH, body)
        record = Record(application_id=made["id"], created=True)
        record.add_our_values(wanted.fields)
        records.save(record)
        return record, [f"made the application {wanted.name}, {made['id']}"]
    record = records.find(found["id"]) or Record(application_id=found["id"])
    different = {name: value for name, value in wanted.fields.items() if found.get(name) != value}
    for name in different:
        # Somebody's own change since we last set it is what is to come back.
        if not record.is_our_value(name, found.get(name)):
            record.before[name] = found.get(name)
    record.add_our_values(different)
    records.save(record)
    if different:
        _patch(account, found, different)
    return record, [
        f"{name}: {_printable(found.get(name))} -> {_printable(value)}"
        for name, value in different.items()
    ]


def disconnect(account: Account, record: Record) -> list[str]:
    """Put the application back as it was; what was done, a line each.

    One that we made is removed, unless numbers belong to it: AccountError. A field that somebody
    has changed since is left alone.
    """
    try:
        found = find(account, record.application_id, "")
    except NotFoundError:
        found = None
    if found is None:
        return [f"the application {record.application_id} is gone already"]
    if record.created:
        return [_delete(account, found)]
    back = {
        name: value
        for name, value in record.before.items()
        if record.is_our_value(name, found.get(name))
    }
    if back:
        _patch(account, found, back)
    done = [f"{name}: {_printable(found.get(name))} -> {_printable(back[name])}" for name in back]
    return done + [
        f"{name}: {_printable(found.get(name))} stays, somebody has changed it since"
        for name, value in record.before.items()
        if name not in back and found.get(name) != value
    ]


def numbers(account: Account, application_id: str) -> list[Json]:
    """The phone numbers that belong to an application (Telnyx API: GET /phone_numbers)."""
    narrow = {"filter[connection_id]": application_id}
    return account.list_all(READ_NUMBERS, "/phone_numbers", narrow)


def _delete(account: Account, found: Json) -> str:
    named = [each["phone_number"] for each in numbers(account, found["id"])]
    if named:
        raise AccountError(
            f"Partyline made the application {found['id']}, so it would be removed, but "
            f"{', '.join(named)} would then ring nowhere: give them to another application, then "
            "disconnect again."
        )
    account.ask(CHANGE, "DELETE", f"{PATH}/{path_segment(found['id'])}")
    return f"removed the application {found['application_name']}, {found['id']}"


def _patch(account: Account, found: Json, fields: Json) -> None:
    # Telnyx API: name and URL are required in a PATCH too, and the URL is never null.
    body = {
        "application_name": found["application_name"],
        "webhook_event_url": found.get("webhook_event_url"),
        **fields,
    }
    body["webhook_event_url"] = body["webhook_event_url"] or ""
    account.ask(CHANGE, "PATCH", f"{PATH}/{path_segment(found['id'])}", body)


def _printable(value: Any) -> str:
    return "not set" if value in (None, "") else str(value)

"""Assigns a phone number of the account to an application, and gives the number back.

Telnyx API: /phone_numbers.
"""

from local.connect.account import Account, AccountError, Json, NotAllowedError, path_segment
from local.connect.records import Record, Records

PATH = "/phone_numbers"
READ = "read phone numbers"
CHANGE = "change phone numbers"


def of_account(account: Account) -> list[Json]:
    """Return all phone numbers of the account."""
    return account.list_all(READ, PATH, {})


def of_application(account: Account, application_id: str) -> list[Json]:
    """Return the phone numbers of an application."""
    return account.list_all(READ, PATH, {"filter[connection_id]": application_id})


def assign(account: Account, records: Records, record: Record, number: str) -> list[str]:
    """Assign a number to the record's application. Returns a line for each change.

    The record keeps the number's previous application. Raises AccountError when the account has no
    such number.
    """
    row = _find(account, number)
    if row is None:
        raise AccountError(f"{number} is no number of this Telnyx account.")
    previous = row.get("connection_id") or ""
    if previous == record.application_id:
        return []
    record.numbers.setdefault(number, previous)
    records.save(record)
    _move(account, row, record.application_id)
    came_from = f", before at the application {previous}" if previous else ""
    return [f"assigned {number} to the application {record.application_id}{came_from}"]


def give_back(account: Account, record: Record) -> list[str]:
    """Assign each number to its previous application again. Returns a line for each change.

    Telnyx documents no request that takes a number from its application. An empty id is tried for
    a number without a previous application, and a refusal leaves the number with the application.
    """
    changes = []
    for number, previous in record.numbers.items():
        row = _find(account, number)
        if row is None or row.get("connection_id") != record.application_id:
            continue
        try:
            _move(account, row, previous)
        except NotAllowedError as error:
            if previous:
                raise
            changes.append(f"{number} stays with the application: {error}")
            continue
        changes.append(f"gave {number} back to {previous or 'no application'}")
    return changes


def _move(account: Account, row: Json, application_id: str) -> None:
    path = f"{PATH}/{path_segment(row['id'])}"
    account.ask(CHANGE, "PATCH", path, {"connection_id": application_id})


def _find(account: Account, number: str) -> Json | None:
    rows = account.list_all(READ, PATH, {"filter[phone_number]": number.lstrip("+")})
    return next((row for row in rows if row["phone_number"] == number), None)

"""Checks before the first call: rights, the application, the numbers and the assistant."""

from dataclasses import dataclass

from local.connect import application, numbers, tools
from local.connect.account import Account, AccountError, Json, path_segment
from local.live_test.state import Setup


@dataclass(frozen=True)
class Wanted:
    """The user's choices; without `number`, the application's first number is the caller number."""

    name: str
    application_id: str | None
    assistant_id: str
    number: str | None
    second_number: str | None
    second_application_id: str | None
    max_calls: int
    max_minutes: int
    max_usd: float


def check(account: Account, wanted: Wanted) -> Setup:
    """Return the setup of a live test.

    Raises:
        AccountError: The account lacks a right, a number or a voice profile. No call was made.
    """
    current = application.find(account, wanted.application_id, wanted.name)
    if current is None:
        raise AccountError(
            f"There is no Call Control application called {wanted.name}: run `partyline connect`, "
            "or name the application with --application."
        )
    _check_application(current)
    second = None
    if wanted.second_application_id:
        second = application.find(account, wanted.second_application_id, "")
        _check_application(second or {})
    _check_rights(account, current["id"])
    tools.stored_assistant(account, wanted.assistant_id)
    number, second_number = _numbers(account, current, wanted)
    return Setup(
        telnyx=account.base_url,
        connection_id=current["id"],
        webhook_url=current["webhook_event_url"],
        number=number,
        second_number=second_number,
        assistant_id=wanted.assistant_id,
        second_connection_id=second["id"] if second else None,
        max_calls=wanted.max_calls,
        max_minutes=wanted.max_minutes,
        max_usd=wanted.max_usd,
    )


def _check_application(current: Json) -> None:
    name = current.get("application_name")
    if not current.get("active"):
        raise AccountError(f"The application {name} is switched off: run `partyline connect`.")
    if not current.get("webhook_event_url"):
        raise AccountError(f"The application {name} has no webhook URL: run `partyline connect`.")
    if not (current.get("outbound") or {}).get("outbound_voice_profile_id"):
        raise AccountError(
            f"The application {name} has no outbound voice profile, so no number can be dialed: "
            "choose a profile in the portal, in the application's outbound settings."
        )


def _check_rights(account: Account, application_id: str) -> None:
    """Try each query of the live test. The right to dial shows at the first call only."""
    one = {"page[size]": "1"}
    account.ask("read calls", "GET", f"/connections/{path_segment(application_id)}/active_calls")
    account.ask("read call events", "GET", "/call_events", query=one)
    account.ask("read webhook deliveries", "GET", "/webhook_deliveries", query=one)
    account.ask("read AI conversations", "GET", "/ai/conversations", query={"limit": "1"})


def _numbers(account: Account, current: Json, wanted: Wanted) -> tuple[str, str | None]:
    """Return the caller's number, and the second number or None."""
    rows = numbers.of_application(account, current["id"])
    active = [row["phone_number"] for row in rows if row.get("status") == "active"]
    for named in filter(None, (wanted.number, wanted.second_number)):
        if named not in active:
            raise AccountError(
                f"{named} is no active number of the application {current['application_name']}: "
                "assign the number to the application in the portal under Numbers."
            )
    number = wanted.number or next((n for n in active if n != wanted.second_number), None)
    if number is None:
        raise AccountError(
            "No active number of the application is left as caller number: assign a number in the "
            "portal under Numbers."
        )
    if number == wanted.second_number:
        raise AccountError("--number and --second-number are the same number: name two numbers.")
    return number, wanted.second_number

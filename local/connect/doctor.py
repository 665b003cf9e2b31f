"""Checks everything between Telnyx and a deployment that a call needs."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from local.connect import (
    application,
    assistant_settings,
    numbers,
    skip_turn,
    tools,
    webhook_check,
)
from local.connect.account import Account, AccountError, Json, path_segment
from local.connect.findings import LIMITS, Finding, check, note, ok, untried, wrong
from local.loopback import is_loopback

CLOCK_TOLERANCE = timedelta(seconds=60)
"""Less than the 300 seconds at which signatures are refused: room for delay and drift."""

SHORTEST_TIMEOUT_SECS = 5

DELIVERIES_SINCE = timedelta(hours=1)

SIGNED_BY_TELNYX = "a request that Telnyx itself has signed"


@dataclass(frozen=True)
class Context:
    """The deployment to check: `url` is the API's base URL, `signing_seed` a test key's 32 bytes.

    `failover_url` is expected in place of the API's own failover URL. `max_minutes` is MaxMinutes.
    """

    url: str
    name: str
    application_id: str | None = None
    assistant_id: str | None = None
    failover_url: str | None = None
    signing_seed: bytes | None = None
    max_minutes: int = assistant_settings.DEFAULT_MAX_MINUTES


def examine(account: Account, context: Context) -> Iterator[Finding]:
    """Run all checks, in the order in which a call depends on the results."""
    yield from _report_errors(_account(account, context))
    yield from _clock(account)
    yield from webhook_check.check(f"{context.url}{application.WEBHOOKS}", context.signing_seed)
    yield from (note(limit) for limit in LIMITS)


def _report_errors(findings: Iterator[Finding]) -> Iterator[Finding]:
    """Yield the findings. An AccountError ends the findings with a `wrong` finding."""
    try:
        yield from findings
    except AccountError as error:
        yield wrong(str(error))


def _account(account: Account, context: Context) -> Iterator[Finding]:
    current = application.find(account, context.application_id, context.name)
    yield ok("Telnyx takes the API key.")
    if current is None:
        yield wrong(
            f"There is no Call Control application called {context.name}: run `partyline connect`, "
            "or name the application with --application."
        )
        return
    yield from _application(current, context)
    yield from _report_errors(_numbers(account, current))
    yield from _report_errors(_rights(account, current))
    yield _failed_deliveries(account, current["id"])
    if context.assistant_id:
        yield from _report_errors(_assistant(account, context, context.assistant_id, current["id"]))
    else:
        yield _signature_untried(context)


def _application(current: Json, context: Context) -> Iterator[Finding]:
    url = f"{context.url}{application.WEBHOOKS}"
    current_url = current.get("webhook_event_url")
    yield check(
        current_url == url,
        f"The application's webhook URL is {url}.",
        f"The application's webhook URL is {current_url or 'not set'}, not {url}: "
        "run `partyline connect`.",
    )
    yield _failover(current.get("webhook_event_failover_url"), context)
    version = current.get("webhook_api_version")
    yield check(
        version == application.API_VERSION,
        "Webhooks come in API version 2.",
        f"Webhooks come in API version {version}, which Partyline answers and ignores: "
        "run `partyline connect`.",
    )
    secs = current.get("webhook_timeout_secs")
    unset = "not set, and Telnyx's pages name different defaults"
    yield check(
        secs is not None and secs >= SHORTEST_TIMEOUT_SECS,
        f"Telnyx waits {secs} seconds for an answer to a webhook.",
        f"The webhook timeout is {unset if secs is None else f'{secs} seconds'}: a cold start "
        "may take longer; run `partyline connect`.",
    )
    yield check(
        current.get("call_cost_in_webhooks"),
        "Telnyx sends the price of each call.",
        "Telnyx does not send the prices of calls, so reports lack costs: run `partyline connect`.",
    )
    yield check(
        current.get("active"),
        f"The application is active; TelnyxConnectionId is {current['id']}.",
        f"The application {current['id']} is switched off: run `partyline connect`.",
    )
    yield check(
        (current.get("outbound") or {}).get("outbound_voice_profile_id"),
        "The application has an outbound voice profile.",
        "The application has no outbound voice profile, so no number can be dialed: choose a "
        "profile in the portal, in the application's outbound settings.",
    )


def _failover(failover: str | None, context: Context) -> Finding:
    wanted = context.failover_url or f"{context.url}{application.FAILOVER}"
    if not failover:
        return note("The application has no failover URL: `partyline connect` sets it.")
    if failover != wanted:
        return wrong(
            f"The application's failover URL is {failover}, not {wanted}: run `partyline connect`, "
            "or name your own failover URL with --failover-url."
        )
    if not failover.startswith("https://") and not is_loopback(failover):
        return wrong(f"The failover URL {failover} is not https.")
    return ok(f"The application's failover URL is {failover}.")


def _numbers(account: Account, current: Json) -> Iterator[Finding]:
    rows = numbers.of_application(account, current["id"])
    ready = [row["phone_number"] for row in rows if row.get("status") == "active"]
    if ready:
        yield ok(f"Calls to {', '.join(ready)} come to the application.")
    elif rows:
        named = ", ".join(f"{row['phone_number']} ({row.get('status')})" for row in rows)
        yield wrong(f"No number of the application is active yet: {named}.")
    else:
        yield wrong(
            "No number belongs to the application, so callers cannot reach it: assign a number in "
            "the portal under Numbers."
        )


def _rights(account: Account, current: Json) -> Iterator[Finding]:
    """Try the requests with which the functions reconcile. Dialing would place a call: untried."""
    account.ask("read calls", "GET", f"/connections/{path_segment(current['id'])}/active_calls")
    account.ask("read AI conversations", "GET", "/ai/conversations", query={"limit": "1"})
    account.ask("read call events", "GET", "/call_events", query={"page[size]": "1"})
    yield ok("The API key may read calls, call events and AI conversations.")


def _failed_deliveries(account: Account, application_id: str) -> Finding:
    """Count the webhooks of the application that did not arrive (GET /webhook_deliveries)."""
    since = datetime.now(UTC) - DELIVERIES_SINCE
    query = {"filter[status][eq]": "failed", "filter[started_at][gte]": since.isoformat()}
    try:
        rows = account.list_all("read webhook deliveries", "/webhook_deliveries", query)
    except AccountError as error:
        return untried("the deliveries of webhooks", str(error))
    webhooks = [row.get("webhook") or {} for row in rows]
    kinds = Counter(
        str(webhook.get("event_type"))
        for webhook in webhooks
        if (webhook.get("payload") or {}).get("connection_id") == application_id
    )
    if not kinds:
        return ok("No delivery of a webhook has failed within the last hour.")
    named = ", ".join(f"{kind} ({count})" for kind, count in sorted(kinds.items()))
    return note(
        f"Webhooks that were not delivered within the last hour: {named}. The logs of the "
        "functions say why."
    )


def _assistant(
    account: Account, context: Context, assistant_id: str, application_id: str
) -> Iterator[Finding]:
    assistant = tools.stored_assistant(account, assistant_id)
    yield from assistant_settings.notes(assistant, context.max_minutes)
    if not skip_turn.has_tool(assistant):
        yield note(
            f"{assistant_id} lacks Telnyx's Skip Turn tool, so a silent assistant answers at every "
            f"turn: run `partyline connect --assistant {assistant_id}`."
        )
    existing = {tool.name: tool for tool in tools.webhook_tools(assistant)}
    for name, body in tools.tool_definitions(context.url, application_id).items():
        url = body["webhook"]["url"]
        finding = _tool(existing.get(name), name, url, assistant_id)
        yield finding
        if finding.verdict != "ok" or name != "status":
            continue  # a test of another tool would dial
        tool_id = tools.find_shared_tool(account, body["display_name"])
        if tool_id:
            yield _tool_test_result(tools.run_tool_test(account, assistant_id, tool_id), url)
        else:
            yield untried(
                SIGNED_BY_TELNYX,
                f"Telnyx can test a tool of the account's library only, and {name} of "
                f"{assistant_id} is not in the library: remove the tool, and run "
                f"`partyline connect --assistant {assistant_id}`.",
            )


def _tool(tool: tools.Webhook | None, name: str, url: str, assistant_id: str) -> Finding:
    if tool is None:
        return wrong(
            f"{assistant_id} lacks the tool {name}: run `partyline connect --assistant "
            f"{assistant_id}`."
        )
    if tool.url != url:
        return wrong(f"The tool {name} of {assistant_id} goes to {tool.url}, not {url}.")
    return check(
        "call_control_id" in tool.preset,
        f"{assistant_id} has the tool {name}.",
        f"The tool {name} of {assistant_id} does not say which call it is for: remove the tool, "
        "and run `partyline connect --assistant` again.",
    )


def _signature_untried(context: Context) -> Finding:
    """Say how to check TelnyxPublicKeys. Neither Telnyx's API nor the deployment shows a key."""
    if context.signing_seed:
        return untried(
            SIGNED_BY_TELNYX,
            "Your test key does not prove that Telnyx's key is right: with --assistant Telnyx "
            "itself signs a request, which shows whether TelnyxPublicKeys has the account's key.",
        )
    return untried(
        "a signed round trip",
        "TelnyxPublicKeys may be wrong, and every webhook refused: with --assistant Telnyx itself "
        "signs a request, with --signing-key a key of your own does.",
    )


def _tool_test_result(status: int, url: str) -> Finding:
    if status == 200:
        return ok("A request that Telnyx itself has signed is accepted.")
    if status == 401:
        return wrong(
            "A request that Telnyx itself has signed is refused (401): TelnyxPublicKeys is not the "
            "public key of this account, which the portal shows; deploy with that key."
        )
    got = f"gets {status}" if status else "gets no answer"
    return wrong(f"A request from Telnyx to {url} {got}: the function's log says more.")


def _clock(account: Account) -> Iterator[Finding]:
    ahead = account.clock_ahead
    if ahead is None:
        yield wrong(
            "Telnyx's clock could not be compared with this machine's: the answers had no time."
        )
        return
    secs = round(abs(ahead.total_seconds()))
    way = "ahead of" if ahead > timedelta(0) else "behind"
    yield check(
        abs(ahead) <= CLOCK_TOLERANCE,
        f"This clock and Telnyx's differ by {secs} s.",
        f"This clock is {secs} seconds {way} Telnyx's, and signatures older or newer than 300 "
        "are refused: set the clock by the network.",
    )

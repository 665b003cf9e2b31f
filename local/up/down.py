"""`partyline down`: restores the Telnyx account and deletes the stack, all but the table."""

from contextlib import closing

from local.connect.account import Account, NotFoundError, path_segment
from local.connect.records import Record
from local.connect.restore import restore_or_switch_off
from local.up.choices import APPLICATION
from local.up.stack import StackState
from local.up.up import Request, Surroundings, telnyx_key

_STAYS = (
    "SAM's bucket for artifacts (the stack aws-sam-cli-managed-default) stays: other stacks of the "
    "account use the bucket too."
)


class CallsAreUpError(Exception):
    """Calls of the application are up. The text is for the user."""


def down(request: Request, around: Surroundings, *, with_calls: bool = False) -> None:
    """Restore the Telnyx account, then delete the stack. The table stays with its data.

    A second run after a failure does the rest. Raises CallsAreUpError unless `with_calls`, and the
    errors of its parts.
    """
    state = around.stack.settle()
    record = _record(request, around, state)
    if record is None:
        around.say("Telnyx: this machine has no record of changes, so nothing is restored there.")
    else:
        key = telnyx_key(request.telnyx_key, state, around)
        with closing(around.open_account(key)) as account:
            if not with_calls:
                _refuse_calls(account, record.application_id)
            for line in restore_or_switch_off(account, around.records, record):
                around.say(line)
    table = state.outputs.get("TableName") if state else None
    if table:
        around.say(
            f"The table {table} stays with its conversations. To delete the table: "
            f"aws dynamodb delete-table --table-name {table}"
        )
    if state:
        around.say(f"Deleting the stack {around.stack.name}: this takes some minutes.")
    if around.stack.delete():
        around.say(f"deleted the stack {around.stack.name}")
    around.operator_key.delete()
    around.earlier.delete()
    around.say(_STAYS)


def _record(request: Request, around: Surroundings, state: StackState | None) -> Record | None:
    """Return the record of the application: as requested, deployed, or made by an earlier run."""
    deployed = state.parameters.get(APPLICATION, "") if state else ""
    earlier = around.earlier.read().get(APPLICATION)
    candidates = filter(None, (request.application_id, deployed, earlier))
    return next(filter(None, map(around.records.find, candidates)), None)


def _refuse_calls(account: Account, application_id: str) -> None:
    """Raise CallsAreUpError if the application has active calls."""
    path = f"/connections/{path_segment(application_id)}/active_calls"
    try:
        calls = account.ask("read calls", "GET", path).get("data", [])
    except NotFoundError:
        return
    if calls:
        raise CallsAreUpError(
            f"{len(calls)} or more calls are up. End the calls first, or give --with-calls: the "
            "calls then go on without Partyline, at your cost."
        )

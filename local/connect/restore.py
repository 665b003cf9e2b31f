"""Restores the Telnyx account: everything that `connect` and `up` have changed."""

from local.connect import application, numbers, profiles, skip_turn, tools
from local.connect.account import Account
from local.connect.records import Record, Records


def restore(account: Account, records: Records, record: Record) -> list[str]:
    """Give numbers back, restore or delete the application, remove tools and profile.

    Returns a line for each change, and deletes the record. Raises an AccountError; a second run
    then does the rest. HasNumbersError: an application that Partyline created still has numbers.
    """
    changes = numbers.give_back(account, record)
    changes += application.disconnect(account, record)
    changes += _remove_additions(account, record)
    records.delete(record)
    return changes


def restore_or_switch_off(account: Account, records: Records, record: Record) -> list[str]:
    """Restore the account. An application that still has numbers is switched off instead.

    The record of a switched-off application stays, so that `restore` can finish later.
    """
    try:
        return restore(account, records, record)
    except application.HasNumbersError:
        changes = application.switch_off(account, record)
        changes += _remove_additions(account, record)
        name = f"the application {record.application_id}"
        return [
            *changes,
            f"{name} stays, switched off, because numbers belong to it: take the numbers from the "
            "application in the portal under Numbers, then run `partyline disconnect "
            f"--application {record.application_id}`",
        ]


def _remove_additions(account: Account, record: Record) -> list[str]:
    return [
        *tools.remove_tools(account, record),
        *skip_turn.remove(account, record),
        *profiles.remove(account, record),
    ]

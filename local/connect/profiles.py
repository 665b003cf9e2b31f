"""The outbound voice profile of an application: without a profile no number can be dialled.

Telnyx API: /outbound_voice_profiles.
"""

from collections.abc import Sequence

from local.connect.account import Account, Json, NotAllowedError, NotFoundError, path_segment
from local.connect.records import Record, Records

PATH = "/outbound_voice_profiles"
READ = "read outbound voice profiles"
CHANGE = "change outbound voice profiles"


def profile_of(application: Json) -> str | None:
    """Return the id of an application's outbound voice profile."""
    profile_id: str | None = (application.get("outbound") or {}).get("outbound_voice_profile_id")
    return profile_id or None


def choose(
    account: Account,
    records: Records,
    record: Record,
    application: Json,
    name: str,
    countries: Sequence[str],
) -> tuple[str, list[str]]:
    """Return the id of the profile for an application, and a line for each change.

    The choice is the application's own profile, else the account's only enabled profile, else the
    profile called `name`. Partyline creates a profile of this name for calls to `countries` when
    the account has none or several.
    """
    own = profile_of(application)
    if own:
        return own, []
    profiles = account.list_all(READ, PATH, {})
    named = [profile for profile in profiles if profile["name"] == name]
    enabled = [profile for profile in profiles if profile.get("enabled")]
    if named or len(enabled) == 1:
        return str((named or enabled)[0]["id"]), []
    # Before the request: when the answer is lost, the profile is still known as Partyline's.
    record.profile = name
    records.save(record)
    body: Json = {"name": name, "whitelisted_destinations": list(countries)}
    profile_id = str(account.request_object(CHANGE, "POST", PATH, body)["id"])
    return profile_id, [f"made the outbound voice profile {name}, {profile_id}"]


def remove(account: Account, record: Record) -> list[str]:
    """Delete the profile that Partyline created. Returns a line for each change."""
    if record.profile is None:
        return []
    profiles = account.list_all(READ, PATH, {})
    changes = []
    for profile_id in (row["id"] for row in profiles if row["name"] == record.profile):
        try:
            account.ask(CHANGE, "DELETE", f"{PATH}/{path_segment(profile_id)}")
        except NotFoundError:
            continue
        except NotAllowedError as error:  # another application may use the profile by now
            changes.append(f"the outbound voice profile {record.profile} stays: {error}")
            continue
        changes.append(f"removed the outbound voice profile {record.profile}, {profile_id}")
    return changes

"""The people of a conversation in the arguments of commands: names, ids and phone numbers."""

from typing import Any

import typer

from local.cli.common import UnknownIdError
from local.cli.summary import name_of

Json = dict[str, Any]

_SHORT_ID_CHARS = 4


def find_person(conversation: Json, text: str) -> Json:
    """Return the participant with an id, the first characters of an id, or a name.

    The newest of several people with the same name counts. Raises UnknownIdError.
    """
    people: list[Json] = conversation.get("participants", [])
    name, short = text.casefold(), text.removeprefix("guest-")
    by_id = [person for person in people if person["id"] == text]
    by_name = [person for person in people if (person["name"] or "").casefold() == name]
    by_short_id = [
        person
        for person in people
        if len(short) >= _SHORT_ID_CHARS and person["id"].removeprefix("guest-").startswith(short)
    ]
    for found in (by_id, by_name, by_short_id):
        if found:
            return found[-1]
    known = ", ".join(map(name_of, people)) or "nobody"
    raise UnknownIdError(f"“{text}” is not in the conversation. In the conversation: {known}.")


def check_numbers(numbers: list[str] | None) -> list[str] | None:
    """Return phone numbers unchanged. Raises BadParameter for a text that is no phone number.

    SIP addresses, and digits to send after the answer, are left to the API.
    """
    from local.layer import use_layer

    use_layer()
    from partyline.domain.numbers import normal_number

    for number in numbers or ():
        plain = number.partition(",")[0]
        if "@" not in number and normal_number(plain) is None:
            raise typer.BadParameter(
                f"“{number}” is no phone number: write the country code too, as in +13125550100."
            )
    return numbers

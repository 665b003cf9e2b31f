"""Contacts of routes, without a number."""

from collections.abc import Callable

from partyline.domain.model.routes import StoredRoute


def without_number(route: StoredRoute, is_number: Callable[[str], bool]) -> tuple[StoredRoute, int]:
    """Return a route whose contacts lack a number, and how many contacts had the number.

    A contact without another number is left out.
    """
    contacts, removed = {}, 0
    for name, contact in route.contacts.items():
        to = contact.get("to") or []
        numbers = [to] if isinstance(to, str) else to
        left = [number for number in numbers if not is_number(number)]
        removed += len(left) < len(numbers)
        if left or not numbers:
            contacts[name] = contact if len(left) == len(numbers) else {**contact, "to": left}
    return (route.model_copy(update={"contacts": contacts}) if removed else route), removed

"""What may be dialled: numbers with an allowed beginning, and what a deployment adds to them.

A SIP address, and digits that are sent after the answer, go round the list of beginnings: a PBX may
carry a call anywhere. So each is refused unless it is switched on.
"""

import re
from dataclasses import dataclass

SIP_ADDRESS = re.compile(r"sips?:[A-Za-z0-9_.~+-]{1,64}@([a-z0-9.-]{1,253})", re.ASCII)
"""A SIP address as Telnyx takes it, without parameters; the domain in lower case."""

DIGITS = re.compile(r"[0-9w*#]{1,32}", re.ASCII)
"""What may follow a number and its comma; a `w` waits (Telnyx API: POST /calls)."""


@dataclass(frozen=True)
class Destinations:
    """Where calls may go."""

    prefixes: tuple[str, ...]
    sip_domains: tuple[str, ...] = ()
    digits: bool = False

    def refusal(self, to: str) -> str | None:
        """Why calls may not go to `to`; None when they may."""
        address = SIP_ADDRESS.fullmatch(to)
        if address:
            known = address[1] in self.sip_domains
            return None if known else "a SIP address of that domain cannot be dialled here"
        if without_digits(to) != to and not self.digits:
            return "digits after the number cannot be dialled here"
        return None if to.startswith(self.prefixes) else "calls may not go there"


def without_digits(to: str) -> str:
    """The number that is called, without the digits that follow it."""
    return to.partition(",")[0]

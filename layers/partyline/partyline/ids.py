"""Ids that are derived, so that the same beginning makes the same conversation each time.

None of them can be turned back into a phone number or a call.
"""

from hashlib import sha256
from uuid import UUID, uuid4, uuid5

_CALL = UUID("a1c5d0f4-6e0b-4c57-9a34-1c7f8d6f9b01")
_REQUEST = UUID("a1c5d0f4-6e0b-4c57-9a34-1c7f8d6f9b02")


def conversation_id_for_call(call_control_id: str) -> str:
    """The conversation that an incoming call, or an assistant attached to a call, begins."""
    return str(uuid5(_CALL, call_control_id))


def fingerprint(*parts: str) -> str:
    """A hash of several texts, none of which can be shifted into its neighbour."""
    digest = sha256()
    for part in parts:
        digest.update(f"{len(part)}:{part}".encode())
    return digest.hexdigest()


def conversation_id_for_request(request: str | None) -> str:
    """The conversation that a request begins: by its fingerprint, or a new one each time."""
    return str(uuid5(_REQUEST, request) if request else uuid4())


def participant_id_for_request(request: str | None, nth: int = 0) -> str:
    """The participant that a request brings in: by its fingerprint, or a new one each time."""
    unique = uuid5(_REQUEST, f"{request}/{nth}") if request else uuid4()
    return f"guest-{unique.hex[:12]}"

"""Derived ids: the same request or call always makes the same conversation.

No id can be turned back into a phone number or a call.
"""

from hashlib import sha256
from uuid import UUID, uuid4, uuid5

_CALL = UUID("a1c5d0f4-6e0b-4c57-9a34-1c7f8d6f9b01")
_REQUEST = UUID("a1c5d0f4-6e0b-4c57-9a34-1c7f8d6f9b02")


def conversation_id_for_call(call_control_id: str) -> str:
    """Return the id of the conversation that an incoming call begins."""
    return str(uuid5(_CALL, call_control_id))


def fingerprint(*parts: str) -> str:
    """Hash several texts, each with its length, so that no text can be shifted into the next."""
    digest = sha256()
    for part in parts:
        digest.update(f"{len(part)}:{part}".encode())
    return digest.hexdigest()


def conversation_id_for_request(request: str | None) -> str:
    """Return a conversation id: derived from a request's fingerprint, or new each time."""
    return str(uuid5(_REQUEST, request) if request else uuid4())


def participant_id_for_request(request: str | None, nth: int = 0) -> str:
    """Return a participant id: derived from a request's fingerprint, or new each time."""
    unique = uuid5(_REQUEST, f"{request}/{nth}") if request else uuid4()
    return f"guest-{unique.hex[:12]}"


def handover_id_for_request(request: str | None) -> str:
    """Return a handover id: derived from a request's fingerprint, or new each time."""
    return participant_id_for_request(request).replace("guest", "handover")

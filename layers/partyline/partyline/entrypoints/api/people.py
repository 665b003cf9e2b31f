"""The routes that erase people, and the receipts of erasures."""

from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import WithJsonSchema

from partyline.entrypoints.api import app as api
from partyline.entrypoints.api import responses
from partyline.services.bearer_keys import Right
from partyline.services.errors import field_invalid
from partyline.services.requests import PhoneNumber

people = api.KeyRouter(Right.ERASE)

DELETE, KEEP = "delete", "keep"
"""The values of the parameter `do_not_call`."""

Number = Annotated[PhoneNumber, Path()]
ErasureId = Annotated[str, Path(alias="id"), WithJsonSchema(api.ID_SCHEMA)]
DoNotCall = Annotated[str, Query(), WithJsonSchema({"type": "string", "enum": [KEEP, DELETE]})]


@people.delete("/people/<number>", responses=api.answers({202: responses.Erasure}))
def erase_person(number: Number, do_not_call: DoNotCall = KEEP) -> Response[Any]:
    """Erase a person everywhere; `do_not_call=delete` also erases the entry of that list."""
    api.check_query("do_not_call")
    if do_not_call not in (KEEP, DELETE):
        raise field_invalid("do_not_call", f"{KEEP} or {DELETE}")
    erasures, key_id = api.app().erasure_requests, api.change().key_id
    erasure = erasures.erase_person(number, key_id, do_not_call=do_not_call == DELETE)
    return api.respond(responses.Erasure.of(erasure), 202)


@people.get("/erasures/<id>", responses=api.answers({200: responses.Erasure}))
def get_erasure(erasure_id: ErasureId) -> Response[Any]:
    """Get the receipt of an erasure: counts and times, and no person."""
    erasure = api.app().erasure_requests.get(api.conversation_id_of(erasure_id))
    return api.respond(responses.Erasure.of(erasure))

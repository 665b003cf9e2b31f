"""`partyline trigger`: a signed webhook that is made from a fixture."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from local.cli import common
from local.cli.api import Api, api_command, complete_id
from local.cli.people import find_person
from local.cli.summary import name_of

_NOTES = {
    "ignored": "Ignored: the type, or the call, concerns no conversation. "
    "--conversation names a call that is up.",
    "duplicate": "The webhook has been processed before.",
}


def _event_types() -> list[str]:
    from local.stack.webhook_fixtures import fixtures

    return sorted(fixtures())


def _check_event_type(event_type: str) -> str:
    if event_type not in _event_types():
        known = ", ".join(_event_types())
        raise typer.BadParameter(f"{event_type!r} has no fixture in events/. Choose from {known}.")
    return event_type


EventType = Annotated[
    str,
    typer.Argument(
        metavar="EVENT.TYPE",
        help="A fixture.",
        callback=_check_event_type,
        autocompletion=_event_types,
    ),
]
Changes = Annotated[
    list[str] | None,
    common.option("FIELD=VALUE", "Change a field; can be repeated.", None, "--set"),
]
NewFields = Annotated[
    list[str] | None,
    common.option(
        "FIELD=VALUE", "Add a field that the fixture lacks; can be repeated.", None, "--new"
    ),
]
OfConversation = Annotated[
    str | None,
    common.option(
        "ID",
        "Fill in the call of a conversation, whose id may be short or `newest`.",
        None,
        "--conversation",
        autocompletion=complete_id,
    ),
]
OfPerson = Annotated[
    str | None, common.option("PERSON", "The person of that call.", "the host", "--person")
]


@common.examples(
    "partyline trigger call.hangup --conversation newest",
    "partyline trigger call.hangup --conversation 402ec47c --person Dana "
    "--set payload.hangup_cause=user_busy",
    "partyline trigger call.initiated --set payload.from=+13125550123",
)
@api_command
def trigger(
    api: Api,
    event_type: EventType,
    changes: Changes = None,
    new: NewFields = None,
    conversation: OfConversation = None,
    person: OfPerson = None,
    signing_key: common.SigningKeyFile = None,
) -> None:
    """Send a signed webhook that is made from a fixture.

    The fixtures are in events/. The webhook has the time of now. Without --signing-key, the key of
    the running `partyline dev` signs the webhook, else the published test key.
    """
    import httpx

    from local import credentials
    from local.simulator.signing import Signer, read_seed
    from local.stack.webhook_fixtures import body_of

    if person and not conversation:
        raise typer.BadParameter("--person needs --conversation")
    call = _call_of(api, event_type, conversation, person) if conversation else []
    with common.exit_on(ValueError, OSError, status=common.MISUSED):
        if signing_key is None and credentials.read(credentials.SIGNING_KEY):
            signing_key = credentials.folder() / credentials.SIGNING_KEY
        signer = Signer(read_seed(signing_key)) if signing_key else Signer()
        now = datetime.now(UTC)
        event_id, body = body_of(event_type, [*call, *(changes or ())], new or (), now)
    with common.progress(f"Waiting for {api.url} ..."):
        response = httpx.post(
            f"{api.url}/webhooks/{event_type}",
            content=body,
            headers=signer.headers(body),
            timeout=30,
            trust_env=False,
        )
    result = {"event_id": event_id, "status": response.status_code, "answer": response.text}
    lines = (f"--> {event_type} [{event_id}]", f"<-- [{response.status_code}] {response.text}")
    api.print_result(result, *lines, note=_note(response))
    raise typer.Exit(0 if response.is_success else common.FAILED)


def _call_of(api: Api, event_type: str, conversation: str, person: str | None) -> list[str]:
    """Return the changes that put the newest call of a person into the payload."""
    from local.stack.webhook_fixtures import data_of

    conversation_id = api.conversation_id(conversation, newest=True)
    participant = find_person(api.ask("GET", f"/conversations/{conversation_id}"), person or "host")
    calls = [leg for leg in participant["legs"] if leg["call_control_id"]]
    if not calls:
        raise common.UnknownIdError(f"{name_of(participant)} has no call yet.")
    payload = data_of(event_type)["payload"]
    names = ("call_control_id", "from", "to")
    return [f"payload.{name}={calls[-1][name]}" for name in names if name in payload]


def _note(response: Any) -> str:
    """Return a sentence about an answer that may surprise; empty for any other answer."""
    if response.status_code == 401:
        return "The signature is refused: --signing-key names the key of that deployment."
    try:
        answer = response.json()
    except ValueError:
        return ""
    return _NOTES.get(str(answer.get("status")), "") if isinstance(answer, dict) else ""

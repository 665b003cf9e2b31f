"""The commands that start, change and stop a conversation."""

import sys
from typing import Annotated, Any, Literal

import typer

from local.cli import common
from local.cli.api import Api, ConversationId, api_command
from local.cli.people import check_numbers, find_person
from local.cli.summary import name_of
from local.cli.watch import follow
from local.printing import SHORT_ID_CHARS

Json = dict[str, Any]

Mode = Literal["speaking", "silent", "away"]
Then = Literal["stay", "silent", "away"]
Role = Literal["system", "user", "assistant", "developer"]

_NUMBER_HELP = "Phone numbers in E.164, such as +13125550111. Several are tried in their order."
Numbers = Annotated[
    list[str] | None,
    typer.Argument(metavar="NUMBER", help=_NUMBER_HELP, callback=check_numbers),
]
Name = Annotated[str | None, common.option("NAME", "The person's name.", None, "--name")]
From = Annotated[
    str | None,
    common.option("NUMBER", "The number to call from.", "the deployment's default", "--from"),
]
Fields = Annotated[
    list[str] | None,
    common.option(
        "FIELD=VALUE",
        "Set any other field of the request (docs/api.md); can be repeated.",
        None,
        "--set",
    ),
]
AtOnce = Annotated[bool, typer.Option("--at-once", help="Call all numbers at once.")]
Say = Annotated[
    str | None,
    common.option("TEXT", "A sentence for the person, who then presses 1 to join.", None, "--say"),
]
Brief = Annotated[
    str | None,
    common.option("TEXT", "Why the person is called; the caller never hears it.", None, "--brief"),
]


@common.examples(
    "partyline call +13125550111 --name Robin",
    'ID=$(partyline call +13125550111 --greeting "Hello Robin, this is about your order.")',
    "partyline call +13125550111 --watch",
    "partyline call +13125550111 --at 2027-01-04T15:00:00Z",
    "partyline call +13125550111 --set machine_detection=premium --set metadata.ticket=4711",
)
@api_command
def call(  # noqa: PLR0913, PLR0917 each argument is an option of the command
    api: Api,
    numbers: Numbers = None,
    name: Name = None,
    from_: From = None,
    assistant: Annotated[
        str | None, common.option("ID", "The assistant.", "the deployment's default")
    ] = None,
    greeting: Annotated[str | None, common.option("TEXT", "The assistant's first words.")] = None,
    at: Annotated[
        str | None, common.option("TIME", "Start at this time, such as 2027-01-04T15:00:00Z.")
    ] = None,
    fields: Fields = None,
    watch: Annotated[bool, typer.Option("--watch", help="Follow the conversation.")] = False,
) -> None:
    """Call a person and start the assistant. Prints the conversation's id.

    The assistant starts when the person answers. Without a NUMBER, --set call_control_id=ID puts
    the assistant on a live call.
    """
    settings = {"id": assistant, "greeting": greeting}
    body = {**_to(numbers), "name": name, "from": from_, "start_at": at, "assistant": settings}
    answer = api.ask("POST", "/conversations", _body(body, fields))
    conversation_id = answer["id"]
    short = conversation_id[:SHORT_ID_CHARS]
    note = (
        f"Calling {name or ' '.join(numbers or ['the live call'])}. Next: partyline watch {short}"
    )
    if at:
        note = f"Scheduled. To cancel the start: partyline conversations cancel {short}"
    api.print_result(answer, conversation_id, note=note)
    if watch:
        follow(api, conversation_id)


@common.examples(
    "partyline invite 402ec47c +13125550112 --name Dana",
    "partyline invite 402ec47c +13125550113 +13125550112 --name Dana --say 'Press 1 to join.'",
    'partyline invite "$ID" +13125550115 +13125550116 --at-once --name "The night shift"',
)
@api_command
def invite(  # noqa: PLR0913, PLR0917 each argument is an option of the command
    api: Api,
    conversation: ConversationId,
    numbers: Numbers = None,
    name: Name = None,
    from_: From = None,
    at_once: AtOnce = False,
    say: Say = None,
    brief: Brief = None,
    fields: Fields = None,
) -> None:
    """Call a person into a conversation. Prints the person's id."""
    body = _invitation(numbers, name, from_, at_once=at_once, say=say, brief=brief)
    path = f"/conversations/{api.conversation_id(conversation)}/participants"
    answer = api.ask("POST", path, _body(body, fields))
    api.print_result(answer, answer["id"], note=f"Calling {name_of(answer)}.")


@common.examples(
    'partyline handover 402ec47c +13125550112 --name Dana --brief "An order has not come."',
    "partyline handover 402ec47c +13125550112 --then away",
    "partyline handover 402ec47c --person Dana --then silent",
)
@api_command
def handover(  # noqa: PLR0913, PLR0917 each argument is an option of the command
    api: Api,
    conversation: ConversationId,
    numbers: Numbers = None,
    name: Name = None,
    from_: From = None,
    at_once: AtOnce = False,
    say: Say = None,
    brief: Brief = None,
    then: Annotated[
        Then | None, typer.Option(help="The assistant's mode after the person has joined.")
    ] = None,
    person: Annotated[
        str | None,
        common.option("PERSON", "A person of the conversation, in place of numbers."),
    ] = None,
    fields: Fields = None,
) -> None:
    """Hand a conversation over to a person. Prints the handover's id.

    With --then, the assistant stays, is silent, or goes away as soon as the person is on the line.
    """
    body = _invitation(numbers, name, from_, at_once=at_once, say=say, brief=brief)
    path = f"/conversations/{api.conversation_id(conversation)}"
    if person:
        body["participant_id"] = find_person(api.ask("GET", path), person)["id"]
    answer = api.ask("POST", f"{path}/handover", _body({**body, "then": then}, fields))
    api.print_result(answer, answer["id"], note="The handover has begun.")


@common.examples("partyline mode 402ec47c silent", "partyline mode 402ec47c speaking")
@api_command
def mode(
    api: Api,
    conversation: ConversationId,
    mode: Annotated[
        Mode, typer.Argument(help="The assistant speaks, listens only, or leaves the people alone.")
    ],
) -> None:
    """Let the assistant speak, be silent, or go away."""
    path = f"/conversations/{api.conversation_id(conversation)}/assistant"
    answer = api.ask("POST", path, {"mode": mode})
    api.print_result(answer, note=f"The assistant is to be {mode}.")


@common.examples(
    'partyline tell 402ec47c "Robin is a customer of ten years: be generous."',
    'partyline tell 402ec47c --answer "Say goodbye now."',
    "partyline tell 402ec47c - < notes.txt",
)
@api_command
def tell(
    api: Api,
    conversation: ConversationId,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The message; - reads stdin.")],
    role: Annotated[Role, typer.Option(help="The message's role.")] = "system",
    answer_now: Annotated[
        bool, typer.Option("--answer", help="Let the assistant answer at once.")
    ] = False,
) -> None:
    """Send the assistant a message that the people do not hear."""
    content = sys.stdin.read().strip() if text == "-" else text
    path = f"/conversations/{api.conversation_id(conversation)}/messages"
    body = {"role": role, "content": content, "trigger_response": answer_now}
    api.print_result(api.ask("POST", path, body), note="The assistant gets the message.")


@common.examples("partyline remove 402ec47c Dana", "partyline remove 402ec47c guest-f1ed6d9c3091")
@api_command
def remove(
    api: Api,
    conversation: ConversationId,
    person: Annotated[str, typer.Argument(metavar="PERSON", help="The person's name or id.")],
) -> None:
    """Hang up a person's call, or stop calling a person."""
    conversation_id = api.conversation_id(conversation)
    participant = find_person(api.ask("GET", f"/conversations/{conversation_id}"), person)
    path = f"/conversations/{conversation_id}/participants/{participant['id']}"
    api.print_result(api.ask("DELETE", path), note=f"{name_of(participant)} is removed.")


@common.examples("partyline stop 402ec47c", "partyline stop 402ec47c --hang-up")
@api_command
def stop(
    api: Api,
    conversation: ConversationId,
    hang_up: Annotated[bool, typer.Option("--hang-up", help="Hang up every call too.")] = False,
) -> None:
    """Stop the assistant. Without --hang-up the calls stay up."""
    path = f"/conversations/{api.conversation_id(conversation)}/stop"
    answer = api.ask("POST", path, {"hang_up": hang_up})
    staying = answer.get("staying_up", [])
    calls = ", ".join(leg["participant_id"] for leg in staying)
    note = f"The conversation stops; these calls stay up: {calls}." if staying else "It stops."
    api.print_result(answer, note=note)


def _invitation(
    numbers: list[str] | None,
    name: str | None,
    from_: str | None,
    *,
    at_once: bool,
    say: str | None,
    brief: str | None,
) -> Json:
    """Return the fields that an invitation and a handover share."""
    strategy = "at_once" if at_once else None
    return {
        **_to(numbers),
        "name": name,
        "from": from_,
        "strategy": strategy,
        "screening": {"say": say},
        "brief": brief,
    }


def _to(numbers: list[str] | None) -> Json:
    if not numbers:
        return {}
    return {"to": numbers[0] if len(numbers) == 1 else numbers}


def _body(fields: Json, changes: list[str] | None) -> Json:
    """Return a request's body: the fields that are set, then the changes of --set."""
    from local.stack.webhook_fixtures import set_field

    body: Json = {}
    for name, value in fields.items():
        known = _set_only(value) if isinstance(value, dict) else value
        if known not in (None, {}):
            body[name] = known
    with common.exit_on(ValueError, status=common.MISUSED, prefix="--set "):
        for change in changes or ():
            set_field(body, change, may_add=True)
    return body


def _set_only(fields: Json) -> Json:
    return {name: value for name, value in fields.items() if value is not None}

"""`partyline export` and `partyline replay`: their options and their output."""

from pathlib import Path
from typing import Annotated, Any

import typer

from local.cli import common
from local.cli.api import AnyConversationId, Api, api_command

ReplayFile = Annotated[Path, typer.Argument(metavar="FILE", help="A file of `partyline export`.")]


@common.examples("partyline export newest", "partyline export 402ec47c --to call.replay")
@api_command
def export(
    api: Api,
    conversation: AnyConversationId,
    to: Annotated[Path | None, common.option("FILE", "The file to write.", "ID.replay")] = None,
) -> None:
    """Write a conversation into a file.

    The file has stand-ins for numbers, names and texts.
    """
    from local.layer import use_layer
    from local.replay import replay_file

    use_layer()
    from local.replay.export import ExportError, recorded_steps, with_stand_ins

    conversation_id = api.conversation_id(conversation, newest=True)
    path = to or Path(f"{conversation_id}.replay")
    with common.progress("Reading the conversation ..."):
        parts = api.client.steps(conversation_id), api.client.timeline(conversation_id)
    with common.exit_on(ExportError, OSError, prefix="Not exported: "):
        steps, left_out = recorded_steps(*parts)
        replay_file.write(path, with_stand_ins(steps))
    result = {"file": str(path), "steps": len(steps), "left_out": left_out}
    api.print_result(result, f"{len(steps)} steps in {path}")
    if left_out:
        common.print_error(f"Not the whole conversation: {left_out}.")


@common.examples(
    "partyline replay call.replay",
    "partyline replay call.replay --handlers",
    "partyline replay call.replay --bisect v1.0 main",
)
def replay(
    file: ReplayFile,
    handlers: Annotated[
        bool, typer.Option("--handlers", help="Replay through the real handlers and the engine.")
    ] = False,
    bisect: Annotated[
        tuple[str, str] | None,
        common.option("GOOD BAD", "Name the first commit that decides differently."),
    ] = None,
    as_json: common.AsJson = False,
) -> None:
    """Decide the conversation of a file again.

    Compares events and commands byte for byte. Ends with 1 if a step is decided differently.
    """
    from local.layer import use_layer
    from local.replay import driver, replay_file
    from local.replay.bisection import BisectionError, find_first_bad
    from local.replay.report import difference_lines

    if handlers and bisect:
        raise typer.BadParameter("--handlers is not possible with --bisect")
    refused = common.exit_on(
        replay_file.ReplayFileError, driver.CannotReplayError, BisectionError, status=2
    )
    use_layer()
    commit: str | None = None
    difference: dict[str, Any] | None
    with refused, common.progress("Deciding the conversation again ..."):
        steps = replay_file.read(file)
        if bisect:
            found = find_first_bad(file, *bisect)
            commit, difference = f"{found.commit} {found.subject}", found.difference
        elif handlers:
            from local.replay.handlers import embedded_replay

            with embedded_replay() as deployment:
                conversation_id = replay_file.conversation_id_of(steps)
                difference = deployment.replay(conversation_id, steps)
        else:
            difference = driver.replay(steps)
    if as_json:
        common.print_json({"steps": len(steps), "first_bad": commit, "difference": difference})
    else:
        _print_replay(len(steps), commit, difference_lines(difference) if difference else [])
    raise typer.Exit(common.FAILED if difference and not bisect else 0)


def _print_replay(steps: int, commit: str | None, difference: list[str]) -> None:
    if commit:
        common.print_line(commit)
    for line in difference or [f"{steps} steps are decided as recorded."]:
        common.print_line(line)

"""`partyline export` and `partyline replay`: their options and their output."""

from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

from local.cli import common

ReplayFile = Annotated[Path, typer.Argument(metavar="FILE", help="A file of `partyline export`.")]


def export(
    conversation_id: Annotated[str, typer.Argument(metavar="ID", help="The conversation's id.")],
    url: common.ApiUrl = common.LOCAL_URL,
    key_from: common.BearerKeyFile = None,
    to: Annotated[Path | None, common.option("FILE", "The file to write.", "ID.replay")] = None,
) -> None:
    """Write a conversation into a file, with stand-ins for numbers, names and texts."""
    import httpx

    from local.client import ApiRefusedError, Client
    from local.layer import use_layer
    from local.replay import replay_file

    use_layer()
    from local.replay.export import ExportError, recorded_steps, with_stand_ins

    errors = (ApiRefusedError, common.KeyUnreadableError, httpx.HTTPError, ExportError, OSError)
    path = to or Path(f"{conversation_id}.replay")
    with common.exit_on(*errors, prefix="Not exported: "):
        with closing(Client(url.rstrip("/"), common.bearer_key(key_from, url))) as client:
            parts = client.steps(conversation_id), client.timeline(conversation_id)
        steps, left_out = recorded_steps(*parts)
        replay_file.write(path, with_stand_ins(steps))
    common.stdout().print(f"{len(steps)} steps in {path}", soft_wrap=True)
    if left_out:
        common.print_error(f"Not the whole conversation: {left_out}.")


def replay(
    file: ReplayFile,
    handlers: Annotated[
        bool, typer.Option("--handlers", help="Replay through the real handlers and the engine.")
    ] = False,
    bisect: Annotated[
        tuple[str, str] | None,
        common.option("GOOD BAD", "Name the first commit that decides differently."),
    ] = None,
) -> None:
    """Decide a file's conversation again, and compare events and commands byte for byte."""
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
    out = common.stdout()
    with refused:
        steps = replay_file.read(file)
        if bisect:
            found = find_first_bad(file, *bisect)
            difference: dict[str, Any] | None = found.difference
            out.print(f"{found.commit} {found.subject}", soft_wrap=True)
        elif handlers:
            from local.replay.handlers import embedded_replay

            with embedded_replay() as deployment:
                difference = deployment.replay(replay_file.conversation_id_of(steps), steps)
        else:
            difference = driver.replay(steps)
    if difference is None:
        out.print(f"{len(steps)} steps are decided as recorded.")
        return
    for line in difference_lines(difference):
        out.print(line, soft_wrap=True)
    raise typer.Exit(1 if not bisect else 0)

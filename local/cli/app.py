"""The `partyline` application: all commands together."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from local.cli import (
    calls,
    common,
    connect,
    conversations,
    deployment,
    erase,
    live_test,
    replay,
    stack,
    trigger,
    up,
    watch,
)

CONVERSATIONS = "Conversations"
SECTIONS: dict[str, tuple[Callable[..., None], ...]] = {
    CONVERSATIONS: (
        *(calls.call, calls.invite, calls.handover, calls.mode, calls.tell, calls.remove),
        *(calls.stop, watch.watch, conversations.transcript, erase.erase, erase.receipt),
    ),
    "Deployment": (
        *(up.up, up.down),
        *(deployment.key, deployment.revoke, deployment.redrive, deployment.dialing),
        stack.console,
    ),
    "Telnyx": (connect.connect, connect.doctor, connect.disconnect, live_test.live_test),
    "This machine": (stack.dev, stack.demo, trigger.trigger, replay.export, replay.replay),
}
"""The commands by section of the help, in their order."""

PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"


class SectionedGroup(TyperGroup):
    """A group whose help lists the commands by section."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write a list of commands for each section."""
        commands = [self.commands[name] for name in self.list_commands(ctx)]
        width = formatter.width - 6 - max(len(str(command.name)) for command in commands)
        for section in SECTIONS:
            rows = [
                (command.name, command.get_short_help_str(width))
                for command in commands
                if getattr(command, "rich_help_panel", None) == section
            ]
            with formatter.section(section):
                formatter.write_dl(rows)


def _print_version(wanted: bool) -> None:
    if wanted:
        version = tomllib.loads(PROJECT.read_text())["project"]["version"]
        typer.echo(f"partyline {version}")
        raise typer.Exit


app = typer.Typer(
    cls=SectionedGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """The command line of Partyline. `partyline COMMAND --help` shows options and examples.

    Commands find the running `partyline dev` by themselves. A deployment is named by --url or
    $PARTYLINE_URL, its bearer key by --key-from or $PARTYLINE_API_KEY.

    Exit statuses: 0 done; 1 refused, or a check failed; 2 wrong options; 3 no answer, try again.
    """
    del version


for name, commands in SECTIONS.items():
    common.register(app, *commands, section=name)
app.add_typer(conversations.app, name="conversations", rich_help_panel=CONVERSATIONS)

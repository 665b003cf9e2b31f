"""The `partyline` application: all commands together."""

from collections.abc import Callable

import typer

from local.cli import connect, conversations, live_test, replay, stack, up

COMMANDS: tuple[Callable[..., None], ...] = (
    *(up.up, up.down),
    *(stack.demo, stack.dev, stack.console, stack.trigger, stack.key, stack.revoke, stack.redrive),
    stack.dialing,
    *(replay.export, replay.replay),
    *(connect.connect, connect.doctor, connect.disconnect, live_test.live_test),
)

app = typer.Typer(
    help="The command line of Partyline. `partyline <command> --help` lists a command's options.",
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in COMMANDS:
    app.command()(command)
app.add_typer(conversations.app, name="conversations")

"""The `partyline` application: all commands together."""

import typer

from local.cli import connect, conversations, stack

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 110}

app = typer.Typer(
    help="The command line of Partyline. `partyline <command> --help` lists a command's options.",
    add_completion=False,
    context_settings=SETTINGS,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (stack.demo, stack.dev, stack.console, stack.trigger):
    app.command()(command)
app.add_typer(conversations.app, name="conversations")
for command in (stack.key, stack.redrive, connect.connect, connect.doctor, connect.disconnect):
    app.command()(command)

"""Commands that use the API: their shared options, their errors, and abbreviated ids."""

import inspect
import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from uuid import uuid4

import typer

from local.cli import common
from local.printing import SHORT_ID_CHARS

if TYPE_CHECKING:
    from local.client import ApiRefusedError, Client

Json = dict[str, Any]
Result = TypeVar("Result")

ID_HELP = "The conversation's id, or its first characters."
NEWEST = "newest"
"""Stands for the id of the newest conversation, in commands that change nothing."""

_FULL_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SHORT_ID = re.compile(r"[0-9a-f-]{4,35}")
_SEARCHED = 500
_PAGE = 50
_RETRY_PAUSES_SECS = (0.5, 2.0)
_BUSY = frozenset({429, 503})
_COMPLETION_SECS = 1.0


class Api:
    """The API at a URL, as a command uses the API. The connection is made at the first request."""

    def __init__(self, url: str, key_from: Path | None, *, as_json: bool = False) -> None:
        self.url = url
        self.as_json = as_json
        self._key_from = key_from

    @property
    def key(self) -> str:
        """The bearer key. May raise KeyUnreadableError."""
        return common.bearer_key(self._key_from, self.url)

    @cached_property
    def client(self) -> "Client":
        """The client. The first use may raise KeyUnreadableError."""
        from local.client import Client

        return Client(self.url, self.key)

    def close(self) -> None:
        """Close the connection, if there is one."""
        if "client" in self.__dict__:
            self.client.close()

    def ask(self, method: str, path: str, body: Json | None = None) -> Json:
        """Send a request and return the answer. Shows progress after a second.

        A POST has an Idempotency-Key. So a request whose answer is lost is repeated safely.
        """
        headers = {"idempotency-key": str(uuid4())} if method == "POST" else {}
        with common.progress(f"Waiting for {self.url} ..."):
            answer: Json = self.retried(lambda: self.client.ask(method, path, body, **headers))
        return answer

    def retried(self, request: Callable[[], Result]) -> Result:
        """Send a request again after a lost answer or a 503, and return the answer."""
        import httpx

        from local.client import ApiRefusedError

        for pause_secs in (*_RETRY_PAUSES_SECS, None):
            try:
                answer = request()
            except (httpx.TransportError, ApiRefusedError) as error:
                status = error.status if isinstance(error, ApiRefusedError) else 503
                if pause_secs is None or status != 503 or isinstance(error, httpx.ConnectError):
                    raise
                time.sleep(pause_secs)
            else:
                break
        if answer == {}:
            raise ApiRefusedError(f"The server at {self.url} is not Partyline.")
        return answer

    def rows(self, limit: int, query: str = "", cursor: str | None = None) -> Json:
        """Return up to `limit` newest conversations, page by page, and the cursor of the rest."""
        from urllib.parse import quote

        rows: list[Json] = []
        while True:
            page = f"/conversations?limit={min(limit - len(rows), _PAGE)}{query}"
            answer = self.ask("GET", page + (f"&cursor={quote(cursor, safe='')}" if cursor else ""))
            rows += answer["conversations"]
            cursor = answer["next_cursor"]
            if cursor is None or len(rows) >= limit:
                return {"conversations": rows, "next_cursor": cursor}

    def conversation_id(self, text: str, *, newest: bool = False) -> str:
        """Return the whole id of a conversation that is named by its first characters.

        With `newest`, the word `newest` is an id too. Raises UnknownIdError.
        """
        if _FULL_ID.fullmatch(text):
            return text
        if newest and text == NEWEST:
            rows = self.rows(1)["conversations"]
            if not rows:
                raise common.UnknownIdError("There is no conversation yet.")
            return str(rows[0]["id"])
        if not _SHORT_ID.fullmatch(text):
            hint = "`partyline conversations list` shows the ids"
            raise common.UnknownIdError(f"“{text}” is no id of a conversation: {hint}.")
        found = {id_ for ids in self._pages_of_ids(text) for id_ in ids}
        if len(found) > 1:
            raise common.UnknownIdError(
                f"Several ids begin with {text}: {', '.join(sorted(found))}."
            )
        if not found:
            raise common.UnknownIdError(
                f"Of the {_SEARCHED} newest conversations, none has an id that begins with {text}."
            )
        return found.pop()

    def _pages_of_ids(self, text: str) -> Iterator[list[str]]:
        """Yield the ids that begin with a text; after SHORT_ID_CHARS the first page decides."""
        for query in ("", "&status=scheduled"):
            cursor = None
            for _ in range(_SEARCHED // _PAGE):
                page = self.rows(_PAGE, query, cursor)
                ids = [row["id"] for row in page["conversations"] if row["id"].startswith(text)]
                yield ids
                cursor = page["next_cursor"]
                if cursor is None:
                    break
                if ids and len(text) >= SHORT_ID_CHARS:
                    return

    def print_result(self, data: Any, *lines: str, note: str = "") -> None:
        """Print JSON if the user wants JSON; else the lines to stdout and the note to stderr."""
        if self.as_json:
            common.print_json(data)
            return
        for line in lines:
            common.print_line(line)
        if note:
            common.print_note(note)


def api_command(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options --url, --key-from and --json in place of its first parameter.

    The first parameter of `function` is the Api of these options. The errors of the API end the
    command with a sentence and an exit status.
    """

    def command(**values: Any) -> None:
        names = ("context", "url", "key_from", "as_json")
        with _open(**{name: values.pop(name) for name in names}) as api:
            function(api, **values)

    signature = inspect.signature(function, eval_str=True)
    _, *own = signature.parameters.values()
    shared = inspect.signature(_open, eval_str=True).parameters.values()
    parameters = [option.replace(kind=option.KEYWORD_ONLY) for option in (*own, *shared)]
    command.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    command.__name__, command.__doc__ = function.__name__, function.__doc__
    return command


@contextmanager
def _open(
    context: typer.Context,
    url: common.ApiUrl = None,
    key_from: common.BearerKeyFile = None,
    as_json: common.AsJson = False,
) -> Iterator[Api]:
    """Open the API. The options of a group of commands count where the command has none."""
    import httpx

    from local.client import ApiRefusedError

    group_url, group_key, group_json = context.obj or (None, None, False)
    api = Api(
        common.api_url(url or group_url), key_from or group_key, as_json=as_json or group_json
    )
    failed = common.exit_on(common.KeyUnreadableError, common.UnknownIdError)
    try:
        with failed, closing(api):
            yield api
    except ApiRefusedError as error:
        common.print_error(_told(error, api.url))
        raise typer.Exit(common.TRY_AGAIN if error.status in _BUSY else common.FAILED) from None
    except httpx.ConnectError:
        common.print_error(f"Nothing answers at {api.url}: is `partyline dev` running there?")
        raise typer.Exit(common.TRY_AGAIN) from None
    except httpx.HTTPError as error:
        lost = "the request may have taken effect"
        common.print_error(f"{api.url} gave no answer ({type(error).__name__}); {lost}.")
        raise typer.Exit(common.TRY_AGAIN) from None


def _told(error: "ApiRefusedError", url: str) -> str:
    """Return a refusal as a sentence, with its status and its code."""
    if error.status in (401, 403) and not error.code:
        return f"The API at {url} refuses the bearer key ({error.status})."
    if error.status == 404 and not error.code:
        return f"The API at {url} has no such route (404): is the deployment older?"
    status = " ".join(filter(None, (str(error.status or ""), error.code)))
    return error.sentence + (f"\n({status})" if status else "")


def complete_id(context: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Return the ids that a shell offers, each with its status; none when no API answers."""
    import httpx

    from local.client import ApiRefusedError, Client

    given = (context.parent.obj if context.parent else None) or (None, None, False)
    url = common.api_url(context.params.get("url") or given[0])
    key_from = context.params.get("key_from") or given[1]
    try:
        key = common.bearer_key(key_from, url)
        with closing(Client(url, key, _COMPLETION_SECS)) as client:
            rows = client.ask("GET", f"/conversations?limit={_PAGE}")["conversations"]
    except (ApiRefusedError, common.KeyUnreadableError, httpx.HTTPError, KeyError):
        return []
    return [(row["id"], row["status"]) for row in rows if row["id"].startswith(incomplete)]


ConversationId = Annotated[
    str, typer.Argument(metavar="ID", help=ID_HELP, autocompletion=complete_id)
]
AnyConversationId = Annotated[
    str,
    typer.Argument(metavar="ID", help=f"{ID_HELP[:-1]}, or `newest`.", autocompletion=complete_id),
]

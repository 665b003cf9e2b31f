"""`partyline dev`: wrong settings are sentences, and webhooks are printed with their effects."""

import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from starlette.applications import Starlette
from typer.testing import CliRunner, Result

from local import printing
from local.cli.app import app
from local.cli.stack import named
from local.client import Client
from local.serving import PortError, free_port, serve
from local.stack.gateway import Gateway
from local.stack.http_api import HttpRequest, HttpResponse
from local.stack.template import Template
from tests.support.pages import ROOT


def dev(tmp_path: Path, *options: str, **variables: str) -> Result:
    return CliRunner().invoke(app, ["dev", *options], env={"HOME": str(tmp_path), **variables})


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"PORT": "abc"}, "PORT=abc: a port is a number from 1 to 65534"),
        ({"PORT": "65535"}, "PORT=65535: a port is a number from 1 to 65534"),
        ({"PARTYLINE_NUMBER": "abc"}, "PARTYLINE_NUMBER='abc': A phone number in E.164"),
        ({"PARTYLINE_ALLOWED_COUNTRIES": "usa"}, "PARTYLINE_ALLOWED_COUNTRIES='usa': Two-letter"),
        ({"PARTYLINE_PARAMETERS": "MaxGuests=3"}, "the template has no parameter MaxGuests"),
        ({"PARTYLINE_PARAMETERS": "MaxMinutes"}, "PARTYLINE_PARAMETERS=MaxMinutes: write Name"),
        ({"PARTYLINE_TELNYX_REPORT": "/nope"}, "/nope"),
    ],
)
def test_a_wrong_variable_is_named_with_the_reason(
    tmp_path: Path, variables: dict[str, str], told: str
) -> None:
    result = dev(tmp_path, **{"PORT": str(free_port()), **variables})
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"The local stack cannot start: {told}" in result.stderr


@pytest.mark.parametrize("taken", [0, 1])
def test_a_taken_port_is_named_with_a_remedy(tmp_path: Path, taken: int) -> None:
    port = free_port()
    running = serve(Starlette(), port + taken)
    try:
        result = dev(tmp_path, PORT=str(port))
    finally:
        running.stop()
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"port {port + taken} is taken by another program" in result.stderr
    assert "PORT=8500 make dev" in result.stderr


def test_a_port_that_may_not_be_used_is_named_with_the_reason() -> None:
    assert str(PortError(80, PermissionError(13, "Permission denied"))) == (
        "port 80 is unusable: Permission denied"
    )


def test_json_output_begins_with_the_addresses_and_goes_on_with_the_log(tmp_path: Path) -> None:
    folder = tmp_path / ".partyline" / "dev"
    environment = {**os.environ, "HOME": str(tmp_path), "PORT": str(free_port())}
    command = [sys.executable, "-P", "-m", "local", "dev", "--json", "--bus"]
    with subprocess.Popen(  # noqa: S603 our own program
        command, env={**environment, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            first = json.loads(process.stdout.readline())
            key = (folder / "bearer-key").read_text().strip()
            client = Client((folder / "api-url").read_text().strip(), key)
            client.ask("POST", "/conversations", {"to": "+13125550111"})
            client.close()
        finally:
            process.terminate()
        rest = [json.loads(line) for line in process.stdout]
    assert process.returncode == 0
    assert first["api"] == f"http://127.0.0.1:{environment['PORT']}"
    assert first["credentials"] == str(folder)
    assert "conversation.started" in [line.get("message") for line in rest]
    assert list(folder.iterdir()) == []


def test_the_gateway_reports_requests_and_responses(template: Template) -> None:
    gateway, seen = Gateway(template, invoke=lambda *_: {"statusCode": 200}), []
    gateway.follow(lambda request, response, secs: seen.append((request, response, secs)))
    running = serve(gateway)
    try:
        webhook = {"data": {"event_type": "call.answered"}}
        client = Client(running.url, "key")
        with pytest.raises(Exception, match="404"):
            client.ask("POST", "/nowhere", webhook)
        client.close()
    finally:
        running.stop()
    (arrived, nothing, _), (left, response, secs) = seen
    assert arrived is left
    assert arrived.path == "/nowhere"
    assert nothing is None
    assert isinstance(response, HttpResponse)
    assert (response.status, secs >= 0) == (404, True)


def webhook(**payload: object) -> bytes:
    return json.dumps({"data": {"event_type": "call.answered", "payload": payload}}).encode()


@pytest.mark.parametrize(
    ("method", "path", "body", "line"),
    [
        ("POST", "/webhooks/x", webhook(to="+13125550111"), ("call.answered", "***0111")),
        (
            *("POST", "/webhooks"),
            webhook(direction="incoming", **{"from": "+13125550120", "to": "+13125550100"}),
            ("call.answered", "***0120"),
        ),
        ("POST", "/webhooks", b"{", ("/webhooks", "")),
        ("POST", "/tools/invite", b"{}", ("/tools/invite", "")),
        ("GET", "/conversations", b"", ("", "")),
        (
            *("POST", "/conversations/402ec47c-0000-4000-8000-000000000001/stop"),
            *(b"{}", ("POST /conversations/402ec47c/stop", "")),
        ),
    ],
)
def test_a_request_has_a_name_and_a_masked_number(
    method: str, path: str, body: bytes, line: tuple[str, str]
) -> None:
    assert named(HttpRequest(method, path, body=body)) == line


def test_each_line_of_the_output_stays_a_line() -> None:
    console = printing.DataConsole(file=StringIO(), width=40)
    printing.request_line(console, "call.answered", "***0111")
    printing.request_line(console, "call.answered", "***0111", "200 in 35 ms")
    printing.bus_event(console, {"detail-type": "leg.dialing", "detail": {"text": "long " * 40}})
    printing.log_line(console, {"message": "leg.answered", "conversation_id": "402ec47c-0000"})
    arrived, left, event, log, rest = console.file.getvalue().split("\n")  # type: ignore[attr-defined]
    assert "-->       call.answered" in arrived
    assert arrived.endswith("***0111")
    assert "<--       call.answered" in left
    assert left.endswith("200 in 35 ms")
    assert event.startswith("bus  leg.dialing  {")
    assert "  402ec47c  leg.answered" in log
    assert rest == ""

"""Functions reach the embedded AWS with the run's token, and the proxy serves their API."""

import io
import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from local.deploy.reverse_proxy import ReverseProxy
from local.serving import serve
from local.stack.embedded_aws import EmbeddedAws
from local.tls import tls_context
from tests.support.patience import PATIENCE_SECS

CODE = """
import json
import boto3

def handler(event, context):
    names = boto3.client("dynamodb").list_tables()["TableNames"]
    return {"statusCode": 200, "body": json.dumps({"path": event["rawPath"], "tables": names})}
"""


@pytest.fixture(scope="module")
def aws() -> Iterator[EmbeddedAws]:
    with EmbeddedAws(lambda_python=Path(sys.executable)) as embedded:
        yield embedded


@pytest.fixture(scope="module")
def api_id(aws: EmbeddedAws) -> str:
    """An HTTP API with a route to a function that lists the tables."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", CODE)
    arn = aws.access.client("lambda").create_function(
        FunctionName="lists-tables",
        Runtime="python3.13",
        Handler="app.handler",
        Role="arn:aws:iam::000000000000:role/any",
        Timeout=int(PATIENCE_SECS),
        Code={"ZipFile": code.getvalue()},
    )["FunctionArn"]
    apis = aws.access.client("apigatewayv2")
    api = str(apis.create_api(Name="api", ProtocolType="HTTP")["ApiId"])
    integration = apis.create_integration(
        ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=arn, PayloadFormatVersion="2.0"
    )["IntegrationId"]
    apis.create_route(ApiId=api, RouteKey="GET /a/{b}", Target=f"integrations/{integration}")
    apis.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    return api


def test_a_function_reaches_the_embedded_aws_through_the_proxy(
    aws: EmbeddedAws, api_id: str
) -> None:
    proxy = ReverseProxy(aws.access)
    proxy.api_id = api_id
    server = serve(proxy)
    answer = httpx.get(
        f"{server.url}/a/b", timeout=PATIENCE_SECS, trust_env=False, verify=tls_context()
    )
    server.stop()
    assert (answer.status_code, json.loads(answer.text)) == (200, {"path": "/a/b", "tables": []})


def test_the_embedded_aws_with_functions_refuses_a_request_without_the_token(
    aws: EmbeddedAws, api_id: str
) -> None:
    for path in (f"/_aws/execute-api/{api_id}/a/b", "/2015-03-31/functions"):
        answer = httpx.get(
            f"{aws.access.url}{path}", timeout=PATIENCE_SECS, trust_env=False, verify=tls_context()
        )
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "refused")

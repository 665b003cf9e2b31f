"""The table of the template, in each of the engines that the store has to agree with."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

import pytest
from moto import mock_aws

from local.stack.aws_session import made_up_session
from local.stack.embedded_aws import EmbeddedAws, create_table
from local.stack.memory_table import MemoryTable
from local.stack.template import Template
from partyline.store import ConversationStore

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@pytest.fixture(scope="session")
def embedded() -> Iterator[EmbeddedAws]:
    with EmbeddedAws() as aws:
        yield aws


@pytest.fixture(scope="session")
def embedded_client(embedded: EmbeddedAws) -> "DynamoDBClient":
    return embedded.access.dynamodb()


@pytest.fixture(scope="session")
def moto_client() -> "DynamoDBClient":
    return made_up_session().client("dynamodb")


@pytest.fixture
def ministack(
    embedded: EmbeddedAws, embedded_client: "DynamoDBClient", template: Template
) -> "DynamoDBClient":
    """An empty table in the AWS of the local stack."""
    embedded.reset()
    create_table(embedded_client, template)
    return embedded_client


@pytest.fixture(params=["moto", "ministack", "memory"])
def dynamodb(request: pytest.FixtureRequest, template: Template) -> "Iterator[DynamoDBClient]":
    """An empty table, once in each engine."""
    if request.param == "ministack":
        yield request.getfixturevalue("ministack")
        return
    if request.param == "memory":
        yield cast("DynamoDBClient", MemoryTable(template.table.create))
        return
    client: DynamoDBClient = request.getfixturevalue("moto_client")
    with mock_aws():
        create_table(client, template)
        yield client


@pytest.fixture
def store(dynamodb: "DynamoDBClient", template: Template) -> ConversationStore:
    return ConversationStore(dynamodb, template.table.name)

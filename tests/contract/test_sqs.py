"""One suite for moto's SQS, for the local queues' client, and for their HTTP API."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from starlette.applications import Starlette

from local.serving import serve
from local.stack import sqs_api
from local.stack.intrinsics import REGION
from local.stack.queues import Queues
from local.stack.sqs_api import SqsClient
from local.stack.template import Template

SESSION = boto3.Session(aws_access_key_id="a", aws_secret_access_key="s", region_name=REGION)


class Sender:
    """A client, the URL of a queue, and the bodies that are visible at once."""

    def __init__(self, client: Any, url: str, queues: Queues | None = None) -> None:
        self.client = client
        self.url = url
        self._queues = queues

    def visible(self) -> list[str]:
        if self._queues is None:
            answer = self.client.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10)
            return [message["Body"] for message in answer.get("Messages", ())]
        now = self._queues.now()
        waiting = self._queues.waiting("TimersQueue")
        return [message.body for message in waiting if message.visible_at <= now]

    def refused(self, operation: str, **request: Any) -> bool:
        try:
            getattr(self.client, operation)(**{"QueueUrl": self.url, **request})
        except ClientError:
            return True
        return False


@pytest.fixture(params=["moto", "client", "http"])
def sender(request: pytest.FixtureRequest, template: Template) -> Iterator[Sender]:
    if request.param == "moto":
        with mock_aws():
            client = SESSION.client("sqs")
            yield Sender(client, client.create_queue(QueueName="timers")["QueueUrl"])
        return
    queues = Queues(template, lambda _function, _event: None)
    url = template.resolver.resolve({"Ref": "TimersQueue"})
    if request.param == "client":
        yield Sender(SqsClient(queues), url, queues)
        return
    server = serve(Starlette(routes=sqs_api.routes(queues)))
    client = SESSION.client("sqs", endpoint_url=f"{server.url}{sqs_api.PATH}")
    yield Sender(client, url, queues)
    server.stop()


def test_a_message_is_visible_at_once_and_a_delayed_message_is_not(sender: Sender) -> None:
    sent = sender.client.send_message(QueueUrl=sender.url, MessageBody="now")
    assert sent["MessageId"]
    sender.client.send_message(QueueUrl=sender.url, MessageBody="later", DelaySeconds=900)
    assert sender.visible() == ["now"]


def test_a_batch_is_sent_as_a_whole(sender: Sender) -> None:
    entries = [{"Id": str(nth), "MessageBody": f"m{nth}"} for nth in range(10)]
    entries[3]["DelaySeconds"] = 60  # type: ignore[assignment]
    answer = sender.client.send_message_batch(QueueUrl=sender.url, Entries=entries)
    assert [sent["Id"] for sent in answer["Successful"]] == [str(nth) for nth in range(10)]
    assert not answer.get("Failed")
    assert sorted(sender.visible()) == sorted(f"m{nth}" for nth in range(10) if nth != 3)


def test_a_delay_of_more_than_15_minutes_is_refused(sender: Sender) -> None:
    assert sender.refused("send_message", MessageBody="m", DelaySeconds=901)
    assert sender.visible() == []


def test_a_received_message_is_hidden_until_it_is_deleted(sender: Sender) -> None:
    for body in ("first", "second"):
        sender.client.send_message(QueueUrl=sender.url, MessageBody=body)
    request = {"QueueUrl": sender.url, "MaxNumberOfMessages": 10, "VisibilityTimeout": 60}
    received = sender.client.receive_message(**request)["Messages"]
    assert sorted(message["Body"] for message in received) == ["first", "second"]
    assert not sender.client.receive_message(**request).get("Messages")
    for message in received:
        handle = message["ReceiptHandle"]
        sender.client.delete_message(QueueUrl=sender.url, ReceiptHandle=handle)
    assert sender.visible() == []


DEPTHS = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]


def test_the_messages_of_a_queue_are_counted_also_while_they_are_hidden(sender: Sender) -> None:
    for body in ("first", "second", "third"):
        sender.client.send_message(QueueUrl=sender.url, MessageBody=body)
    sender.client.receive_message(QueueUrl=sender.url, MaxNumberOfMessages=1, VisibilityTimeout=60)
    answer = sender.client.get_queue_attributes(QueueUrl=sender.url, AttributeNames=DEPTHS)
    assert [answer["Attributes"][name] for name in DEPTHS] == ["2", "1"]


def test_an_unknown_queue_is_refused(sender: Sender) -> None:
    url = sender.url.replace("imers", "imers-of-another-stack")
    assert sender.refused("send_message", QueueUrl=url, MessageBody="m")
    assert sender.refused("get_queue_attributes", QueueUrl=url, AttributeNames=DEPTHS)


@pytest.mark.parametrize("ids", [[], ["1", "1"], [str(nth) for nth in range(11)]])
def test_a_wrong_batch_is_refused_as_a_whole(sender: Sender, ids: list[str]) -> None:
    entries = [{"Id": entry_id, "MessageBody": "m"} for entry_id in ids]
    assert sender.refused("send_message_batch", Entries=entries)
    assert sender.visible() == []


def test_the_timers_queue_leads_to_the_timer_function(template: Template) -> None:
    functions = list[str]()
    queues = Queues(template, lambda function, _event: functions.append(function.folder))
    queues.send(queues.arn("TimersQueue"), "m")
    assert queues.drain() == 1
    assert functions == ["timer"]

"""The requests of SQS that the functions send, for the queues of this machine.

`SqsClient` serves handlers in this process. `routes` serve the JSON protocol of SQS to clients of
boto3 in any process (AWS docs, Amazon SQS API reference).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.stack.queues import Queues, RefusedError

PATH = "/sqs/"

MAX_ENTRIES = 10  # messages of a SendMessageBatch


class SqsClient:
    """The methods of boto3's client that the functions use."""

    def __init__(self, queues: Queues) -> None:
        self._queues = queues

    def send_message(
        self,
        *,
        QueueUrl: str,  # noqa: N803 - AWS's own names
        MessageBody: str,  # noqa: N803
        DelaySeconds: int = 0,  # noqa: N803
    ) -> dict[str, Any]:
        """Put a message into a queue. Raises a ClientError by the rules of SQS."""
        try:
            arn = self._queues.arn_at(QueueUrl)
            return {"MessageId": self._queues.send(arn, MessageBody, delay_secs=DelaySeconds)}
        except RefusedError as error:
            raise _client_error("InvalidParameterValue", str(error), "SendMessage") from error

    def send_message_batch(
        self,
        *,
        QueueUrl: str,  # noqa: N803
        Entries: Sequence[Mapping[str, Any]],  # noqa: N803
    ) -> dict[str, Any]:
        """Put messages into a queue. Raises a ClientError when the request as a whole is wrong."""
        if not 0 < len(Entries) <= MAX_ENTRIES or len({e["Id"] for e in Entries}) < len(Entries):
            message = "A batch has 1 to 10 entries with distinct ids."
            raise _client_error("InvalidBatch", message, "SendMessageBatch")
        answer: dict[str, list[Any]] = {"Successful": [], "Failed": []}
        for entry in Entries:
            body, delay_secs = entry["MessageBody"], entry.get("DelaySeconds", 0)
            try:
                sent = self.send_message(
                    QueueUrl=QueueUrl, MessageBody=body, DelaySeconds=delay_secs
                )
                answer["Successful"].append({"Id": entry["Id"], **sent})
            except ClientError as error:
                failure = {"Id": entry["Id"], "SenderFault": True, **error.response["Error"]}
                answer["Failed"].append(failure)
        return {kind: entries for kind, entries in answer.items() if entries}

    def receive_message(
        self,
        *,
        QueueUrl: str,  # noqa: N803
        MaxNumberOfMessages: int = 1,  # noqa: N803
        VisibilityTimeout: int = 30,  # noqa: N803
        WaitTimeSeconds: int = 0,  # noqa: ARG002, N803 - nothing is gained by a wait here
    ) -> dict[str, Any]:
        """Return messages of a queue, and hide them from other receivers."""
        arn = self._queues.arn_at(QueueUrl)
        messages = self._queues.receive(arn, MaxNumberOfMessages, VisibilityTimeout)
        return {
            "Messages": [
                {"MessageId": message.id, "ReceiptHandle": message.id, "Body": message.body}
                for message in messages
            ]
        }

    def get_queue_attributes(
        self,
        *,
        QueueUrl: str,  # noqa: N803
        AttributeNames: Sequence[str],  # noqa: N803
    ) -> dict[str, Any]:
        """Return the numbers of a queue's visible and hidden messages."""
        visible, hidden = self._queues.depth(self._arn_at(QueueUrl, "GetQueueAttributes"))
        depths = {
            "ApproximateNumberOfMessages": str(visible),
            "ApproximateNumberOfMessagesNotVisible": str(hidden),
        }
        return {"Attributes": {name: depths[name] for name in AttributeNames}}

    def _arn_at(self, url: str, operation: str) -> str:
        try:
            return self._queues.arn_at(url)
        except RefusedError as error:
            raise _client_error("QueueDoesNotExist", str(error), operation) from error

    def delete_message(self, *, QueueUrl: str, ReceiptHandle: str) -> dict[str, Any]:  # noqa: N803
        """Delete a message that was received."""
        self._queues.delete(self._queues.arn_at(QueueUrl), ReceiptHandle)
        return {}


def routes(queues: Queues) -> list[Route]:
    """Return the HTTP API of the queues, with the operations that the functions use."""
    client = SqsClient(queues)
    operations: Mapping[str, Callable[..., Mapping[str, Any]]] = {
        "AmazonSQS.SendMessage": client.send_message,
        "AmazonSQS.SendMessageBatch": client.send_message_batch,
        "AmazonSQS.GetQueueAttributes": client.get_queue_attributes,
        "AmazonSQS.ReceiveMessage": client.receive_message,
        "AmazonSQS.DeleteMessage": client.delete_message,
    }

    async def serve(request: Request) -> Response:
        operation = operations[request.headers["x-amz-target"]]
        try:
            answer = operation(**await request.json())
        except ClientError as error:
            fault = error.response["Error"]
            body = {"__type": fault["Code"], "message": fault["Message"]}
            return JSONResponse(body, 400)
        return JSONResponse(answer, media_type="application/x-amz-json-1.0")

    return [Route(PATH, serve, methods=["POST"])]


def _client_error(code: str, message: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)

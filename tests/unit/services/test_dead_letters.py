"""Which messages of the dead-letter queues hold a number."""

import base64
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from partyline.aws_errors import AwsError
from partyline.services.dead_letters import DeadLetters, number_pattern

NUMBER = "+13125550112"


@pytest.mark.parametrize(
    "text",
    [
        "+13125550112",
        "13125550112",
        "0013125550112",
        "%2B13125550112",
        "\\u002b13125550112",
        "+1 (312) 555-0112",
        "1.312.555.0112",
        "(312) 555-0112",
        "3125550112",
        "+1 312 555 01 12",
        "sip:+13125550112@carrier.example",
        "+13125550112,200",
    ],
)
def test_a_number_is_found_in_each_usual_spelling(text: str) -> None:
    assert number_pattern(NUMBER).search(json.dumps({"from": text}))


@pytest.mark.parametrize("text", ["+131255501123", "+13125550113", "93125550112", "+1312555011"])
def test_another_number_is_not_found(text: str) -> None:
    assert not number_pattern(NUMBER).search(json.dumps({"from": text}))


def test_a_number_with_a_trunk_zero_is_found() -> None:
    pattern = number_pattern("+442079460123")
    assert pattern.search("+44 (0)20 7946 0123")
    assert pattern.search("020 7946 0123")
    assert not pattern.search("+4420794601234")


def test_a_short_number_needs_its_country_code() -> None:
    pattern = number_pattern("+3545551234")
    assert pattern.search("+354 555 1234")
    assert not pattern.search("id-5551234-x")
    assert not number_pattern("+4722123456").search("id-22123456-x")


class Queue:
    """A queue of SQS: each message is received once."""

    def __init__(self, *bodies: str) -> None:
        self.bodies = dict(enumerate(bodies))
        self.deleted: list[int] = []
        self.received = 0

    def receive_message(self, **request: Any) -> dict[str, Any]:
        assert request["WaitTimeSeconds"] > 0, "else some servers are not asked"
        first, self.received = self.received, self.received + request["MaxNumberOfMessages"]
        page = list(self.bodies.items())[first : self.received]
        return {"Messages": [{"Body": body, "ReceiptHandle": nth} for nth, body in page]}

    def delete_message(self, *, QueueUrl: str, ReceiptHandle: int) -> None:  # noqa: N803
        self.deleted.append(ReceiptHandle)


def test_every_page_of_a_queue_is_read_and_others_messages_stay() -> None:
    own, other = json.dumps({"to": NUMBER}), json.dumps({"to": "+13125550113"})
    encoded = base64.b64encode(own.encode()).decode()
    queue = Queue(*[other] * 12, own, encoded, "not JSON", "!!!")
    letters = DeadLetters(queue, ["https://sqs.example/q"])
    assert letters.delete(NUMBER, lambda: True) == (2, True)
    assert queue.deleted == [12, 13]


def test_messages_that_a_reader_hides_are_counted_too() -> None:
    class Depths:
        def get_queue_attributes(self, *, AttributeNames: list[str], **_: Any) -> Any:  # noqa: N803
            depths = {
                "ApproximateNumberOfMessages": "2",
                "ApproximateNumberOfMessagesNotVisible": "1",
            }
            return {"Attributes": {name: depths[name] for name in AttributeNames}}

    assert DeadLetters(Depths(), ["https://sqs.example/q"] * 2).count() == 6


def test_a_pass_without_time_says_that_it_is_not_complete() -> None:
    letters = DeadLetters(Queue(NUMBER), ["https://sqs.example/q"])
    assert letters.delete(NUMBER, lambda: False) == (0, False)


def test_a_queue_that_cannot_be_read_is_an_error_of_aws() -> None:
    class Away:
        def receive_message(self, **_: Any) -> None:
            raise ClientError({"Error": {"Code": "InternalError"}}, "ReceiveMessage")

    with pytest.raises(AwsError):
        DeadLetters(Away(), ["https://sqs.example/q"]).delete(NUMBER, lambda: True)

"""`partyline dialing off`: switch all dials of a deployed stack off, and on again.

The AWS account is the one in the settings of the AWS SDK, as for `sam deploy`. The command needs
the rights to read the stack's outputs, to write the table, and to put events on the bus.
"""

import json
from datetime import UTC, datetime
from typing import Any, Literal

from local.deploy.aws import aws_client
from local.deploy.redrive import outputs_of
from local.layer import use_layer

Switch = Literal["on", "off"]

ROW = {"pk": {"S": "DIALING"}, "sk": {"S": "OFF"}}
"""The key of the row that exists while dials are off (see `partyline.store.keys`)."""


class EventNotSentError(Exception):
    """The switch is set, but its event is not on the bus. The message has the bus's code."""


def set_dialing(to: Switch, stack: str, reason: str, client: Any = aws_client) -> str:
    """Switch all dials on or off; return the ARN of the user, which the row and the event name.

    `client` makes a client of an AWS service. Raises NoSuchStackError, EventNotSentError and the
    AWS SDK's errors.
    """
    use_layer()
    from partyline.domain.model.events import EVENT_VERSION  # noqa: PLC0415 - on the path only now

    outputs = outputs_of(client("cloudformation"), stack)
    by = str(client("sts").get_caller_identity()["Arn"])
    at = datetime.now(UTC).isoformat()
    dynamodb, table = client("dynamodb"), outputs["TableName"]
    if to == "off":
        texts = {"by": {"S": by}, "at": {"S": at}, "reason": {"S": reason}}
        dynamodb.put_item(TableName=table, Item={**ROW, **texts})
    else:
        dynamodb.delete_item(TableName=table, Key=ROW)
    detail = {"version": EVENT_VERSION, "type": f"dialing.{to}", "occurred_at": at}
    detail |= {"by": by, "reason": reason}
    entry = {
        "EventBusName": outputs["BusName"],
        "Source": "partyline",
        "DetailType": detail["type"],
        "Detail": json.dumps(detail),
    }
    [answer] = client("events").put_events(Entries=[entry])["Entries"]
    if code := answer.get("ErrorCode"):
        raise EventNotSentError(f"dialing is {to}, but the event is not on the bus: {code}")
    return by

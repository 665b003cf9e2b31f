"""Start times of scheduled conversations, as single schedules of EventBridge Scheduler."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from partyline.aws_errors import aws_request


@dataclass(frozen=True)
class StartScheduler:
    """Schedules that run once, each named after its conversation.

    At its time, within a minute and at least once, a schedule invokes the function `target` in the
    role `role`, and is then deleted. `client` is EventBridge Scheduler's, `group` the name of the
    schedule group. Methods raise an `AwsError`.
    """

    client: Any
    group: str
    target: str
    role: str

    def schedule(self, conversation_id: str, at: datetime) -> None:
        """Create the schedule of a conversation, or change its time."""
        whole = (at + timedelta(microseconds=999_999)).astimezone(UTC).replace(tzinfo=None)
        schedule = {
            "Name": conversation_id,
            "GroupName": self.group,
            "ScheduleExpression": f"at({whole.isoformat(timespec='seconds')})",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "ActionAfterCompletion": "DELETE",
            "Target": {
                "Arn": self.target,
                "RoleArn": self.role,
                # The number to call stays in the table.
                "Input": json.dumps({"conversation_id": conversation_id}),
            },
        }
        with aws_request("scheduler", "create_schedule"):
            try:
                self.client.create_schedule(**schedule)
            except self.client.exceptions.ConflictException:
                self.client.update_schedule(**schedule)

    def cancel(self, conversation_id: str) -> None:
        """Delete the schedule of a conversation; a missing schedule is not an error."""
        with aws_request("scheduler", "delete_schedule"):
            try:
                self.client.delete_schedule(Name=conversation_id, GroupName=self.group)
            except self.client.exceptions.ResourceNotFoundException:
                return

"""The alarm clock of conversations that begin later: schedules of EventBridge Scheduler."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any


@dataclass(frozen=True)
class StartScheduler:
    """Alarms by the id of their conversation. `client` is EventBridge Scheduler's.

    It rings by calling the function `target` in the `role`'s name, within a minute of its time, at
    least once, and is gone then. Methods raise the client's `ClientError`.
    """

    client: Any
    group: str
    target: str
    role: str

    def schedule(self, conversation_id: str, at: datetime) -> None:
        """Let it ring at a time, and at no other that was set before."""
        whole = (at + timedelta(microseconds=999_999)).astimezone(UTC).replace(tzinfo=None)
        alarm = {
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
        try:
            self.client.create_schedule(**alarm)
        except self.client.exceptions.ConflictException:
            self.client.update_schedule(**alarm)

    def cancel(self, conversation_id: str) -> None:
        """Let it not ring; one that has rung is fine."""
        try:
            self.client.delete_schedule(Name=conversation_id, GroupName=self.group)
        except self.client.exceptions.ResourceNotFoundException:
            return

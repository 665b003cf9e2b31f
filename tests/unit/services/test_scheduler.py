"""A scheduled start is a single schedule of EventBridge Scheduler, which runs at its time."""

import json
from datetime import datetime
from typing import Any

import pytest

from partyline.services.scheduler import StartScheduler


class RecordingClient:
    """A client of EventBridge Scheduler. It records requests, and may know the schedule already."""

    class exceptions:  # noqa: N801 - boto3's name
        ConflictException = FileExistsError
        ResourceNotFoundException = FileNotFoundError

    def __init__(self, *, exists: bool) -> None:
        self.exists = exists
        self.requests: list[tuple[str, dict[str, Any]]] = []

    def create_schedule(self, **schedule: Any) -> None:
        self.requests.append(("create", schedule))
        if self.exists:
            raise self.exceptions.ConflictException

    def update_schedule(self, **schedule: Any) -> None:
        self.requests.append(("update", schedule))

    def delete_schedule(self, **name: str) -> None:
        self.requests.append(("delete", name))
        if not self.exists:
            raise self.exceptions.ResourceNotFoundException


def scheduler(client: RecordingClient) -> StartScheduler:
    return StartScheduler(client, "starts", "arn:function", "arn:role")


@pytest.mark.parametrize(
    ("start_at", "utc"),
    [
        ("2026-12-24T18:00:00+00:00", "2026-12-24T18:00:00"),
        ("2026-12-25T01:30:00+07:30", "2026-12-24T18:00:00"),
        ("2026-12-24T18:00:00.000001+00:00", "2026-12-24T18:00:01"),
        ("2026-12-24T23:59:59.999999+00:00", "2026-12-25T00:00:00"),
    ],
)
def test_a_schedule_runs_at_its_time_in_utc_and_never_a_part_of_a_second_early(
    start_at: str, utc: str
) -> None:
    client = RecordingClient(exists=False)
    scheduler(client).schedule("c-1", datetime.fromisoformat(start_at))
    [(action, schedule)] = client.requests
    assert action == "create"
    assert schedule["ScheduleExpression"] == f"at({utc})"


def test_a_schedule_runs_once_and_holds_no_number() -> None:
    client = RecordingClient(exists=True)
    scheduler(client).schedule("c-1", datetime.fromisoformat("2026-12-24T18:00:00+00:00"))
    [(_, created), (action, updated)] = client.requests
    assert action == "update", "a repeated request changes the schedule"
    assert updated == created
    assert json.loads(created["Target"].pop("Input")) == {"conversation_id": "c-1"}
    assert created == {
        "Name": "c-1",
        "GroupName": "starts",
        "ScheduleExpression": "at(2026-12-24T18:00:00)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "ActionAfterCompletion": "DELETE",
        "Target": {"Arn": "arn:function", "RoleArn": "arn:role"},
    }


@pytest.mark.parametrize("exists", [True, False])
def test_a_cancelled_schedule_is_deleted_and_may_be_missing(exists: bool) -> None:
    client = RecordingClient(exists=exists)
    scheduler(client).cancel("c-1")
    assert client.requests == [("delete", {"Name": "c-1", "GroupName": "starts"})]

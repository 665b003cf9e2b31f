"""No hostile start is accepted, and each answer names the field at fault."""

from tests.security.hostile_starts import hostile_starts
from tests.support.lab import URL, NewLab
from tests.support.security import assert_untouched


def test_every_hostile_start_is_refused_by_the_defaults(new_lab: NewLab) -> None:
    lab = new_lab()
    accepted = []
    requests = list(hostile_starts(URL, 110))
    for request in requests:
        answer = lab.ask(request.method, request.path, request.body)
        details = answer.json.get("error", {}).get("details", [])
        fields = [str(detail.get("field")) for detail in details]
        if answer.status != 422 or not any(field.startswith(request.field) for field in fields):
            accepted.append((request, answer.status, fields))
    assert accepted == []
    assert_untouched(lab)

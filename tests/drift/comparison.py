"""The differences between our tables of fields and those of the official client.

A difference is a line: the place, the path of the field, and both sides.
"""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatch

from tests.drift import official, ours
from tests.drift.shapes import Field, Shape, shape_of


def differences() -> list[str]:
    """Return every difference in the fields sent, the fields read, and the compared values."""
    return sorted({*_requests(), *_answers(), *_webhooks(), *_values()})


def sent_differences(place: str, sent: Shape, known: Shape) -> Iterator[str]:
    """Compare a request of ours with the official type of the request."""
    for path, field in sent.items():
        if path not in known:
            yield f"{place} {path}: sent, and not in the client"
        elif wrong := [kind for kind in sorted(field.kinds) if not _takes(known[path], kind)]:
            yield f"{place} {path}: sent as {' | '.join(wrong)}, the client has {known[path]}"
    for path, field in known.items():
        parent = path.rpartition(".")[0]
        is_sent = (not parent or parent in sent) and f"{parent}{{}}" not in sent
        if field.required and is_sent and not (path in sent and sent[path].required):
            yield f"{place} {path}: required by the client, and not always sent"


def read_differences(place: str, read: Shape, known: Shape) -> Iterator[str]:
    """Compare the fields that we read of an answer or webhook with the official type."""
    for path, field in read.items():
        if path not in known:
            yield f"{place} {path}: read, and not in the client"
        elif not _reads(field, known[path]):
            yield f"{place} {path}: read as {field}, the client has {known[path]}"


def changes(before: Mapping[str, Mapping[str, str]], after: Mapping[str, Mapping[str, str]]) -> str:
    """Return the lines that tell two snapshots of the official types apart."""
    lines = []
    for place in sorted({*before, *after}):
        old, new = before.get(place, {}), after.get(place, {})
        for path in sorted({*old, *new}):
            if old.get(path) != new.get(path):
                was, now = old.get(path, "not there"), new.get(path, "not there")
                lines.append(f"{place} {path}: was {was}, now {now}")
    return "\n".join(lines)


def _requests() -> Iterator[str]:
    for name, model in ours.REQUESTS.items():
        known = shape_of(official.REQUESTS[name])
        yield from sent_differences(f"send {name}", shape_of(model), known)


def _answers() -> Iterator[str]:
    for name, model in ours.ANSWERS.items():
        yield from read_differences(f"read {name}", shape_of(model), official.answer_shape(name))


def _webhooks() -> Iterator[str]:
    known = official.webhook_shapes()
    for event_type, shape in ours.webhook_shapes().items():
        if event_type not in known:
            yield f"webhook {event_type}: read, and not in the client"
        else:
            yield from read_differences(f"webhook {event_type}", shape, known[event_type])


def _values() -> Iterator[str]:
    shapes = official.webhook_shapes()
    for (pattern, path), values in ours.COMPARED_VALUES.items():
        named = [shape for name, shape in shapes.items() if fnmatch(name, pattern)]
        fields = [shape[path] for shape in named if path in shape]
        kinds = {kind for field in fields for kind in field.kinds}
        unknown = [value for value in sorted(values) if f"={value}" not in kinds]
        if "text" not in kinds:
            yield from (f"webhook {pattern} {path}: {value} never comes" for value in unknown)


def _takes(known: Field, kind: str) -> bool:
    wider = {"whole": {"number"}, "list": set(), "object": set()}
    values = {"text"} if kind.startswith("=") else set()
    return bool(known.kinds & {kind, "any", *wider.get(kind, set()), *values})


def _reads(field: Field, known: Field) -> bool:
    """Whether we can read every kind of value that may come."""
    readable = set(field.kinds)
    if "text" in readable:
        readable |= {"moment", *(kind for kind in known.kinds if kind.startswith("="))}
    if "moment" in readable:
        readable.add("text")
    return "any" in readable or known.kinds <= readable

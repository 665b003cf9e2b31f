"""A type as a flat table of its fields, for our models and for the official client's types alike.

The path of a field is like `assistant.tools[].type` or `webhook_urls{}[]`: `[]` is an entry of a
list, `{}` a value of an object with free keys. The members of a union of objects share their paths.
"""

import inspect
import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import (
    Annotated,
    Any,
    ForwardRef,
    Literal,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
)

from pydantic import BaseModel
from typing_extensions import get_type_hints, is_typeddict

SCALARS = {str: "text", bool: "flag", int: "whole", float: "number", datetime: "moment"}


@dataclass
class Field:
    """The kinds of a field (`text`, `=on`, `list`, `any`, ...), and whether the field must come."""

    kinds: set[str]
    required: bool

    def __str__(self) -> str:
        return ("required " if self.required else "") + " | ".join(sorted(self.kinds))


Shape = dict[str, Field]


def shape_of(type_: Any) -> Shape:
    """Return the fields of a TypedDict or of a pydantic model."""
    shape: Shape = {}
    _add_fields(shape, "", type_, ())
    return shape


def _add(shape: Shape, path: str, annotation: Any, required: bool, outer: tuple[Any, ...]) -> None:
    field = shape.setdefault(path, Field(set(), required))
    field.required = field.required and required
    for member in _members(annotation):
        kind = SCALARS.get(member)
        if kind:
            field.kinds.add(kind)
        elif _origin(member) is Literal:
            field.kinds |= {f"={value}" for value in get_args(member)}
        elif _is_object(member):
            field.kinds.add("object")
            if member not in outer:  # a type may contain itself
                _add_fields(shape, f"{path}.", member, outer)
        elif _is_mapping(member):
            field.kinds.add("object")
            _add(shape, f"{path}{{}}", (get_args(member) or (str, Any))[1], False, outer)
        elif _is_list(member):
            field.kinds.add("list")
            _add(shape, f"{path}[]", get_args(member)[0], False, outer)
        else:
            field.kinds.add("any")


def _add_fields(shape: Shape, prefix: str, type_: Any, outer: tuple[Any, ...]) -> None:
    known = {path for path in shape if path.startswith(prefix)} if prefix else set()
    fields = _fields(type_)
    for name, (annotation, required) in fields.items():
        # A field that only a later member of a union has is not required.
        late = bool(known) and f"{prefix}{name}" not in known
        _add(shape, f"{prefix}{name}", annotation, required and not late, (*outer, type_))
    for path in known:
        name = path[len(prefix) :]
        if not any(mark in name for mark in ".[{") and name not in fields:
            shape[path].required = False


def _fields(type_: Any) -> dict[str, tuple[Any, bool]]:
    if isinstance(type_, type) and issubclass(type_, BaseModel):
        type_.model_rebuild()  # our models are built at their first use
        return {
            # A field with a value of its own is always sent; fields without a value are left out.
            field.alias or name: (field.annotation, field.default is not None)
            for name, field in type_.model_fields.items()
            if not field.exclude  # a field of ours, and not of the body
        }
    hints = get_type_hints(type_, include_extras=True)
    return {_alias(hint) or name: (hint, _origin(hint) is Required) for name, hint in hints.items()}


def _alias(hint: Any) -> str | None:
    inner = get_args(hint)[0] if _origin(hint) is Required else hint
    marks = get_args(inner)[1:] if _origin(inner) is Annotated else ()
    return next((mark.alias for mark in marks if getattr(mark, "alias", None)), None)


def _members(annotation: Any) -> list[Any]:
    """Return the members of a union, without None and without marks."""
    origin = _origin(annotation)
    if origin in (Annotated, Required, NotRequired):
        return _members(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return [found for member in get_args(annotation) for found in _members(member)]
    if isinstance(annotation, ForwardRef):
        return _members(eval(annotation.__forward_arg__))  # noqa: S307 the client's own text
    return [] if annotation in (None, type(None)) else [annotation]


def _origin(annotation: Any) -> Any:
    return get_origin(annotation)


def _is_object(member: Any) -> bool:
    return is_typeddict(member) or (inspect.isclass(member) and issubclass(member, BaseModel))


def _is_mapping(member: Any) -> bool:
    origin = _origin(member) or member
    return inspect.isclass(origin) and issubclass(origin, Mapping)


def _is_list(member: Any) -> bool:
    origin = _origin(member)
    if not get_args(member):
        return False
    # The client's own `SequenceNotStr` is a protocol, which is no class of a list.
    named = getattr(origin, "__name__", "") == "SequenceNotStr"
    return named or (inspect.isclass(origin) and issubclass(origin, Iterable | Sequence))

"""The base of the models that are stored."""

from copy import deepcopy
from datetime import datetime
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Self, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict

_set = object.__setattr__
_IMMUTABLE = (str, int, float, datetime, NoneType)


class Stored(BaseModel):
    """Base of stored models. Unknown fields are skipped, so older code reads newer rows."""

    model_config = ConfigDict(extra="ignore")

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """Return an independent copy.

        Each step copies its conversation, and a copy by Pydantic takes several times as long: it
        looks into each text and time too. No stored model has extra fields or private attributes.
        """
        model = type(self)
        values = self.__dict__.copy()
        for name in _mutable_fields(model):
            if (value := values[name]) is not None:
                values[name] = _copied(value)
        copied = model.__new__(model)
        _set(copied, "__dict__", values)
        _set(copied, "__pydantic_fields_set__", self.__pydantic_fields_set__.copy())
        _set(copied, "__pydantic_extra__", None)
        _set(copied, "__pydantic_private__", None)
        return copied


class Failure(Stored):
    """The reason for a failure: Telnyx's code and message, or ours."""

    code: str
    message: str


@cache
def _mutable_fields(model: type[Stored]) -> tuple[str, ...]:
    """Return the fields that may hold a list, a dict or a model."""
    fields = model.model_fields.items()
    return tuple(name for name, field in fields if not _is_immutable(field.annotation))


def _is_immutable(annotation: Any) -> bool:
    """Whether the values of a type never change; False for a type that is not known here."""
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        return all(_is_immutable(each) for each in get_args(annotation))
    if isinstance(annotation, type):
        return issubclass(annotation, _IMMUTABLE)
    return origin is Literal


def _copied(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return [_copied(each) for each in value]
    if isinstance(value, dict):
        return {name: _copied(each) for name, each in value.items()}
    return value.__deepcopy__() if isinstance(value, Stored) else deepcopy(value)

"""DynamoDB's expressions, as far as the store uses expressions; any other is an error."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from operator import eq, ge, gt, le, lt, ne
from typing import Any

Item = dict[str, Any]
Request = Mapping[str, Any]

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": eq,
    "<>": ne,
    "<": lt,
    "<=": le,
    ">": gt,
    ">=": ge,
}
_COMPARISON = re.compile(r"([#\w]+) (=|<>|<=|>=|<|>) (:\w+)")
_BETWEEN = re.compile(r"([#\w]+) BETWEEN (:\w+) AND (:\w+)")
_PRESENCE = re.compile(r"attribute_(not_)?exists\s?\(([#\w]+)\)")
_AND = re.compile(r" AND (?!:)")
_OR = re.compile(r" OR ")
_ADD = re.compile(r"([#\w]+) (:\w+)")
_SET = re.compile(r"([#\w]+) = (?:if_not_exists\(([#\w]+), (:\w+)\)|(:\w+))( \+ (:\w+))?")
_CLAUSE = re.compile(r"\b(ADD|SET) (.+?)(?=\s+(?:ADD|SET) |$)")


def evaluate(field: str, request: Request, item: Item) -> bool:
    """Whether the expression in a request's `field` holds; True without an expression."""
    expression = request.get(field)
    if expression is None:
        return True
    return any(
        all(_holds(term, request, item) for term in _AND.split(alternative))
        for alternative in _OR.split(expression)
    )


def equal_to(field: str, request: Request, name: str) -> str:
    """The value that an expression in a request's `field` requires of a partition key."""
    for term in _AND.split(request[field]):
        comparison = _COMPARISON.fullmatch(term)
        if comparison and comparison[2] == "=" and _name(comparison[1], request) == name:
            return str(_argument(comparison[3], request)["S"])
    raise NotImplementedError(f"the table in memory requires a value for {name}")


def _holds(term: str, request: Request, item: Item) -> bool:
    presence = _PRESENCE.fullmatch(term)
    if presence:
        return (_name(presence[2], request) in item) is not bool(presence[1])
    between = _BETWEEN.fullmatch(term)
    if between:
        low, high = (_value(_argument(name, request)) for name in between.group(2, 3))
        value = item.get(_name(between[1], request))
        return value is not None and low <= _value(value) <= high
    comparison = _COMPARISON.fullmatch(term)
    if comparison is None:
        raise NotImplementedError(f"the table in memory does not know {term!r}")
    value, other = item.get(_name(comparison[1], request)), _argument(comparison[3], request)
    if value is None or value.keys() != other.keys():
        return False
    return _COMPARE[comparison[2]](_value(value), _value(other))


def update(request: Request, item: Item) -> Item:
    """The item after a request's UpdateExpression."""
    expression: str = request["UpdateExpression"]
    clauses = _CLAUSE.findall(expression)
    if " ".join(f"{verb} {rest}" for verb, rest in clauses) != expression:
        raise NotImplementedError(f"the table in memory does not know {expression!r}")
    for verb, rest in clauses:
        for action in re.split(r", (?!:)", rest):
            (_add if verb == "ADD" else _set)(action, request, item)
    return item


def _add(action: str, request: Request, item: Item) -> None:
    parts = _ADD.fullmatch(action)
    if parts is None:
        raise NotImplementedError(f"the table in memory does not know ADD {action!r}")
    name, more = _name(parts[1], request), _argument(parts[2], request)
    item[name] = _number(_value(item.get(name, {"N": "0"})) + _value(more))


def _set(action: str, request: Request, item: Item) -> None:
    parts = _SET.fullmatch(action)
    if parts is None:
        raise NotImplementedError(f"the table in memory does not know SET {action!r}")
    target, kept, otherwise, plain, _, more = parts.groups()
    value = _argument(plain or otherwise, request)
    if kept:
        value = item.get(_name(kept, request), value)
    if more:
        value = _number(_value(value) + _value(_argument(more, request)))
    item[_name(target, request)] = value


def _name(text: str, request: Request) -> str:
    return str(request["ExpressionAttributeNames"][text]) if text.startswith("#") else text


def _argument(placeholder: str, request: Request) -> Item:
    value: Item = request["ExpressionAttributeValues"][placeholder]
    return value


def _value(attribute: Item) -> Any:
    """A value in the sort order of DynamoDB: text by its bytes."""
    [(kind, value)] = attribute.items()
    if kind == "N":
        return Decimal(value)
    return value.encode() if kind == "S" else value


def _number(value: Decimal) -> Item:
    return {"N": str(value)}

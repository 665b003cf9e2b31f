"""DynamoDB's expressions, as far as the store uses expressions; any other is an error."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache, partial
from operator import eq, ge, gt, le, lt, ne
from typing import Any

Item = dict[str, Any]
Request = Mapping[str, Any]
Condition = Callable[[Item], bool]
Binding = Callable[[Request], Condition]

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


def condition(field: str, request: Request) -> Condition:
    """The condition of the expression in a request's `field`; always met without an expression."""
    expression = request.get(field)
    if expression is None:
        return lambda _: True
    # A query asks for thousands of items, so the text is read once and the values are taken once.
    alternatives = [[bind(request) for bind in terms] for terms in _parsed(expression)]
    return lambda item: any(all(holds(item) for holds in terms) for terms in alternatives)


def equal_to(field: str, request: Request, name: str) -> str:
    """The value that an expression in a request's `field` requires of a partition key."""
    for term in _AND.split(request[field]):
        comparison = _COMPARISON.fullmatch(term)
        if comparison and comparison[2] == "=" and _name(comparison[1], request) == name:
            return str(_argument(comparison[3], request)["S"])
    raise NotImplementedError(f"the table in memory requires a value for {name}")


@cache
def _parsed(expression: str) -> list[list[Binding]]:
    """The alternatives of an expression; all terms of an alternative have to hold."""
    return [[_term(term) for term in _AND.split(each)] for each in _OR.split(expression)]


def _term(term: str) -> Binding:
    for form, bind in ((_PRESENCE, _presence), (_BETWEEN, _between), (_COMPARISON, _comparison)):
        if parts := form.fullmatch(term):
            return partial(bind, parts)
    raise NotImplementedError(f"the table in memory does not know {term!r}")


def _presence(parts: re.Match[str], request: Request) -> Condition:
    name, is_present = _name(parts[2], request), not parts[1]
    return lambda item: (name in item) is is_present


def _between(parts: re.Match[str], request: Request) -> Condition:
    name = _name(parts[1], request)
    low, high = (_value(_argument(each, request)) for each in parts.group(2, 3))
    return lambda item: name in item and low <= _value(item[name]) <= high


def _comparison(parts: re.Match[str], request: Request) -> Condition:
    name, argument = _name(parts[1], request), _argument(parts[3], request)
    [kind], value, compare = argument, _value(argument), _COMPARE[parts[2]]
    return lambda item: name in item and kind in item[name] and compare(_value(item[name]), value)


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
    """A value in the sort order of DynamoDB. The bytes of texts have the order of the texts."""
    [(kind, value)] = attribute.items()
    return Decimal(value) if kind == "N" else value


def _number(value: Decimal) -> Item:
    return {"N": str(value)}

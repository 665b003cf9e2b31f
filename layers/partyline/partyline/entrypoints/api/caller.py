"""The caller of the API: the bearer key, or the IAM role or user, that API Gateway has admitted."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from partyline.services.bearer_keys import IAM_PREFIX, Right

_ARN = re.compile(r"arn:[a-z-]+:(?:iam|sts)::([0-9]{12}):([a-z-]+)(?:/([!-~]+))?")


@dataclass(frozen=True)
class Caller:
    """A caller of the API.

    Attributes:
        id: the id of the bearer key, or `iam/<account>/<kind>/<name>`; quotas count for this id.
        rights: the rights of the caller.
        has_key: whether the caller has a bearer key, which may be deleted later.
    """

    id: str
    rights: frozenset[str]
    has_key: bool


def caller_of(context: Mapping[str, Any]) -> Caller | None:
    """Return the caller of a request by its `requestContext`; None for a request without a caller.

    For an IAM caller, IAM has allowed the route (`execute-api:Invoke`), so all rights are given.
    API Gateway writes `authorizer`; a sender cannot.
    """
    authorizer = context.get("authorizer") or {}
    by_key, by_iam = authorizer.get("lambda") or {}, authorizer.get("iam") or {}
    if by_key.get("key_id"):
        rights = frozenset(str(by_key.get("may") or "").split())
        return Caller(str(by_key["key_id"]), rights, has_key=True)
    iam_id = _iam_id(str(by_iam.get("userArn") or ""))
    return Caller(iam_id, frozenset(Right), has_key=False) if iam_id else None


def _iam_id(arn: str) -> str | None:
    """Return the id of a role or a user: the same for every session of a role.

    Names are unique within an account, whatever their path (AWS docs, IAM identifiers). So the
    path, which may be long, is left out.
    """
    match = _ARN.fullmatch(arn)
    if match is None:
        return None
    account, kind, path = match.groups()
    if kind == "assumed-role":  # followed by the role's name and the session's name
        return f"{IAM_PREFIX}{account}/role/{path.partition('/')[0]}" if path else None
    return "/".join((f"{IAM_PREFIX}{account}", kind, *([path.rpartition("/")[2]] if path else [])))

"""The API for callers with an IAM role or user: its routes, its rights, its one condition."""

import re
from fnmatch import fnmatchcase
from typing import Any

import pytest

from local.stack.template import Template, function_of
from partyline.entrypoints.http import API_URL
from partyline.services.bearer_keys import Right
from tests.template.test_stack import PARAMETERS, ROOT
from tests.unit.entrypoints.test_rights import NEEDED


@pytest.fixture(scope="module", params=["iam", "both"])
def with_iam(request: pytest.FixtureRequest) -> Template:
    return Template({**PARAMETERS, "ApiAuthorization": request.param})


def iam_routes(template: Template) -> dict[str, tuple[str, str]]:
    """Return the authorization and the function of each route of the API for IAM callers."""
    functions = {
        f"integrations/{template.resolver.resolve({'Ref': name})}": function_of(
            body["IntegrationUri"]
        )
        for name, body in template.properties_of("AWS::ApiGatewayV2::Integration")
    }
    return {
        body["RouteKey"]: (body["AuthorizationType"], functions[body["Target"]])
        for _, body in template.properties_of("AWS::ApiGatewayV2::Route")
    }


def test_the_api_has_the_routes_of_bearer_keys_and_no_other(with_iam: Template) -> None:
    keyed = [route for route in with_iam.routes if route.authorizer]
    expected = {route.key: ("AWS_IAM", route.function) for route in keyed}
    assert iam_routes(with_iam) == expected


def test_without_the_parameter_no_part_of_the_api_exists(template: Template) -> None:
    parts = {name for name in template.transformed["Resources"] if name.startswith("Iam")}
    assert parts
    there = {name for kind in kinds(template) for name, _ in template.of_type(kind)}
    assert not parts & there


def kinds(template: Template) -> set[str]:
    return {body["Type"] for body in template.transformed["Resources"].values()}


def test_api_gateway_may_invoke_exactly_the_functions_of_the_routes(with_iam: Template) -> None:
    permissions = dict(with_iam.of_type("AWS::Lambda::Permission"))
    invoked = {
        function_of(with_iam.resolver.resolve(permission["Properties"]["FunctionName"]))
        for name, permission in permissions.items()
        if name.startswith("Iam")
    }
    assert invoked == {function for _, function in iam_routes(with_iam).values()}


def test_the_stage_names_the_api_that_telnyx_reaches(with_iam: Template) -> None:
    stages = dict(with_iam.of_type("AWS::ApiGatewayV2::Stage"))
    variables = stages["IamApiStage"]["Properties"]["StageVariables"]
    assert variables == {API_URL: {"Fn::GetAtt": ["PartylineApi", "ApiEndpoint"]}}


def test_the_authorizer_knows_who_may_call(template: Template, with_iam: Template) -> None:
    def setting(stack: Template) -> Any:
        return stack.functions["AuthorizerFunction"].environment["API_AUTHORIZATION"]

    assert setting(template) == "bearer"
    assert setting(with_iam) in ("iam", "both")


def test_the_docs_have_a_pattern_for_every_route_of_a_right_and_for_no_other(
    template: Template,
) -> None:
    """In a policy, `*` also stands for slashes."""
    page = (ROOT / "docs" / "api.md").read_text().partition("### IAM callers")[2]
    rows = re.findall(r"^\| `(\w+)` \| (`.+`) \|$", page, re.MULTILINE)[: len(Right)]
    patterns = {right: re.findall(r"`([^`]+)`", cell) for right, cell in rows}
    assert set(patterns) == set(Right)
    for route in template.routes:
        if not route.authorizer:
            continue
        path = re.sub(r"\{\w+\}", "some-id", route.path)
        asked = f"{route.method}{path}"
        allowing = {
            right
            for right in Right
            if any(fnmatchcase(asked, pattern) for pattern in patterns[right])
        }
        assert allowing == {NEEDED[template.functions[route.function].folder]}, asked

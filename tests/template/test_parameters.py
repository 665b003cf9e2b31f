"""The parameters' form in the console, and the parameters of an account's own rules."""

import tomllib
from typing import Any

import pytest

from local.stack.template import Template, declared_parameters, read_source
from tests.template.test_hardening import EVERYTHING, property_of
from tests.template.test_stack import PARAMETERS, ROOT

BOUNDARY = "arn:aws:iam::111122223333:policy/boundary"
DOMAIN = {
    "DomainName": "calls.example.com",
    "CertificateArn": "arn:aws:acm:us-east-1:111122223333:certificate/0b8f0d0e-6f43-4a58-8a7e-5d3c",
}
URL = "https://calls.example.com"


def metadata(name: str) -> Any:
    return read_source()["Metadata"][name]


def resolved_output(template: Template, name: str) -> Any:
    return template.resolver.resolve(template.transformed["Outputs"][name]["Value"])


def test_every_parameter_has_a_group_and_a_label() -> None:
    interface = metadata("AWS::CloudFormation::Interface")
    grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    assert sorted(grouped) == sorted(declared_parameters())
    labels = {name: label["default"] for name, label in interface["ParameterLabels"].items()}
    assert labels.keys() == declared_parameters().keys()
    assert len(set(labels.values())) == len(labels)


def test_the_application_repository_names_existing_files_and_this_version() -> None:
    application = metadata("AWS::ServerlessRepo::Application")
    assert (ROOT / application["LicenseUrl"]).is_file()
    assert (ROOT / application["ReadmeUrl"]).is_file()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert application["SemanticVersion"] == project["version"]


def test_every_role_has_the_permissions_boundary_when_a_boundary_is_given() -> None:
    plain, bounded = Template(EVERYTHING), Template({**EVERYTHING, "PermissionsBoundary": BOUNDARY})
    roles = [name for name, _ in bounded.of_type("AWS::IAM::Role")]
    assert "CodeDeployRole" in roles
    for role in roles:
        assert property_of(bounded, role, "PermissionsBoundary") == BOUNDARY, role
        assert property_of(plain, role, "PermissionsBoundary") is None, role


def test_codedeploy_uses_the_role_with_the_boundary() -> None:
    groups = list(Template(EVERYTHING).of_type("AWS::CodeDeploy::DeploymentGroup"))
    assert groups
    for name, group in groups:
        assert "CodeDeployRole" in str(group["Properties"]["ServiceRoleArn"]), name


def test_a_domain_name_is_the_url_of_the_api_and_of_the_webhooks() -> None:
    template = Template({**PARAMETERS, **DOMAIN})
    [(_, mapping)] = template.of_type("AWS::ApiGatewayV2::ApiMapping")
    assert mapping["Properties"]["ApiId"] == {"Ref": "PartylineApi"}
    assert mapping["Properties"]["Stage"] == {"Ref": "PartylineApiApiGatewayDefaultStage"}
    assert [
        resolved_output(template, name) for name in ("ApiUrl", "WebhookUrl", "FailoverUrl")
    ] == [URL, f"{URL}/webhooks", f"{URL}/failover"]
    environments = [function.environment for function in template.functions.values()]
    urls = {
        environment["PUBLIC_BASE_URL"]
        for environment in environments
        if "PUBLIC_BASE_URL" in environment
    }
    assert urls == {URL}


def test_without_a_domain_name_there_is_no_mapping(template: Template) -> None:
    assert list(template.of_type("AWS::ApiGatewayV2::DomainName")) == []
    assert template.functions["TriggerFunction"].environment["PUBLIC_BASE_URL"] == ""


@pytest.mark.parametrize(
    ("given", "allowed"),
    [((), True), (("DomainName", "CertificateArn"), True), (("DomainName",), False)],
    ids=["neither", "both", "domain"],
)
def test_a_domain_name_needs_a_certificate(given: tuple[str, ...], allowed: bool) -> None:
    stack = Template({**PARAMETERS, **{name: DOMAIN[name] for name in given}})
    [assertion] = stack.transformed["Rules"]["DomainNeedsCertificate"]["Assertions"]
    assert stack.resolver.resolve(assertion["Assert"]) is allowed


def test_other_stacks_find_the_api_the_bus_and_the_application_by_the_stacks_name(
    template: Template,
) -> None:
    values = {
        properties["Name"]: properties["Value"]
        for _, properties in template.properties_of("AWS::SSM::Parameter")
    }
    assert values.keys() == {
        "/partyline/ApiUrl",
        "/partyline/BusArn",
        "/partyline/TelnyxConnectionId",
    }
    assert values["/partyline/TelnyxConnectionId"] == PARAMETERS["TelnyxConnectionId"]
    assert values["/partyline/ApiUrl"] == resolved_output(template, "ApiUrl")
    assert values["/partyline/BusArn"] == resolved_output(template, "BusArn")

"""Read template.yaml as CloudFormation does: the only list of routes and settings.

The local stack, the tests and the deployed stack use this file, so they cannot differ. SAM's own
transform runs first. A few typed views give access to its result.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from secrets import token_hex
from typing import Any

from local.stack.http_api import ApiRoute
from local.stack.intrinsics import Resolver, TemplateError
from local.stack.transform import source_json, transformed_json

TEMPLATE_PATH = Path(__file__).resolve().parents[2] / "template.yaml"

_RESOLVED_AFTER_SAM = frozenset({"TelnyxApiBaseUrl", "TelnyxPublicKeys"})
"""Parameters whose values differ from start to start of the local stack: a port, and a key.

SAM does not get the values, so the kept result of an earlier start fits. `Resolver` has the values.
"""

_FUNCTION_IN_ARN = re.compile(r":function:([^:/]+)")


@dataclass(frozen=True)
class Function:
    """A function: its folder (`functions/<folder>/`), handler, environment and limits."""

    logical_id: str
    folder: str
    handler: str
    environment: Mapping[str, str]
    timeout_secs: int
    memory_mb: int


@dataclass(frozen=True)
class Route(ApiRoute):
    """A route to a function; `authorizer` is None where the function itself verifies."""

    function: str
    authorizer: str | None


@dataclass(frozen=True)
class Authorizer:
    """A Lambda authorizer: its function, its header, and the lifetime of its answers."""

    name: str
    function: str
    header: str
    ttl_secs: int


@dataclass(frozen=True)
class Table:
    """A table: the arguments of boto3's `create_table`, and the attribute by which items expire."""

    name: str
    create: Mapping[str, Any]
    ttl_attribute: str


@dataclass(frozen=True)
class Secret:
    """A secret and its value at creation."""

    name: str
    initial: str


@dataclass(frozen=True)
class Schedule:
    """A schedule; `expression` is EventBridge Scheduler's, e.g. `rate(1 minute)`."""

    name: str
    function: str
    expression: str


class Template:
    """The stack that the template describes for a set of parameters.

    `parameters` are strings, as for `sam deploy --parameter-overrides`; defaults may be left out.
    Names of the table and of the secrets begin with `stack_name`. Raises TemplateError when a
    parameter is missing, unknown or not allowed, and when SAM refuses the template.
    """

    def __init__(
        self,
        parameters: Mapping[str, str],
        *,
        stack_name: str = "partyline",
        path: Path = TEMPLATE_PATH,
    ) -> None:
        source = read_source(path)
        values = _parameter_values(source["Parameters"], parameters)
        self._folders = {
            logical_id: Path(resource["Properties"]["CodeUri"]).name
            for logical_id, resource in source["Resources"].items()
            if resource["Type"] == "AWS::Serverless::Function"
        }
        for_sam = tuple(item for item in values.items() if item[0] not in _RESOLVED_AFTER_SAM)
        self.transformed: dict[str, Any] = json.loads(
            transformed_json(source_json(path.read_text()), for_sam)
        )
        self.resolver = Resolver(
            self.transformed["Resources"],
            {
                name: _split(value) if _is_list(source["Parameters"][name]) else value
                for name, value in values.items()
            },
            self.transformed.get("Conditions", {}),
            stack_name,
        )

    def of_type(self, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield each resource of a type whose condition holds: its logical id and its definition.

        The definition is not resolved.
        """
        for logical_id, resource in self.transformed["Resources"].items():
            there = "Condition" not in resource or self.resolver.holds(resource["Condition"])
            if resource["Type"] == kind and there:
                yield logical_id, resource

    def properties_of(self, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the logical id and the resolved properties of each resource of a type."""
        for logical_id, resource in self.of_type(kind):
            yield logical_id, self.resolver.resolve(resource.get("Properties", {}))

    @cached_property
    def functions(self) -> Mapping[str, Function]:
        """Every function by its logical id, environment resolved."""
        functions = {}
        for logical_id, resource in self.of_type("AWS::Lambda::Function"):
            properties = resource["Properties"]
            functions[logical_id] = Function(
                logical_id=logical_id,
                folder=self._folders[logical_id],
                handler=properties["Handler"],
                environment=self.resolver.resolve(properties["Environment"]["Variables"]),
                timeout_secs=properties["Timeout"],
                memory_mb=properties["MemorySize"],
            )
        return functions

    @cached_property
    def routes(self) -> tuple[Route, ...]:
        """Every route of the HTTP API to a function, from the OpenAPI document that SAM makes."""
        body = self.api_body()
        routes = []
        for path, operations in body["paths"].items():
            for method, operation in operations.items():
                integration = operation["x-amazon-apigateway-integration"]
                if "uri" not in integration:
                    continue  # to a queue, see `local.stack.queues`
                uri = self.resolver.resolve(integration["uri"])
                [(scheme, _)] = operation["security"][0].items()
                routes.append(
                    Route(
                        # SAM writes ANY in its own way.
                        method="ANY" if method.startswith("x-") else method.upper(),
                        path=path,
                        function=function_of(uri),
                        authorizer=None if scheme == "NONE" else scheme,
                    )
                )
        # The transform's own order changes from run to run.
        return tuple(sorted(routes, key=lambda route: (route.path, route.method)))

    @cached_property
    def authorizers(self) -> Mapping[str, Authorizer]:
        """Every Lambda authorizer of the HTTP API by its name."""
        schemes = self.api_body()["components"]["securitySchemes"]
        authorizers = {}
        for name, scheme in schemes.items():
            settings = self.resolver.resolve(scheme["x-amazon-apigateway-authorizer"])
            [source] = settings["identitySource"]
            authorizers[name] = Authorizer(
                name=name,
                function=function_of(settings["authorizerUri"]),
                header=source.removeprefix("$request.header.").lower(),
                ttl_secs=settings["authorizerResultTtlInSeconds"],
            )
        return authorizers

    @cached_property
    def table(self) -> Table:
        """The table."""
        [(logical_id, properties)] = self.properties_of("AWS::DynamoDB::Table")
        name = self.resolver.resolve({"Ref": logical_id})
        return Table(
            name=name,
            create={
                "TableName": name,
                "BillingMode": properties["BillingMode"],
                "AttributeDefinitions": properties["AttributeDefinitions"],
                "KeySchema": properties["KeySchema"],
                "GlobalSecondaryIndexes": properties["GlobalSecondaryIndexes"],
                # CloudFormation implies the stream from the view type; the API needs the flag.
                "StreamSpecification": {"StreamEnabled": True, **properties["StreamSpecification"]},
            },
            ttl_attribute=properties["TimeToLiveSpecification"]["AttributeName"],
        )

    @cached_property
    def secrets(self) -> Mapping[str, Secret]:
        """Every secret by its logical id."""
        return {
            logical_id: Secret(
                name=self.resolver.resolve({"Ref": logical_id}),
                initial=_initial_value(properties),
            )
            for logical_id, properties in self.properties_of("AWS::SecretsManager::Secret")
        }

    @cached_property
    def schedules(self) -> tuple[Schedule, ...]:
        """Every schedule."""
        return tuple(
            Schedule(
                name=properties["Name"],
                function=function_of(properties["Target"]["Arn"]),
                expression=properties["ScheduleExpression"],
            )
            for _, properties in self.properties_of("AWS::Scheduler::Schedule")
        )

    def api_body(self) -> dict[str, Any]:
        """The OpenAPI document of the HTTP API that Telnyx reaches, not resolved."""
        api = self.transformed["Resources"]["PartylineApi"]
        body: dict[str, Any] = api["Properties"]["Body"]
        return body


@cache
def declared_parameters(path: Path = TEMPLATE_PATH) -> Mapping[str, Any]:
    """Return the declarations of the template's parameters by name."""
    parameters: Mapping[str, Any] = read_source(path)["Parameters"]
    return parameters


def read_source(path: Path = TEMPLATE_PATH) -> dict[str, Any]:
    """Return the template as written, before SAM's transform."""
    source: dict[str, Any] = json.loads(source_json(path.read_text()))
    return source


def _parameter_values(declared: Mapping[str, Any], chosen: Mapping[str, str]) -> dict[str, str]:
    if unknown := chosen.keys() - declared.keys():
        raise TemplateError(f"the template has no parameter {', '.join(sorted(unknown))}")
    values = {}
    for name, parameter in declared.items():
        value = chosen.get(name, parameter.get("Default"))
        if value is None:
            raise TemplateError(f"parameter {name} needs a value. {parameter['Description']}")
        values[name] = str(value)
        for item in _split(values[name]) if _is_list(parameter) else [values[name]]:
            pattern, allowed = parameter.get("AllowedPattern"), parameter.get("AllowedValues")
            if pattern and not re.fullmatch(pattern, item):
                raise TemplateError(f"{name}={item!r}: {parameter['ConstraintDescription']}")
            if allowed and item not in {str(value) for value in allowed}:
                raise TemplateError(f"{name}={item!r} is not one of {allowed}")
            if parameter["Type"] == "Number" and not _is_in_range(item, parameter):
                least, most = parameter.get("MinValue"), parameter.get("MaxValue")
                raise TemplateError(f"{name}={item!r} is not a number from {least} to {most}")
    return values


def _initial_value(properties: Mapping[str, Any]) -> str:
    """Return the value of a secret at its creation; a generated value is a new one each time."""
    if "SecretString" in properties:
        return str(properties["SecretString"])
    wanted = properties["GenerateSecretString"]
    generated = token_hex(wanted["PasswordLength"] // 2)
    fields = json.loads(wanted["SecretStringTemplate"]) | {wanted["GenerateStringKey"]: generated}
    return json.dumps(fields)


def _is_in_range(text: str, parameter: Mapping[str, Any]) -> bool:
    # A number whose default is whole has to be whole.
    fraction = r"(\.[0-9]+)?" if isinstance(parameter.get("Default"), float) else ""
    if not re.fullmatch(rf"[0-9]+{fraction}", text):
        return False
    number = float(text)
    return bool(parameter.get("MinValue", 0) <= number <= parameter.get("MaxValue", number))


def _is_list(parameter: Mapping[str, Any]) -> bool:
    return bool(parameter["Type"] == "CommaDelimitedList")


def _split(value: str) -> list[str]:
    return [item.strip() for item in value.split(",")]


def function_of(arn: str) -> str:
    """Return the function (its logical id) in an ARN of a function, an alias or an integration."""
    match = _FUNCTION_IN_ARN.search(arn)
    if not match:
        raise TemplateError(f"{arn!r} names no function")
    return match[1]

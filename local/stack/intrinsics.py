"""CloudFormation's intrinsic functions, as far as our template uses them.

There is no account and no region here. Names and ARNs are made up by fixed rules, so a reference to
a resource equals the name of that resource. An unknown expression raises an error that quotes the
expression: a guessed value would fail far from its cause.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

REGION = "us-east-1"
ACCOUNT_ID = "000000000000"
API_ID = "local"

NO_VALUE = object()
"""The value of `AWS::NoValue`: a property with this value is left out."""

_WHERE = f"{REGION}:{ACCOUNT_ID}"
_REFERENCES = {
    "AWS::ApiGatewayV2::Api": API_ID,
    "AWS::ApiGatewayV2::Integration": "{name}",
    "AWS::DynamoDB::Table": "{stack}-{name}",
    "AWS::Lambda::Function": "{name}",
    "AWS::SQS::Queue": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT_ID}/{{stack}}-{{name}}",
    "AWS::SecretsManager::Secret": "{stack}-{name}",
}
_NAMED = {"AWS::Events::EventBus", "AWS::Scheduler::ScheduleGroup"}
"""Resource types whose name is set in the template; a reference returns that name."""

_ATTRIBUTES = {
    "AWS::ApiGatewayV2::Api.ApiEndpoint": f"https://{API_ID}.execute-api.{REGION}.amazonaws.com",
    "AWS::DynamoDB::Table.Arn": f"arn:aws:dynamodb:{_WHERE}:table/{{full_name}}",
    "AWS::DynamoDB::Table.StreamArn": f"arn:aws:dynamodb:{_WHERE}:table/{{full_name}}/stream/1",
    "AWS::Events::ApiDestination.ArnForPolicy": (
        f"arn:aws:events:{_WHERE}:api-destination/{{full_name}}"
    ),
    "AWS::Events::Rule.Arn": f"arn:aws:events:{_WHERE}:rule/{{full_name}}",
    "AWS::Events::EventBus.Arn": f"arn:aws:events:{_WHERE}:event-bus/{{full_name}}",
    "AWS::IAM::Role.Arn": f"arn:aws:iam::{ACCOUNT_ID}:role/{{full_name}}",
    "AWS::IAM::Role.RoleId": "AROA{name}",
    "AWS::Lambda::Function.Arn": f"arn:aws:lambda:{_WHERE}:function:{{name}}",
    "AWS::Lambda::Version.Version": "1",
    "AWS::SQS::Queue.Arn": f"arn:aws:sqs:{_WHERE}:{{full_name}}",
    "AWS::SQS::Queue.QueueName": "{full_name}",
}

_PLACEHOLDER = re.compile(r"\$\{(!?)([^}]+)\}")


class TemplateError(Exception):
    """The template or a parameter's value is not usable; the message gives the reason."""


class Resolver:
    """Resolve the expressions of a transformed template to their values in a local stack.

    `resources` and `conditions` are sections of the template. `parameters` has all values, a list
    for a CommaDelimitedList. `stack_name` keeps the names of several stacks' tables apart.
    """

    def __init__(
        self,
        resources: Mapping[str, Any],
        parameters: Mapping[str, str | list[str]],
        conditions: Mapping[str, Any],
        stack_name: str,
    ) -> None:
        self._resources = resources
        self._conditions = conditions
        self._stack_name = stack_name
        self._references: dict[str, Any] = {
            "AWS::Region": REGION,
            "AWS::AccountId": ACCOUNT_ID,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackName": stack_name,
            "AWS::NoValue": NO_VALUE,
            **parameters,
        }

    def resolve(self, value: Any) -> Any:
        """Return the value with its expressions resolved. Raises TemplateError."""
        if isinstance(value, list):
            items = [self.resolve(item) for item in value]
            return [item for item in items if item is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        name = next(iter(value), "")
        if len(value) == 1 and (name in {"Ref", "Condition"} or name.startswith("Fn::")):
            return self._call(name, value[name])
        resolved = {key: self.resolve(item) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not NO_VALUE}

    def _call(self, name: str, argument: Any) -> Any:
        functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._reference,
            "Condition": self.holds,
            "Fn::GetAtt": lambda target: self._attribute(*target),
            "Fn::Sub": self._sub,
            "Fn::Join": lambda parts: parts[0].join(self.resolve(parts[1])),
            "Fn::If": lambda parts: self.resolve(parts[1 if self.holds(parts[0]) else 2]),
            "Fn::Equals": lambda pair: self.resolve(pair[0]) == self.resolve(pair[1]),
            "Fn::Not": lambda only: not self.resolve(only[0]),
            "Fn::And": lambda parts: all(self.resolve(parts)),
            "Fn::Or": lambda parts: any(self.resolve(parts)),
        }
        if name not in functions:
            raise TemplateError(f"no local meaning for {name}: {argument!r}")
        return functions[name](argument)

    def holds(self, name: str) -> bool:
        """Whether a condition of the template holds."""
        if name not in self._conditions:
            raise TemplateError(f"the template has no condition {name!r}")
        return bool(self.resolve(self._conditions[name]))

    def _reference(self, name: str) -> Any:
        if name in self._references:
            return self._references[name]
        kind = self._type_of(name)
        if kind == "AWS::Lambda::Alias":
            properties = self.resolve(self._resources[name]["Properties"])
            return f"{self._attribute(properties['FunctionName'], 'Arn')}:{properties['Name']}"
        if kind in _NAMED:
            return self.resolve(self._resources[name]["Properties"]["Name"])
        if kind not in _REFERENCES:
            raise TemplateError(f"no local meaning for a reference to {name!r} ({kind})")
        return _REFERENCES[kind].format(stack=self._stack_name, name=name)

    def _attribute(self, logical_id: str, attribute: str) -> str:
        kind = self._type_of(logical_id)
        pattern = _ATTRIBUTES.get(f"{kind}.{attribute}")
        if pattern is None:
            raise TemplateError(f"no local meaning for {logical_id}.{attribute} ({kind})")
        return pattern.format(name=logical_id, full_name=f"{self._stack_name}-{logical_id}")

    def _sub(self, argument: str | list[Any]) -> str:
        text, variables = (argument, {}) if isinstance(argument, str) else argument
        known = self.resolve(variables)

        def value_of(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return f"${{{name}}}"
            if name in known:
                return str(known[name])
            logical_id, dot, attribute = name.partition(".")
            return str(self._attribute(logical_id, attribute) if dot else self._reference(name))

        return _PLACEHOLDER.sub(value_of, text)

    def _type_of(self, logical_id: str) -> str:
        if logical_id not in self._resources:
            raise TemplateError(f"the template has no resource {logical_id!r}")
        return str(self._resources[logical_id]["Type"])

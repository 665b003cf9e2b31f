"""CloudFormation's intrinsic functions, as far as a template of ours uses them.

There is no account and no region here, so every name and ARN is made up, but always in the same
way: what one resource exports is what another refers to. Whatever is not known is refused with the
expression itself, because a value that was guessed would surface far away from here.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

REGION = "us-east-1"
ACCOUNT_ID = "000000000000"

_PLACEHOLDER = re.compile(r"\$\{(!?)([^}]+)\}")


class TemplateError(Exception):
    """The template or the value of a parameter can't be used; says which and why."""


class Resolver:
    """Gives expressions of a transformed template the values they have in a local stack.

    `resources` and `conditions` are those sections of the template, `parameters` the values of all
    its parameters (a list for a CommaDelimitedList), `stack_name` goes into names of tables and
    secrets so that several stacks can live side by side.
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
        self._references: dict[str, str | list[str]] = {
            "AWS::Region": REGION,
            "AWS::AccountId": ACCOUNT_ID,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackName": stack_name,
            **parameters,
        }

    def resolve(self, value: Any) -> Any:
        """Return the value with its expressions replaced; raise TemplateError at an unknown one."""
        if isinstance(value, list):
            return [self.resolve(item) for item in value]
        if not isinstance(value, dict):
            return value
        name = next(iter(value), "")
        if len(value) == 1 and (name in {"Ref", "Condition"} or name.startswith("Fn::")):
            return self._call(name, value[name])
        return {key: self.resolve(item) for key, item in value.items()}

    def _call(self, name: str, argument: Any) -> Any:
        functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._reference,
            "Condition": self._condition,
            "Fn::GetAtt": lambda target: self._attribute(*target),
            "Fn::Sub": self._sub,
            "Fn::Join": lambda parts: parts[0].join(self.resolve(parts[1])),
            "Fn::If": lambda parts: self.resolve(parts[1 if self._condition(parts[0]) else 2]),
            "Fn::Equals": lambda pair: self.resolve(pair[0]) == self.resolve(pair[1]),
            "Fn::Not": lambda only: not self.resolve(only[0]),
            "Fn::And": lambda parts: all(self.resolve(parts)),
            "Fn::Or": lambda parts: any(self.resolve(parts)),
        }
        if name not in functions:
            raise TemplateError(f"no local meaning for {name}: {argument!r}")
        return functions[name](argument)

    def _condition(self, name: str) -> bool:
        if name not in self._conditions:
            raise TemplateError(f"no condition is called {name!r}")
        return bool(self.resolve(self._conditions[name]))

    def _reference(self, name: str) -> str | list[str]:
        if name in self._references:
            return self._references[name]
        match self._type_of(name):
            case "AWS::DynamoDB::Table" | "AWS::SecretsManager::Secret":
                return f"{self._stack_name}-{name}"
            case "AWS::Lambda::Function":
                return name
            case "AWS::Lambda::Alias":
                properties = self.resolve(self._resources[name]["Properties"])
                return f"{self._function_arn(properties['FunctionName'])}:{properties['Name']}"
            case other:
                raise TemplateError(f"no local meaning for a reference to {name!r} ({other})")

    def _attribute(self, logical_id: str, attribute: str) -> str:
        match self._type_of(logical_id), attribute:
            case "AWS::DynamoDB::Table", "Arn":
                table = self._reference(logical_id)
                return f"arn:aws:dynamodb:{REGION}:{ACCOUNT_ID}:table/{table}"
            case "AWS::Lambda::Function", "Arn":
                return self._function_arn(logical_id)
            case "AWS::Lambda::Version", "Version":
                return "1"
            case kind, _:
                raise TemplateError(f"no local meaning for {logical_id}.{attribute} ({kind})")

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
            raise TemplateError(f"nothing in the template is called {logical_id!r}")
        return str(self._resources[logical_id]["Type"])

    @staticmethod
    def _function_arn(name: str) -> str:
        return f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{name}"

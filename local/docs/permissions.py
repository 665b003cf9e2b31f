"""Write the tables of docs/permissions.md from template.yaml: the rights of every role.

`python -m local.docs.permissions` writes the tables between the lines `<!-- permissions -->` and
`<!-- /permissions -->`.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from local.stack.template import Template

PAGE = Path(__file__).resolve().parents[2] / "docs" / "permissions.md"
BEGIN, END = "<!-- permissions -->\n", "<!-- /permissions -->"

Statement = Mapping[str, Any]


def render(template: Template) -> str:
    """Return a table of the functions' roles, and a table of the roles of AWS's services."""
    roles = {role: list(_statements(template, role)) for role, _ in template.of_type(ROLE)}
    of_functions = {
        function["Properties"]["Role"]["Fn::GetAtt"][0]: template.functions[logical_id].folder
        for logical_id, function in template.of_type("AWS::Lambda::Function")
    }
    functions = {folder: roles[role] for role, folder in of_functions.items()}
    services = {name: rights for name, rights in roles.items() if name not in of_functions}
    return f"{_table('function', functions)}\n{_table('role of a service', services)}"


ROLE = "AWS::IAM::Role"


def _table(heading: str, rows: Mapping[str, list[Statement]]) -> str:
    lines = [f"| {heading} | on | may |", "|---|---|---|"]
    same: dict[tuple[str, ...], list[str]] = {}  # the names of the rows with the same rights
    for name, statements in sorted(rows.items()):
        same.setdefault(tuple(_rights(statements)), []).append(f"`{name}`")
    for rights, names in same.items():
        first, *further = rights
        lines.append(f"| {', '.join(names)} | {first} |")
        lines += [f"| | {right} |" for right in further]
    return "\n".join(lines) + "\n"


def _rights(statements: list[Statement]) -> list[str]:
    """Return two cells for each resource: the resource, and the actions that are allowed."""
    rights: dict[str, list[str]] = {}
    for statement in statements:
        actions = statement["Action"]
        on = _shown(str(statement["Resource"]), statement.get("Condition"))
        on += " | never " if statement["Effect"] == "Deny" else " | "
        rights.setdefault(on, []).extend([actions] if isinstance(actions, str) else actions)
    return [
        f"{on}{', '.join(f'`{action}`' for action in sorted(actions))}"
        for on, actions in sorted(rights.items())
    ]


def _shown(resource: str, condition: Mapping[str, Any] | None) -> str:
    """Return the name of a resource, and of the rows or the service to which a right is bound."""
    name = resource.split(":", 5)[-1].replace("partyline-", "")
    bound = [
        str(value)
        for keys in (condition or {}).values()
        for key, values in keys.items()
        if key != "dynamodb:LeadingKeys" or isinstance(values, list)
        for value in (values if isinstance(values, list) else [values])
    ]
    return f"`{name}`" + (f", only {', '.join(f'`{text}`' for text in bound)}" if bound else "")


def _statements(template: Template, role: str) -> Iterator[Statement]:
    for policy in template.transformed["Resources"][role]["Properties"].get("Policies", []):
        yield from template.resolver.resolve(policy["PolicyDocument"]["Statement"])


def write(template: Template) -> None:
    """Write the tables into the page."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{render(template)}\n{END}{after}")


if __name__ == "__main__":
    write(
        Template(
            {"TelnyxConnectionId": "0", "TelnyxPublicKeys": "A" * 43 + "=", "ReleaseSha": "0" * 40}
        )
    )

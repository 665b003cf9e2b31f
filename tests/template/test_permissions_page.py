"""docs/permissions.md shows the rights of every role of the template."""

from local.docs.permissions import BEGIN, END, PAGE, render
from local.stack.template import Template


def test_the_page_shows_every_right_of_every_role(template: Template) -> None:
    shown = PAGE.read_text().partition(BEGIN)[2].partition(END)[0]
    assert shown.strip() == render(template).strip(), "stale: python -m local.docs.permissions"
    names = [role for role, _ in template.of_type("AWS::IAM::Role")]
    folders = {f"{name}Role": function.folder for name, function in template.functions.items()}
    for name in names:
        assert f"`{folders.get(name, name)}`" in shown, name

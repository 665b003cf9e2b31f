"""The routes of the webhooks, read from the template and compared with the layer's table."""

from local.stack.template import Template
from partyline.telnyx.webhooks import WEBHOOK_TYPES


def test_exactly_the_webhook_types_with_a_function_have_a_route(template: Template) -> None:
    routes = {
        route.key: template.functions[route.function].folder
        for route in template.routes
        if route.path.startswith("/webhooks")
    }
    own = [name for name, webhook in WEBHOOK_TYPES.items() if webhook.has_function]

    assert routes == {
        "POST /webhooks": "webhook_default",
        "POST /webhooks/{event_type}": "webhook_default",
        **{f"POST /webhooks/{name}": name.replace(".", "_") for name in own},
    }

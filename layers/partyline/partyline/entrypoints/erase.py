"""The erasures: once a minute, gives each erasure that is due a pass."""

from collections.abc import Callable
from typing import Any

from partyline.bootstrap import App, with_app
from partyline.entrypoints.sweep import time_left


def erase() -> Callable[[dict[str, Any], Any], dict[str, int]]:
    """The handler of the scheduled function. Its answer counts the passes."""

    def handle(app: App, _event: dict[str, Any], context: Any) -> dict[str, int]:
        return {"passes": app.eraser.run(time_left(context))}

    return with_app(handle)

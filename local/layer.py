"""The layer's folder, and its place among the folders of imports."""

import sys
from pathlib import Path

LAYER = Path(__file__).resolve().parents[1] / "layers" / "partyline"


def use_layer() -> None:
    """Let this process import `partyline`. The folder stands for Lambda's /opt/python."""
    if str(LAYER) not in sys.path:
        sys.path.append(str(LAYER))

"""Figures with their goals, and the table of figures."""

from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Figure:
    """A measured value. A figure with a goal is met when the value is at most the goal."""

    name: str
    value: float
    goal: float | None = None
    unit: str = "x"

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without a goal."""
        return None if self.goal is None else self.value <= self.goal


def show(console: Console, title: str, figures: list[Figure]) -> None:
    """Print figures under a title."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, show_header=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_column(justify="right")
    table.add_column()
    for figure in figures:
        goal = "" if figure.goal is None else f"at most {figure.goal:g}"
        verdict = {None: "", True: "[green]met[/green]", False: "[red]missed[/red]"}[figure.met]
        table.add_row(figure.name, f"{figure.value:.2f} {figure.unit}", goal, verdict)
    console.print(table)
    console.print()

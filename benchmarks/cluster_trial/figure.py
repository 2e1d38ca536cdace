"""What a trial finds out: one figure, and the goal it is held to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table.

    Attributes:
        what: was measured.
        value: measured.
        unit: of it and of its goal.
        goal: most that is allowed; None: it is told only.
        why: what is known of it.
    """

    what: str
    value: float
    unit: str = "s"
    goal: float | None = None
    why: str = ""

    @property
    def missed(self) -> bool:
        return self.goal is not None and self.value > self.goal


def table(rows: Sequence[tuple[str, Figure]]) -> str:
    """Markdown, as the log of measurements has it.

    Args:
        rows: trial and figure.
    """
    lines = ["| trial | what | measured | goal | |", "|---|---|---|---|---|"]
    for trial, one in rows:
        goal = "" if one.goal is None else f"{one.goal:g} {one.unit}".rstrip()
        measured = f"{one.value:.4g} {one.unit}".rstrip()
        measured = f"**{measured}**" if one.missed else measured
        lines.append(f"| {trial} | {one.what} | {measured} | {goal} | {one.why} |")
    return "\n".join(lines)

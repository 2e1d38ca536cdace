"""Panels side by side on one sheet. Panels in -> an SVG document out."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.plot.panel import Panel, wrapped
from pipeline.plot.svg import Drawing

_WIDTH = 960.0
_MARGIN, _BETWEEN = 24.0, 32.0
_TITLE, _FACTS = 18.0, 12.0


def sheet(title: str, facts: Sequence[str], panels: Sequence[Panel], *, columns: int = 2) -> str:
    """One document.

    Args:
        title: of all.
        facts: lines below it.
        panels: in the order in which they are read.
        columns: how many stand side by side.
    """
    inner = _WIDTH - 2 * _MARGIN
    width = (inner - _BETWEEN * (columns - 1)) / columns
    lines = [line for fact in facts for line in wrapped(fact, inner, _FACTS)]
    rows = [panels[first : first + columns] for first in range(0, len(panels), columns)]
    heights = [max(panel.height(width) for panel in row) for row in rows]
    head = _MARGIN + 24 + 18 * len(lines)
    bottom = head + sum(heights) + _BETWEEN * len(rows)
    drawing = Drawing(_WIDTH, bottom, title, _described(facts, panels))
    drawing.text((_MARGIN, _MARGIN + 14), title, _TITLE, bold=True)
    for number, line in enumerate(lines):
        drawing.text((_MARGIN, _MARGIN + 36 + 18 * number), line, _FACTS, role="grey")
    top = head + _BETWEEN / 2
    for row, height in zip(rows, heights, strict=True):
        for column, panel in enumerate(row):
            panel.draw(drawing, _MARGIN + column * (width + _BETWEEN), top, width)
        top += height + _BETWEEN
    return drawing.document()


def _described(facts: Sequence[str], panels: Sequence[Panel]) -> str:
    told = [": ".join([panel.title, *panel.notes]) for panel in panels]
    return ". ".join([*facts, *told])

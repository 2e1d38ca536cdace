"""Panels side by side on one sheet. Panels in -> an SVG document out."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.plot.panel import Panel, wrapped
from pipeline.plot.svg import Drawing, shortened

_WIDTH = 960.0
_MARGIN, _BETWEEN = 24.0, 32.0
_INNER = _WIDTH - 2 * _MARGIN
_TITLE, _FACTS = 18.0, 12.0


def sheet(title: str, facts: Sequence[str], panels: Sequence[Panel]) -> str:
    """One document.

    Args:
        title: of all.
        facts: lines below it.
        panels: in the order in which they are read.
    """
    lines = [line for fact in facts for line in wrapped(fact, _INNER, _FACTS)]
    rows = _rows(panels)
    heights = [max(panel.height(_width(panel)) for panel in row) for row in rows]
    head = _MARGIN + 24 + 18 * len(lines)
    bottom = head + sum(heights) + _BETWEEN * len(rows)
    spoken = "\n".join([*facts, *(panel.spoken for panel in panels)])
    drawing = Drawing(_WIDTH, bottom, title, spoken)
    place, shown = (_MARGIN, _MARGIN + 14), shortened(title, _INNER, _TITLE)
    drawing.text(place, shown, _TITLE, bold=True)
    for number, line in enumerate(lines):
        drawing.text((_MARGIN, _MARGIN + 36 + 18 * number), line, _FACTS, role="grey")
    top = head + _BETWEEN / 2
    for row, height in zip(rows, heights, strict=True):
        for column, panel in enumerate(row):
            left = _MARGIN + column * (_width(panel) + _BETWEEN)
            panel.draw(drawing, left, top, _width(panel))
        top += height + _BETWEEN
    return drawing.document()


def _rows(panels: Sequence[Panel]) -> list[list[Panel]]:
    """Two side by side, but for wide ones."""
    rows: list[list[Panel]] = []
    for panel in panels:
        if rows and len(rows[-1]) == 1 and not (panel.wide or rows[-1][0].wide):
            rows[-1].append(panel)
        else:
            rows.append([panel])
    return rows


def _width(panel: Panel) -> float:
    return _INNER if panel.wide else (_INNER - _BETWEEN) / 2

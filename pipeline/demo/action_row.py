"""Action in the picture: a bar per window, as high as its best score, and what truly happens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import pairwise

from pipeline.demo.chart import Chart
from pipeline.demo.layout import CELL_WIDTH, GAP, LEFT, RIGHT, Row
from pipeline.demo.material import HEADING, Material, heading, label
from pipeline.drawing.canvas import Canvas, text_width
from pipeline.drawing.legend import swatches
from pipeline.drawing.palette import GREY, NOTHING, RGB, RULE, class_colours

_HEIGHT, _TRUTH_HEIGHT, _LEGEND = 110, 30, 28
_NAME, _SCORE = 14, 13
_ABOVE = 24  # over the chart, for what stands on a bar of full height
_SILENT = ("below threshold", 0.0)  # a window of a head that may say nothing

Slot = tuple[float, float]
"""Left and right of a bar, pixels."""


def draw_action(canvas: Canvas, top: int, material: Material) -> list[Row]:
    """The section from `top` on; no rows where there are no records."""
    if not material.findings.windows:
        return []
    note = f"best label of each window and its score{material.trained('action')}"
    heading(canvas, top, "action", note)
    rows = [_draw_model(canvas, top + HEADING + _ABOVE, material)]
    if material.truth is not None:
        rows.append(_draw_truth(canvas, rows[0].bottom + GAP, material, material.truth.action))
    return rows


def _draw_model(canvas: Canvas, top: int, material: Material) -> Row:
    row = Row("action", "model", top, top + _HEIGHT)
    chart = Chart(material.grid, top, row.bottom, (0.0, 0.5, 1.0))
    label(canvas, row)
    chart.draw_scale(canvas, ".1f")
    best = [window.labels[0] if window.labels else _SILENT for window in material.findings.windows]
    names = Counter(name for name, _ in best)
    said = [name for name, _ in names.most_common() if name != _SILENT[0]]
    colours = class_colours(said)
    slots = _slots(chart, material)
    roomy = all(
        text_width(name, _NAME) < right - left
        for (left, right), (name, _) in zip(slots, best, strict=True)
    )
    for slot, (name, score) in zip(slots, best, strict=True):
        _draw_bar(canvas, chart, slot, score, colours.get(name, NOTHING))
        if roomy:
            canvas.text((sum(slot) / 2, chart.y(score) - 22), name, _NAME, anchor="ms")
    return row if roomy else _named(canvas, row, colours, names)


def _draw_bar(canvas: Canvas, chart: Chart, slot: Slot, score: float, fill: RGB) -> None:
    top = chart.y(score)
    canvas.rectangle((slot[0], top, slot[1], chart.bottom), fill)
    number = f"{score:.2f}"
    if text_width(number, _SCORE) < slot[1] - slot[0]:
        canvas.text((sum(slot) / 2, top - 6), number, _SCORE, fill=GREY, anchor="ms")


def _named(canvas: Canvas, row: Row, colours: Mapping[str, RGB], names: Counter[str]) -> Row:
    """The row with a line of names below it, where they do not fit over the bars."""
    total = names.total()
    entries = [(rgb, f"{name}: {names[name]} of {total}") for name, rgb in colours.items()]
    swatches(canvas, (LEFT, row.bottom + 22), entries, right=RIGHT)
    return Row(row.section, row.shows, row.top, row.bottom + _LEGEND)


def _draw_truth(canvas: Canvas, top: int, material: Material, action: str) -> Row:
    row = Row("action", "truth", top, top + _TRUTH_HEIGHT)
    label(canvas, row)
    grid = material.grid
    left, right = grid.middle(0), grid.middle(len(grid.times_s) - 1)
    canvas.rectangle((left, row.top, max(right, left + CELL_WIDTH), row.bottom), RULE, radius=4)
    middle = (row.top + row.bottom) / 2
    canvas.text((left + 12, middle), f"{action}, all through the clip", 16, anchor="lm")
    return row


def _slots(chart: Chart, material: Material) -> list[Slot]:
    """Windows overlap, so each is drawn around its middle, half-way to its neighbours'."""
    spans = [
        (material.seconds(window.start_us), material.seconds(window.end_us))
        for window in material.findings.windows
    ]
    middles = [chart.x((start + end) / 2) for start, end in spans]
    inner = [(one + two) / 2 for one, two in pairwise(middles)]
    if not inner:  # one window: its own span, of one frame perhaps
        half = max(chart.x(spans[0][1]) - chart.x(spans[0][0]), CELL_WIDTH / 2) / 2
        return [(middles[0] - half, middles[0] + half)]
    first, last = 2 * middles[0] - inner[0], 2 * middles[-1] - inner[-1]
    edges = [first, *inner, last]
    gap = 1.5 if min(right - left for left, right in pairwise(edges)) > 12 else 0.0
    return [(left + gap, right - gap) for left, right in pairwise(edges)]

"""A contact sheet: what became of the frames, step by step, and some of the pictures.

A funnel and what was chosen in -> one picture out.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image

from pipeline.curate.chosen import Chosen
from pipeline.curate.funnel import Funnel, Step
from pipeline.drawing.canvas import Box, Canvas, shortened
from pipeline.drawing.cells import GAP, MARGIN, WIDTH, Cells
from pipeline.drawing.palette import ACCENT, GREY, RULE
from pipeline.search.when import moment

COLUMNS, MOST = 6, 24
HEADER, STEP = 60, 30
_WORDS, _BAR, _COUNT = 360, 560, 90  # where a step's bar begins, how long it is, room for a number


def contact_sheet(funnel: Funnel, chosen: Sequence[Chosen]) -> Image.Image:
    """
    Args:
        funnel: of all candidates.
        chosen: every one.
    """
    shown, steps = _shown(chosen), list(funnel.steps())
    cells = Cells(len(shown), COLUMNS, HEADER + len(steps) * STEP + GAP)
    total = cells.bottom + MARGIN
    canvas = Canvas(WIDTH, total)
    title = f"{funnel.taken} pictures of {funnel.recordings} recordings"
    if len(shown) < funnel.taken:
        title += f", {len(shown)} of them shown"
    canvas.text((MARGIN, 40), title, 24, bold=True)
    for number, step in enumerate(steps):
        _draw_step(canvas, step, HEADER + number * STEP, steps[0].count)
    for number, one in enumerate(shown):
        _draw_picture(canvas, one, cells.box(number))
    return canvas.finish(total)


def _shown(chosen: Sequence[Chosen]) -> list[Chosen]:
    """One of each cluster, the largest first, then another one of each."""
    turns: dict[int, int] = {}
    ranked = []
    for number, one in enumerate(chosen):
        if one.decision.verdict == "taken":
            cluster = one.decision.cluster or 0
            turns[cluster] = turns.get(cluster, -1) + 1
            ranked.append((turns[cluster], cluster, number))
    return [chosen[number] for _, _, number in sorted(ranked)[:MOST]]


def _draw_step(canvas: Canvas, step: Step, top: float, most: int) -> None:
    """A bar as long as the square root of its count: from thousands to tens."""
    begin = MARGIN + _WORDS
    length = _BAR * (step.count / most) ** 0.5 if most else 0
    canvas.text((MARGIN, top + 20), step.what, 17)
    canvas.rectangle((begin, top + 5, begin + _BAR, top + 24), fill=RULE)
    if length >= 1:
        canvas.rectangle((begin, top + 5, begin + length, top + 24), fill=ACCENT)
    canvas.text((begin + _BAR + 12, top + 20), str(step.count), 17, bold=True)
    left = begin + _BAR + _COUNT
    gone = shortened(step.gone, 16, WIDTH - MARGIN - left)
    canvas.text((left, top + 20), gone, 16, fill=GREY)


def _draw_picture(canvas: Canvas, one: Chosen, box: Box) -> None:
    left, _, right, bottom = box
    with Image.open(io.BytesIO(one.entry.candidate.jpeg)) as picture:
        canvas.fit(picture.convert("RGB"), box)
    canvas.text((left, bottom + 20), shortened(one.entry.stream, 15, right - left), 15)
    when = f"{moment(one.entry.candidate.time_us)}, cluster {one.decision.cluster}"
    canvas.text((left, bottom + 40), shortened(when, 14, right - left), 14, fill=GREY)

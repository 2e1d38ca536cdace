"""All that the picture is drawn from, and the two things that every section of it has.

Findings, maps, stills and truth in -> headings and rows of cells out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.demo.findings import Findings, FrameMaps, Shot
from pipeline.demo.layout import LEFT, MARGIN, RIGHT, Grid, Row
from pipeline.demo.truth import Truth
from pipeline.drawing.canvas import Canvas
from pipeline.drawing.palette import GREY, INK, RULE

HEADING = 66  # a heading's height with the space above it
_RULE_BELOW, _NAME_BELOW = 16, 50


@dataclass(frozen=True, slots=True)
class Material:
    """What is drawn.

    Attributes:
        name: of the clip.
        findings: what the sink holds of it.
        shots: the frames that are shown, one a column.
        stills: position -> their pixels, RGB uint8 `[H, W, 3]`.
        maps: position -> their maps.
        truth: what the scene knows; None for footage.
    """

    name: str
    findings: Findings
    shots: tuple[Shot, ...]
    stills: Mapping[str, NDArray[np.uint8]]
    maps: Mapping[str, FrameMaps]
    truth: Truth | None = None

    def seconds(self, time_us: int) -> float:
        """Time since the clip's first sampled frame."""
        return (time_us - self.findings.shots[0].time_us) / 1e6

    @property
    def grid(self) -> Grid:
        """Columns for the frames that are shown."""
        times_s = tuple(self.seconds(shot.time_us) for shot in self.shots)
        return Grid(self.findings.source_hw, times_s)

    def trained(self, topic: str) -> str:
        """What a heading says of a topic's weights, with the comma before it."""
        if topic in self.findings.untrained:
            return ", untrained"
        foreign = topic in self.findings.out_of_domain
        return ", trained on rendered scenes alone" if foreign else ""


def heading(canvas: Canvas, top: float, name: str, note: str) -> float:
    """A section's rule, name and note; the baseline they stand on."""
    rule, baseline = top + _RULE_BELOW, top + _NAME_BELOW
    canvas.line([(MARGIN, rule), (RIGHT, rule)], RULE)
    canvas.text((MARGIN, baseline), name, 21, bold=True)
    # The note begins where the columns do, or behind a long name.
    canvas.text((max(LEFT, MARGIN + 150), baseline), note, 15, fill=GREY)
    return baseline


def cells(
    canvas: Canvas,
    grid: Grid,
    row: Row,
    pictures: Mapping[int, NDArray[np.uint8]],
    *,
    smooth: bool = True,
) -> Row:
    """Draw a row of pictures; columns without one get an empty frame.

    Args:
        row: where it goes.
        pictures: column -> RGB uint8 `[H, W, 3]`.
        smooth: interpolate; cells of class maps must keep their edges.
    """
    label(canvas, row)
    for column in range(len(grid.times_s)):
        box = grid.cell(column, row.top)
        if column in pictures:
            canvas.paste(Image.fromarray(pictures[column]), box, smooth=smooth)
        else:
            canvas.rectangle(box, outline=RULE)
    return row


def label(canvas: Canvas, row: Row) -> None:
    """The row's name, left of it."""
    middle = (row.top + row.bottom) / 2
    bold = row.shows != "truth"
    canvas.text((MARGIN, middle), row.shows, 17, fill=INK if bold else GREY, anchor="lm")

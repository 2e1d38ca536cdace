"""The picture of a run: frames in columns, a row per operator, the truth where it is known.

Material in -> an image 1600 pixels wide out, and where its rows are. Must not read sinks or clips.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from pipeline.demo.action_row import draw_action
from pipeline.demo.depth_rows import draw_depth
from pipeline.demo.embedding_row import draw_embedding
from pipeline.demo.layout import MARGIN, RIGHT, WIDTH, Row
from pipeline.demo.material import Material, cells
from pipeline.demo.pca_row import draw_pca
from pipeline.demo.segmentation_rows import draw_segmentation
from pipeline.demo.tracks_rows import draw_tracks
from pipeline.drawing.canvas import Canvas, shortened
from pipeline.drawing.palette import GREY
from pipeline.drawing.warning import warning_sign, warning_text

_TALLEST = 3000
_HEADER = 104
_TIMES = 30
_DRAWN = {"depth", "segmentation", "pca", "tracks", "action", "embedding"}
_SECTIONS: tuple[Callable[[Canvas, int, Material], list[Row]], ...] = (
    draw_depth,
    draw_segmentation,
    draw_pca,
    draw_tracks,
    draw_action,
    draw_embedding,
)


@dataclass(frozen=True, slots=True)
class Picture:
    """What was drawn.

    Attributes:
        image: RGB, 1600 pixels wide.
        rows: from top to bottom.
        warning: what it says of values that are not to be believed, "" where there are none.
    """

    image: Image.Image
    rows: tuple[Row, ...]
    warning: str


def draw_picture(material: Material) -> Picture:
    """Draw everything that there are records of."""
    canvas = Canvas(WIDTH, _TALLEST)
    warning = _draw_header(canvas, material)
    rows = [_draw_frames(canvas, _HEADER, material)]
    for draw in _SECTIONS:
        rows += draw(canvas, rows[-1].bottom, material)
    return Picture(canvas.finish(rows[-1].bottom + MARGIN), tuple(rows), warning)


def _draw_header(canvas: Canvas, material: Material) -> str:
    findings = material.findings
    title = shortened(f"dinostream: {material.name}", 30, WIDTH / 2)
    canvas.text((MARGIN, 56), title, 30, bold=True)
    height, width = findings.source_hw
    facts = (
        f"{width} x {height} pixels",
        f"{len(findings.shots)} frames sampled, {len(material.shots)} shown",
        findings.model,
    )
    canvas.text((MARGIN, 84), "  \u00b7  ".join(facts), 16, fill=GREY)
    warning = warning_text(
        untrained=bool(findings.untrained & _DRAWN),
        out_of_domain=bool(findings.out_of_domain & _DRAWN),
    )
    if warning:
        warning_sign(canvas, warning, RIGHT, 34)
    return warning


def _draw_frames(canvas: Canvas, top: int, material: Material) -> Row:
    grid = material.grid
    for column, time_s in enumerate(grid.times_s):
        text = _clock(time_s, long=grid.times_s[-1] >= 60)
        canvas.text((grid.middle(column), top + 20), text, 16, fill=GREY, anchor="ms")
    row = Row("frames", "frames", top + _TIMES, top + _TIMES + grid.cell_height)
    pictures = {
        column: material.stills[shot.position]
        for column, shot in enumerate(material.shots)
        if shot.position in material.stills
    }
    return cells(canvas, grid, row, pictures)


def _clock(time_s: float, *, long: bool) -> str:
    """`4.2 s`, and `0:04.2` in clips of a minute or more."""
    if not long:
        return f"{time_s:.1f} s"
    minutes, seconds = divmod(time_s, 60)
    return f"{int(minutes)}:{seconds:04.1f}"

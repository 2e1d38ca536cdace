"""A contact sheet: a picture of every episode, with its score and when it was.

Episodes and their pictures in -> one picture out. Knows nothing of where pictures come from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PIL import Image

from operators.errors import DinostreamError
from pipeline.drawing.canvas import Box, Canvas, shortened, text_width
from pipeline.drawing.cells import MARGIN, WIDTH, Cells
from pipeline.drawing.palette import GREY, INK, NOTHING
from pipeline.search.episode import Episode
from pipeline.search.when import length, moment

COLUMNS, HEADER = 4, 64

PictureOf = Callable[[Episode], Image.Image]
"""Raises `DinostreamError` where there is none: its text says why."""


def contact_sheet(
    question: str,
    episodes: Sequence[Episode],
    picture_of: PictureOf,
    asked: Sequence[Image.Image] = (),
) -> Image.Image:
    """
    Args:
        question: what was asked for, in words.
        episodes: the answer, the best first.
        picture_of: gives each a picture.
        asked: pictures that it was asked with.
    """
    cells = Cells(len(asked) + len(episodes), COLUMNS, HEADER)
    total = cells.bottom + MARGIN
    canvas = Canvas(WIDTH, total)
    canvas.text((MARGIN, 41), shortened(question, 24, WIDTH - 2 * MARGIN), 24, bold=True)
    for number, picture in enumerate(asked):
        left, _, _, bottom = box = cells.box(number)
        canvas.fit(picture, box)
        canvas.text((left, bottom + 22), "asked with this", 18, bold=True)
    for number, episode in enumerate(episodes):
        _episode(canvas, number + 1, episode, picture_of, cells.box(len(asked) + number))
    return canvas.finish(total)


def _episode(canvas: Canvas, rank: int, episode: Episode, picture_of: PictureOf, box: Box) -> None:
    left, _, right, bottom = box
    try:
        canvas.fit(picture_of(episode), box)
    except DinostreamError as error:
        _write(canvas, str(error), box)
    told = f"{rank}.  {episode.score:.3f}"
    end = canvas.text((left, bottom + 22), told, 18, bold=True)
    stream = shortened(episode.best.series.stream, 16, right - end - 12)
    canvas.text((end + 12, bottom + 22), stream, 16, fill=GREY)
    lasts = f"{moment(episode.best.time_us)}, {length(episode)}"
    canvas.text((left, bottom + 44), shortened(lasts, 15, right - left), 15, fill=GREY)


def _write(canvas: Canvas, text: str, box: Box) -> None:
    """Why there is no picture, where it would be."""
    left, top, right, _ = box
    canvas.rectangle(box, fill=NOTHING)
    lines, line = [], ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if text_width(longer, 15) > right - left - 24 and line:
            lines.append(line)
            longer = word
        line = longer
    for number, one in enumerate([*lines, line][:8]):
        told = shortened(one, 15, right - left - 24)
        canvas.text((left + 12, top + 28 + number * 20), told, 15, fill=INK)

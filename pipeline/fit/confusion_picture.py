"""A confusion matrix as a picture: what each class is taken for, as shares of its row.

Counts and names in -> an image out. Near white is none, dark blue is all: one hue, by lightness.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.drawing.canvas import Canvas, shortened, text_width
from pipeline.drawing.palette import GREY, INK, PAPER, RGB, RULE

MOST = 30  # classes that are shown: the largest

_WIDTH = 1600
_MARGIN, _TOP = 40, 130
_NAMES = 210  # room for names at the left and below
_DEEP = np.array((8, 69, 148))
_PALE = np.array((247, 251, 255))
_SAID = 0.005  # shares below are left blank


def confusion_picture(
    confusion: NDArray[np.int64], labels: Sequence[str], *, title: str, unit: str
) -> Image.Image:
    """Draw it.

    Args:
        confusion: `[K, K]`, rows truth, columns answer.
        labels: K names.
        title: what was measured.
        unit: what is counted: pixels, windows or pictures.
    """
    shown = _largest(confusion)
    counts = confusion[np.ix_(shown, shown)]
    rows = confusion[shown].sum(axis=1)
    left = _MARGIN + _NAMES
    cell = min(64.0, (_WIDTH - left - _MARGIN - 120) / len(shown))
    canvas = Canvas(_WIDTH, round(_TOP + cell * len(shown) + _NAMES + _MARGIN))
    canvas.text((_MARGIN, 50), shortened(title, 26, _WIDTH - 2 * _MARGIN), 26, bold=True)
    note = f"rows: truth, columns: answer, per cent of the row; at the right: {unit} of that class"
    if len(shown) < len(labels):
        note += f"; the {len(shown)} largest of {len(labels)} classes"
    canvas.text((_MARGIN, 84), note, 17, fill=GREY)
    names = [labels[id_] for id_ in shown]
    size = min(16.0, cell * 0.7)
    for row, name in enumerate(names):
        middle = _TOP + (row + 0.5) * cell
        canvas.text((left - 10, middle), shortened(name, size, _NAMES - 20), size, anchor="rm")
        for column in range(len(names)):
            share = counts[row, column] / max(rows[row], 1)
            x = left + column * cell
            box = (x, _TOP + row * cell, x + cell - 1, _TOP + (row + 1) * cell - 1)
            canvas.rectangle(box, _colour(share) if rows[row] else PAPER, outline=RULE)
            if share >= _SAID and cell >= 22:
                _number(canvas, (x + cell / 2, middle), share, size * 0.9)
        end = left + len(names) * cell + 8
        canvas.text((end, middle), f"{rows[row]:,}", min(14.0, size), fill=GREY, anchor="lm")
    _below(canvas, names, (left, _TOP + len(names) * cell + 10), cell, size)
    return canvas.finish(round(_TOP + cell * len(shown) + _below_height(names, size) + _MARGIN))


def _largest(confusion: NDArray[np.int64]) -> list[int]:
    """Ids of the classes that occur, the largest `MOST`, in their own order."""
    weight = confusion.sum(axis=0) + confusion.sum(axis=1)
    ordered = np.argsort(-weight, kind="stable")[:MOST]
    kept = [int(id_) for id_ in ordered if weight[id_]]
    return sorted(kept) or [0]


def _number(canvas: Canvas, middle: tuple[float, float], share: float, size: float) -> None:
    ink = PAPER if share > 0.3 else INK
    canvas.text(middle, f"{100 * share:.0f}", size, fill=ink, anchor="mm")


def _below(
    canvas: Canvas, names: Sequence[str], origin: tuple[float, float], cell: float, size: float
) -> None:
    """Names of the columns on falling steps, so that long ones stay apart."""
    steps = _steps(names, cell, size)
    for column, name in enumerate(names):
        x = origin[0] + (column + 0.5) * cell
        y = origin[1] + (column % steps) * (size + 6)
        canvas.line([(x, origin[1] - 8), (x, y)], RULE)
        canvas.text((x, y + size / 2), shortened(name, size, _NAMES), size, anchor="mm")


def _steps(names: Sequence[str], cell: float, size: float) -> int:
    widest = max(min(text_width(name, size), _NAMES) for name in names)
    return max(1, min(len(names), int(np.ceil((widest + 8) / cell))))


def _below_height(names: Sequence[str], size: float) -> float:
    return 20 + len(names) * (size + 6) if len(names) < 6 else 20 + 8 * (size + 6)


def _colour(share: float) -> RGB:
    red, green, blue = np.rint(_PALE + (_DEEP - _PALE) * np.sqrt(share)).astype(int).tolist()
    return red, green, blue

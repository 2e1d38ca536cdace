"""Actions on a sheet: bars as long as the scores of the window that is running."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.drawing.canvas import Canvas, shortened
from pipeline.drawing.palette import ACCENT, GREY, RULE
from pipeline.records.record import Message
from pipeline.render.layout import Cell
from pipeline.render.panel import Pixels
from pipeline.render.track import Track, span_us

BARS = 5
_NAMES, _SCORES = 0.38, 64  # share of the width for names; pixels for scores
_HEADING, _TALLEST_BAR = 40, 56


class ActionPanel:
    """The labels of the window whose middle is nearest, the highest score first."""

    title, note = "action", "labels of the current window and their scores, 0 to 1"

    def __init__(self, track: Track) -> None:
        """
        Args:
            track: the topic's windows.
        """
        self._track = track
        self._shown: Message | None = None
        self._picture: Pixels | None = None

    def draw_legend(self, canvas: Canvas, cell: Cell) -> None:
        """The picture says it all."""

    def picture(self, moment_us: int, frame: Pixels, began_us: int) -> Pixels:
        """Drawn again where the window is another one."""
        message = self._track.at(moment_us)
        if self._picture is None or message is not self._shown:
            self._shown = message
            height, width = frame.shape[:2]
            canvas = Canvas(width, height)
            _draw(canvas, (width, height), message, began_us)
            self._picture = np.asarray(canvas.finish(height))
        return self._picture


def _draw(canvas: Canvas, size_wh: tuple[int, int], message: Message | None, began_us: int) -> None:
    canvas.rectangle((0, 0, *size_wh), outline=RULE)
    if message is None:
        canvas.text((16, 28), "no window yet", 17, fill=GREY)
        return
    start_s, end_s = ((us - began_us) / 1e6 for us in span_us(message))
    canvas.text((16, 28), f"window {start_s:.1f} to {end_s:.1f} s", 15, fill=GREY)
    labels = json.loads(message.value)["labels"][:BARS]
    if not labels:
        canvas.text((16, _HEADING + 28), "nothing above its threshold", 17)
    _draw_bars(canvas, size_wh, labels)


def _draw_bars(
    canvas: Canvas, size_wh: tuple[int, int], labels: Sequence[Mapping[str, Any]]
) -> None:
    width, height = size_wh
    pitch = min(_TALLEST_BAR, (height - _HEADING - 8) / BARS)
    size = min(18.0, pitch * 0.6)
    left, right = 16 + _NAMES * width, width - _SCORES
    for number, label in enumerate(labels):
        top = _HEADING + number * pitch
        middle = top + pitch / 2
        name = shortened(label["name"], size, left - 28)
        canvas.text((16, middle), name, size, anchor="lm", bold=not number)
        full = (left, top + pitch * 0.2, right, top + pitch * 0.8)
        canvas.rectangle(full, RULE, radius=3)
        length = max(1.0, min(1.0, label["score"]) * (right - left))
        fill = ACCENT if not number else GREY
        canvas.rectangle((left, full[1], left + length, full[3]), fill, radius=3)
        canvas.text((right + 10, middle), f"{label['score']:.2f}", size, anchor="lm")

"""A recording whose every number is known: maps, pictures that tell their frame, one class each."""

from __future__ import annotations

import io
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from operators.png import grey16_png, palette_png
from pipeline.records.message import labels_message
from pipeline.records.record import Message
from tests.pipeline.view.conftest import RECORDING, SECOND_US, Book

CELL = 4  # pixels of the source that a cell of its maps has, either way
FRAMES = 50
STEP_US = SECOND_US // 5
NAMES = ("sky", "road", "grass")
WIDE_HW, UPRIGHT_HW = (9, 16), (16, 9)  # cells


class Scene:
    """Depth is one number of 16 bits per cell, and every cell of a frame has another one."""

    def __init__(self, stream: str, grid_hw: tuple[int, int] = WIDE_HW, **depth: str) -> None:
        """
        Args:
            stream: its name.
            grid_hw: cells of its maps.
            depth: attributes of its depth records: depthkind, depthscale.
        """
        self.stream = stream
        self.grid_hw = grid_hw
        self._said = {"depthscale": "1", "depthkind": "metric", "sourceheight": str(self._high)}
        self._said |= {"sourcewidth": str(self._wide), "labelset": "three"} | depth

    def steps(self, number: int) -> NDArray[np.uint16]:
        """Depth of a frame, as it is stored; 0, which is unknown, in its first cell."""
        cells = self.grid_hw[0] * self.grid_hw[1]
        spread = 1 + (np.arange(cells) * 6151 + number * 7919) % 65_535
        spread[0] = 0
        return spread.astype(np.uint16).reshape(self.grid_hw)

    def classes(self, number: int) -> NDArray[np.uint8]:
        """Class ids of a frame; the first one is the largest."""
        cells = np.arange(self.grid_hw[0] * self.grid_hw[1]) + number
        return np.array([0, 0, 0, 1, 1, 2], np.uint8)[cells % 6].reshape(self.grid_hw)

    def grey(self, number: int) -> int:
        """Of all of a frame's picture."""
        return 4 + 5 * number

    def write(self, book: Book, pictures: Collection[int] = range(FRAMES)) -> None:
        """All of it, with pictures of those frames."""
        colours = [(10, 20, 30)] * len(NAMES)
        labels = [{"id": id, "name": name, "rgb": [10, 20, 30]} for id, name in enumerate(NAMES)]
        told = [labels_message("three", labels)]
        for number in range(FRAMES):
            classes = palette_png(self.classes(number), colours)
            told.append(self._map(book, number, "depth", grey16_png(self.steps(number))))
            told.append(self._map(book, number, "segmentation", classes))
            if number in pictures:
                told.append(self._map(book, number, "frames", self._picture(number)))
        book.write(*told)
        book.stands(self.stream, session=RECORDING, status="ok")

    def write_tracks(self, book: Book, number: int, tracks: Sequence[Mapping[str, object]]) -> None:
        """What is tracked in a frame."""
        value = json.dumps({"tracks": list(tracks)}).encode()
        json_of = {"content-type": "application/json"}
        message = self._map(book, number, "tracks", value)
        book.write(replace(message, headers={**message.headers, **json_of}))

    def at(self, number: int, **query: object) -> str:
        """Address of a frame on the page."""
        seconds, part_us = divmod(number * STEP_US, SECOND_US)
        told: Mapping[str, object] = {
            "axis": RECORDING,
            "t": f"1970-01-01T00:00:{seconds:02}.{part_us:06}Z",
            **query,
        }
        return f"#/s/{self.stream}?" + "&".join(f"{name}={value}" for name, value in told.items())

    def _map(self, book: Book, number: int, topic: str, value: bytes) -> Message:
        return book.frame(
            number,
            stream=self.stream,
            session=RECORDING,
            topic=topic,
            time_us=number * STEP_US,
            value=value,
            **self._said,
        )

    def _picture(self, number: int) -> bytes:
        file = io.BytesIO()
        picture = Image.new("L", (self._wide, self._high), self.grey(number))
        picture.save(file, "JPEG", quality=95)
        return file.getvalue()

    @property
    def _high(self) -> int:
        return self.grid_hw[0] * CELL

    @property
    def _wide(self) -> int:
        return self.grid_hw[1] * CELL

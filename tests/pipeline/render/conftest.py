"""A small recording, and records of it whose pixels are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from operators.frames import FrameInfo
from operators.png import grey16_png, palette_png, rgb_png
from operators.result import JSON, PNG, Result, canonical_json
from pipeline.configuration.resolve import resolve
from pipeline.configuration.streams import stream_specs
from pipeline.records.message import Publisher, labels_message
from pipeline.records.record import Message
from pipeline.render.film import Outputs
from pipeline.render.rendering import Wish
from pipeline.sinks.uri import open_sink

SOURCE = "synthetic:room?seed=3&seconds=2&fps=10&size=160x90"
LABELS = [
    {"id": 0, "name": "wall", "rgb": [1, 1, 1]},
    {"id": 1, "name": "floor", "rgb": [2, 2, 2]},
]
NEAR_M, FAR_M = 1.0, 5.0


def halves(left: Any, right: Any, dtype: type[np.generic]) -> Any:
    """A map 12 cells wide, its halves of one value each."""
    shape = (9, 12, *np.shape(left))
    values = np.empty(shape, dtype)
    values[:, :6], values[:, 6:] = left, right
    return values


@dataclass(frozen=True)
class Records:
    """Builds the records of the recording's frames: every half second the halves change places."""

    session: str
    operator: Any
    stream: str = "cam"
    model: str = "dinov2_vitti14-0123456789ab"
    variant: str = "0123456789ab"

    def info(self, number: int) -> FrameInfo:
        """The n-th frame of ten in a second."""
        return FrameInfo(
            self.stream, self.session, str(number), number, Fraction(1, 10), number * 100_000, 0,
            (90, 160),
        )  # fmt: skip

    def of(
        self, info: FrameInfo, topic: str, content_type: str, data: bytes, **more: Any
    ) -> Message:
        """One message."""
        result = Result(info, topic, content_type, data, more.pop("attributes", {}), **more)
        publisher = Publisher(self.stream, "feedfacecafe", self.model)
        return publisher.record(result, self.variant, self.operator)

    def maps(self, number: int) -> list[Message]:
        """Depth, segmentation and pca of one frame."""
        info, turned = self.info(number), number % 10 >= 5
        near, far = int(NEAR_M * 1000), int(FAR_M * 1000)
        depth = halves(*((far, near) if turned else (near, far)), np.uint16)
        classes = halves(*((1, 0) if turned else (0, 1)), np.uint8)
        red, blue = (200, 0, 0), (0, 0, 200)
        colours = halves(*((blue, red) if turned else (red, blue)), np.uint8)
        metric = {"depthkind": "metric", "depthscale": "0.001", "depthdomain": "own"}
        palette = [label["rgb"] for label in LABELS]
        return [
            self.of(info, "depth", PNG, grey16_png(depth), attributes=metric),
            self.of(
                info, "segmentation", PNG, palette_png(classes, palette),
                attributes={"labelset": "two"},
            ),
            self.of(info, "pca", PNG, rgb_png(colours)),
        ]  # fmt: skip

    def window(self, first: int, last: int, name: str, score: float) -> Message:
        """One action record."""
        ends = {
            side: {"position": info.position, "time": f"1970-01-01T00:00:{number / 10:09.6f}Z"}
            for side, number, info in (
                ("start", first, self.info(first)),
                ("end", last, self.info(last)),
            )
        }
        labels = [{"id": 0, "name": name, "score": score}]
        said = {**ends, "frames": 8, "partial": False, "labels": labels}
        return self.of(self.info(last), "action", JSON, canonical_json(said))

    def all(self) -> list[Message]:
        """Maps of every fifth frame, and two windows."""
        maps = [message for number in range(0, 20, 5) for message in self.maps(number)]
        windows = [self.window(0, 7, "orbit", 0.9), self.window(8, 15, "collide", 0.4)]
        return [labels_message("two", LABELS), *maps, *windows]


@pytest.fixture
def spec() -> Any:
    (spec,) = stream_specs(resolve(None, {"sources": [SOURCE], "sink": "sqlite:x"}), live=False)
    return spec


@pytest.fixture
def records(spec: Any, build: Any) -> Records:
    return Records(spec.session, build.operator())


@pytest.fixture
def stored(tmp_path: Path) -> Callable[..., str]:
    """`stored(messages)`: a sink that holds them."""

    def put(messages: Sequence[Message], name: str = "results.db") -> str:
        uri = f"sqlite:{tmp_path / name}"
        sink = open_sink(uri)
        sink.publish(messages)
        sink.close()
        return uri

    return put


@pytest.fixture
def wish(spec: Any, records: Records, stored: Callable[..., str]) -> Callable[..., Wish]:
    """`wish(outputs)`: to draw all of the records; anything may be changed."""

    def made(outputs: Outputs, messages: Sequence[Message] = (), **changes: Any) -> Wish:
        sink = stored(messages or records.all())
        whole = Wish(sink, spec, outputs, ("depth", "segmentation", "pca", "action"))
        return replace(whole, **changes)

    return made

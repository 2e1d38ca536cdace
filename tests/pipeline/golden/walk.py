"""Records of tracks that no random detector gives for sure: a thing walks through a zone and over
the line in it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import partial

import numpy as np

from operators.backbones.architectures import ARCHITECTURES
from operators.frames import FrameInfo
from operators.places.places import Places
from operators.places.shapes import Line, Zone
from operators.registry import build_operator
from operators.track.operator import Tracking
from pipeline.records.message import Publisher
from pipeline.records.record import Message

DOCK = Zone("dock", ((0.3, 0.0), (0.7, 0.0), (0.7, 1.0), (0.3, 1.0)))
GATE = Line("gate", ((0.5, 1.0), (0.5, 0.0)))


def walked() -> Iterator[Message]:
    """The last record of each topic."""
    build = partial(
        build_operator, architecture=ARCHITECTURES["dinov2_vitti14"], backbone_sha256="a" * 64
    )
    track = build("track", {}).beside({"detect": build("detect", {}, random_seed=0)})
    assert isinstance(track, Tracking)
    track.place("yard", Places((DOCK,), (GATE,)))
    results = [
        result
        for number in range(10)
        for result in track.say(_info(number), *_detected(0.1 + 0.08 * number))
    ]
    publisher = Publisher("yard", "feedfacecafe", "dinov2_vits14-b938bf1bc15c")
    for result in {one.operator: one for one in results}.values():
        yield publisher.record(result, "5f0c1d2e3a4b", track)


def _detected(x: float) -> tuple[np.ndarray, ...]:
    """One thing: its box, its score, its label and its look."""
    box = np.array([[x - 0.05, 0.4, x + 0.05, 0.6]], np.float32)
    return box, np.full(1, 0.75, np.float32), np.ones(1, np.float32), np.eye(1, 8, dtype=np.float32)


def _info(number: int) -> FrameInfo:
    return FrameInfo(
        stream="yard",
        session="a1b2c3d4e5f6",
        position=str(number * 18_000),
        pts=number * 18_000,
        time_base=Fraction(1, 90_000),
        event_time_us=1_763_830_800_000_000 + number * 200_000,
        ingest_time_us=1_763_830_801_000_000,
        source_hw=(360, 640),
    )

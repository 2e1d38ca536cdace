"""What map records hold, as arrays: depth, ids, colours, distances; when and where a record is of.

Messages in -> numbers out. Knows no drawing and no sink.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from operators.anomaly.summary import STEP
from operators.moment import microseconds
from pipeline.records.record import Message


@dataclass(frozen=True, slots=True)
class DepthMap:
    """One depth record.

    Attributes:
        values: float32 `[h, w]`, NaN where unknown: metres, or disparity without a unit.
        metric: metres, where larger is farther; else larger is nearer.
    """

    values: NDArray[np.float32]
    metric: bool


def depth_map(message: Message) -> DepthMap:
    """The values of a record of topic `depth`."""
    metric = message.headers.get("ce_depthkind") == "metric"
    steps = _pixels(message.value).astype(np.float32)
    scale = np.float32(message.headers["ce_depthscale"])
    return DepthMap(np.where(steps > 0, steps * scale, np.float32(np.nan)), metric)


def anomaly_map(message: Message) -> NDArray[np.float32]:
    """The distances of a record of topic `anomaly`, float32 `[h, w]`, one per patch."""
    return _pixels(message.value).astype(np.float32) * np.float32(STEP)


def class_ids(message: Message) -> NDArray[np.uint8]:
    """The ids of a record of topic `segmentation`, uint8 `[h, w]`."""
    return _pixels(message.value).astype(np.uint8)


def rgb_pixels(message: Message) -> NDArray[np.uint8]:
    """The colours of a record of topic `pca`, uint8 `[h, w, 3]`."""
    return _pixels(message.value).astype(np.uint8)


def time_us(text: str) -> int:
    """RFC 3339 as microseconds since the epoch."""
    moment = microseconds(datetime.fromisoformat(text))
    assert moment is not None
    return moment


def position_of(message: Message) -> str:
    """Of its frame: ids are `operator/stream/session/position/variant`."""
    return message.id.split("/")[3]


def pts_seconds(message: Message) -> Fraction | None:
    """Its frame's timestamp in the container; None where it has none."""
    pts = message.headers.get("ce_pts")
    return None if pts is None else int(pts) * Fraction(message.headers["ce_timebase"])


def _pixels(png: bytes) -> NDArray[np.generic]:
    with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
        return np.asarray(image)

"""What can be laid over a stream's picture: its maps, and what their numbers mean.

A stream's axis -> JSON values. Scales are of some records that lie evenly over the axis, and held,
so that colours do not flicker from frame to frame.
"""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from contextlib import suppress
from math import isfinite
from typing import Any

import numpy as np
from PIL import Image

from pipeline.client.fault import FAULTS
from pipeline.view.axes import Axes
from pipeline.view.series import Axis, Headers, Series, Shelf

KINDS = {"depth": "depth", "segmentation": "classes", "pca": "colours"}
SAMPLES = 12
ENOUGH = 64  # records, of which a scale is held
MOST_PIXELS = 1 << 20  # of a map whose numbers are looked at
KNOWN = 256

Scale = tuple[float, float] | None
"""The 5th and the 95th percentile of what is known."""


class Layers:
    """Of all streams of a sink. From any thread."""

    def __init__(self, shelf: Shelf, axes: Axes) -> None:
        self._shelf = shelf
        self._axes = axes
        self._lock = threading.Lock()
        self._scales: OrderedDict[tuple[Axis, str], Scale] = OrderedDict()

    def of(self, axis: Axis) -> list[dict[str, Any]]:
        """Every kind of map that the axis has."""
        every = [self._shelf.series(topic, axis) for topic in KINDS]
        return [self._layer(series) for series in every if len(series)]

    def scale(self, axis: Axis, topic: str) -> Scale:
        """Of a depth map's values; None where nothing is known, or for other maps."""
        series = self._shelf.series(topic, axis)
        if KINDS.get(topic) != "depth" or not len(series):
            return None
        key = (axis, series.headers(len(series) - 1).get("ce_variant", ""))
        with self._lock:
            if key in self._scales:
                return self._scales[key]
        found = self._measured(series)
        with self._lock:
            if found and len(series) >= ENOUGH:  # the first seconds of a camera tell little
                self._scales[key] = found
            while len(self._scales) > KNOWN:
                self._scales.popitem(last=False)
        return found

    def _layer(self, series: Series) -> dict[str, Any]:
        headers = series.headers(len(series) - 1)
        scale = self.scale(series.axis, series.topic) or (None, None)
        return {
            "topic": series.topic,
            **described(series.topic, headers),
            "low": scale[0],
            "high": scale[1],
            "labelset": headers.get("ce_labelset"),
            "variant": headers.get("ce_variant"),
            "model": headers.get("ce_model"),
            "untrained": headers.get("ce_untrained") == "true",
            "outofdomain": headers.get("ce_outofdomain") == "true",
            "calibrated": _yes_or_no(headers.get("ce_depthcalibrated")),
        }

    def _measured(self, series: Series) -> Scale:
        step = max(1, len(series) // SAMPLES)
        offsets = list(series.offsets[::step])[:SAMPLES]
        known = [
            _values(one.message.value, one.message.headers)
            for one in self._shelf.index.records(offsets)
        ]
        values = np.concatenate(known) if known else np.empty(0, np.float32)
        if not values.size:
            return None
        low, high = np.percentile(values, (5, 95))
        return (float(low), float(high)) if high > low else None


def described(topic: str, headers: Headers) -> dict[str, Any]:
    """What the pixels of one map are."""
    metric = headers.get("ce_depthkind") == "metric"
    depth = KINDS[topic] == "depth"
    return {
        "kind": KINDS[topic],
        "metric": metric if depth else None,
        "unit": "m" if depth and metric else None,
        "depthscale": _number(headers.get("ce_depthscale", "")) if depth else None,
    }


def _values(png: bytes, headers: Headers) -> np.ndarray[Any, np.dtype[np.float32]]:
    """What is known of one depth map; nothing of what is none."""
    try:
        with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
            if image.width * image.height > MOST_PIXELS:
                return np.empty(0, np.float32)
            steps = np.asarray(image).ravel()
        return (steps[steps > 0] * float(headers["ce_depthscale"])).astype(np.float32)
    except FAULTS:  # somebody else's record in our topic
        return np.empty(0, np.float32)


def _number(text: str) -> float | None:
    """None of what is none."""
    with suppress(ValueError):
        number = float(text)
        return number if isfinite(number) else None
    return None


def _yes_or_no(text: str | None) -> bool | None:
    return None if text is None else text == "true"

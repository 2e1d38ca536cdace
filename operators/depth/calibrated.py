"""Depth with every camera's own scale and offset: the same maps, in metres of that camera.

Streams without a calibration, and frames of another view than it was measured on, come out as the
operator within says them. Must not know files.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from operators.batch_operator import BatchOperator
from operators.depth.calibration import METRIC, Calibration, View
from operators.depth.operator import Depth
from operators.depth.relative import RelativeDepth
from operators.depth.steps import MOST, to_steps
from operators.depth.summary import depth_summary
from operators.finite import finite_rows, require_finite
from operators.format import Format
from operators.frames import Features, FrameInfo
from operators.png import grey16_png
from operators.result import JSON, PNG, Result, canonical_json

log = logging.getLogger(__name__)

DOMAIN = "calibrated"

_SCALE = 0.00390625  # 1/256 m: up to 256 m, because nobody knows where a calibration ends


class CalibratedDepth(BatchOperator):
    """Depth, calibrated where a stream has a calibration."""

    name = "depth"

    def __init__(
        self, inner: Depth | RelativeDepth, calibrations: Mapping[str, Calibration]
    ) -> None:
        """
        Args:
            inner: what computes depth.
            calibrations: stream -> its own, of the inner operator's kind.
        """
        self._inner = inner
        self._calibrations = calibrations
        self._told: set[tuple[str, View]] = set()
        self.version = inner.version  # streams without a calibration keep their ids
        self.layers = inner.layers
        self.untrained, self.rendered_only = inner.untrained, inner.rendered_only
        self.head_sha256 = inner.head_sha256

    @property
    def topics(self) -> Mapping[str, Format]:
        return self._inner.topics

    def settings(self) -> Mapping[str, Any]:
        """Without the calibrations: those are parts of their own streams' variants."""
        return self._inner.settings()

    def patch_weights(self) -> Mapping[int | None, Tensor]:
        return self._inner.patch_weights()

    @property
    def metric(self) -> bool:
        """It is in metres on streams without a calibration, too."""
        return isinstance(self._inner, Depth)

    @property
    def stream_hashes(self) -> Mapping[str, str]:
        """Stream -> its calibration's hash, part of its records' variant."""
        return {stream: one.hash for stream, one in self._calibrations.items()}

    def load(self, device: torch.device, dtype: torch.dtype) -> None:
        self._inner.load(device, dtype)

    def close(self) -> None:
        self._inner.close()

    def compute(self, features: Features, rows: slice) -> tuple[Tensor, ...]:
        """As the operator within publishes it, and the numbers that a calibration is fitted to."""
        inner = self._inner
        read = inner.metres if isinstance(inner, Depth) else inner.disparity
        values = read(features, rows)
        return to_steps(values, inner.depthscale), finite_rows(values), values

    def in_metres(self, info: FrameInfo, *numbers: NDArray[Any]) -> NDArray[np.float64] | None:
        """A frame's map as it is published, metres, 0 where unknown; None: it has no metres.

        Args:
            info: the frame.
            numbers: its row of each of what `compute` gave.
        """
        *own, values = numbers
        calibration = self._calibration(info, values.shape)
        if calibration:
            return _steps(calibration.metres(values)) * np.float64(_SCALE)
        return self._inner.in_metres(info, *own) if isinstance(self._inner, Depth) else None

    def say(self, info: FrameInfo, *numbers: NDArray[Any]) -> list[Result]:
        *own, values = numbers
        calibration = self._calibration(info, values.shape)
        if calibration is None:
            return self._inner.say(info, *own)
        require_finite(values, info, operator=self.name)
        return _records(info, calibration.metres(values))

    def _calibration(self, info: FrameInfo, map_hw: tuple[int, ...]) -> Calibration | None:
        """Of a frame's stream, where there is one; one that is of another view is told of."""
        calibration = self._calibrations.get(info.stream)
        if calibration is None:
            return None
        view = View(info.source_hw, info.region, (map_hw[0], map_hw[1]))
        if calibration.view in (None, view):
            return calibration
        if (info.stream, view) not in self._told:
            self._told.add((info.stream, view))
            measured = f"was measured on {calibration.view}, and its frames are {view}"
            said = f"the calibration of {info.stream} {measured}: not used; calibrate again"
            log.warning("%s", said, extra={"stream": info.stream})
        return None


def _records(info: FrameInfo, metres: NDArray[np.float32]) -> list[Result]:
    steps = _steps(metres)
    kind = {"depthkind": METRIC, "depthdomain": DOMAIN, "depthcalibrated": "true"}
    scaled = kind | {"depthscale": str(_SCALE)}
    summary = canonical_json(depth_summary(steps, _SCALE))
    return [
        Result(info, "depth", PNG, grey16_png(steps), scaled),
        Result(info, "depth.summary", JSON, summary, kind),
    ]


def _steps(metres: NDArray[np.float32]) -> NDArray[np.uint16]:
    return np.clip(np.rint(metres.astype(np.float64) / _SCALE), 0, MOST).astype(np.uint16)

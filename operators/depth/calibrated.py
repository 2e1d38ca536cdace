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

from operators.depth.calibration import METRIC, Calibration, View
from operators.depth.operator import Depth
from operators.depth.relative import RelativeDepth
from operators.depth.summary import depth_summary
from operators.finite import require_finite
from operators.format import Format
from operators.frames import Features, FrameInfo
from operators.operator import Operator
from operators.png import grey16_png
from operators.result import JSON, PNG, Result, canonical_json

log = logging.getLogger(__name__)

DOMAIN = "calibrated"

_SCALE = 0.00390625  # 1/256 m: up to 256 m, because nobody knows where a calibration ends
_MOST = int(np.iinfo(np.uint16).max)


class CalibratedDepth(Operator):
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

    @property
    def hashes(self) -> Mapping[str, str]:
        """Stream -> its calibration's hash, part of its records' variant."""
        return {stream: one.hash for stream, one in self._calibrations.items()}

    def load(self, device: torch.device, dtype: torch.dtype) -> None:
        self._inner.load(device, dtype)

    def close(self) -> None:
        self._inner.close()

    def __call__(self, features: Features) -> list[Result]:
        known = [self._holds(features, row) for row in range(len(features.infos))]
        if not any(known):
            return self._inner(features)
        if all(known):
            records = features.each(lambda row: self._read(features, row))
            return [record for own in records for record in own]
        return [record for row in range(len(known)) for record in self(features.take([row]))]

    def _holds(self, features: Features, row: int) -> bool:
        """Whether there is a calibration for a frame; one that is of another view is told of."""
        info = features.infos[row]
        calibration = self._calibrations.get(info.stream)
        if calibration is None:
            return False
        height, width = features.patches.shape[1:3]
        scale = self._inner.settings()["map_scale"]
        view = View(info.source_hw, info.region, (height * scale, width * scale))
        if calibration.view in (None, view):
            return True
        if (info.stream, view) not in self._told:
            self._told.add((info.stream, view))
            measured = f"was measured on {calibration.view}, and its frames are {view}"
            said = f"the calibration of {info.stream} {measured}: not used; calibrate again"
            log.warning("%s", said, extra={"stream": info.stream})
        return False

    def _read(self, features: Features, row: int) -> list[Result]:
        info = features.infos[row]
        read = (self._inner.metres if isinstance(self._inner, Depth) else self._inner.disparity)(
            features, row
        )
        values = read.cpu().numpy()
        require_finite(values[None], (info,), operator=self.name)
        return _records(info, self._calibrations[info.stream].metres(values))


def _records(info: FrameInfo, metres: NDArray[np.float32]) -> list[Result]:
    steps = np.clip(np.rint(metres.astype(np.float64) / _SCALE), 0, _MOST).astype(np.uint16)
    kind = {"depthkind": METRIC, "depthdomain": DOMAIN, "depthcalibrated": "true"}
    scaled = kind | {"depthscale": str(_SCALE)}
    summary = canonical_json(depth_summary(steps, _SCALE))
    return [
        Result(info, "depth", PNG, grey16_png(steps), scaled),
        Result(info, "depth.summary", JSON, summary, kind),
    ]

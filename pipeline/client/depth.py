"""What records of depth hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.client.result import Result
from pipeline.records.payloads import depth_map
from pipeline.records.record import Message

KINDS = ("metric", "relativedisparity")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Depth(Result):
    """How far away what each cell shows is: in metres, or relative to the others.

    Attributes:
        metres: float32 `[h, w]`, larger is farther, NaN where unknown; None of relative depth.
        disparity: float32 `[h, w]` without a unit, larger is nearer, NaN where unknown; None of
            depth in metres.
        valid: bool `[h, w]`, where it is known.
        domain: what the head was trained on, `calibrated` where the camera's own scale is known.
        head: which Depth Anything made it, such as `da3metric`; None of all others, and where it is
            calibrated.
        calibrated: None of a head of one's own.
    """

    metres: NDArray[np.float32] | None = field(repr=False)
    disparity: NDArray[np.float32] | None = field(repr=False)
    valid: NDArray[np.bool_] = field(repr=False)
    domain: str | None
    head: str | None
    calibrated: bool | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DepthSummary(Result):
    """Depth of a whole picture in a few numbers, NaN where nothing is known.

    Attributes:
        metric: metres, larger is farther; else disparity without a unit, larger is nearer.
        percentiles: of 5, 25, 50, 75 and 95 in a hundred.
        grid: float32 `[3, 3]`, medians, from the top left.
    """

    metric: bool
    percentiles: Mapping[int, float]
    grid: NDArray[np.float32]


def depth(said: Mapping[str, Any], message: Message) -> Depth:
    """Of a record of topic `depth`."""
    headers = message.headers
    _require(headers["ce_depthkind"] in KINDS, f"ce_depthkind {headers['ce_depthkind']!r}")
    found = depth_map(message)
    _require(found.values.ndim == 2, f"a picture of shape {found.values.shape}, not [h, w]")
    calibrated = headers.get("ce_depthcalibrated")
    return Depth(
        **said,
        metres=found.values if found.metric else None,
        disparity=None if found.metric else found.values,
        valid=~np.isnan(found.values),
        domain=headers.get("ce_depthdomain"),
        head=headers.get("ce_depthhead"),
        calibrated=None if calibrated is None else calibrated == "true",
    )


def depth_summary(said: Mapping[str, Any], message: Message) -> DepthSummary:
    """Of a record of topic `depth.summary`."""
    data = json.loads(message.value)
    _require(data["unit"] in ("m", None), f"unit {data['unit']!r}")
    grid = np.array(data["grid"], np.float32)
    _require(grid.shape == (3, 3), f"a grid of shape {grid.shape}, not [3, 3]")
    percentiles = {int(name): _number(value) for name, value in data["percentiles"].items()}
    percentiles = dict(sorted(percentiles.items()))
    return DepthSummary(**said, metric=data["unit"] == "m", percentiles=percentiles, grid=grid)


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _require(holds: bool, got: str) -> None:
    if not holds:
        raise ValueError(got)

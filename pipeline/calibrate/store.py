"""Calibrations of cameras in one small JSON file: read whole, changed one stream at a time.

A path in -> stream -> calibration out. Knows no operators and no torch.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from operators.depth.calibration import Calibration, View
from operators.errors import UsageError
from operators.whole_file import whole_file
from pipeline.errors import SinkError

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class StoredCalibration:
    """One camera's calibration and what it was made from.

    Attributes:
        calibration: the line.
        model: of the records that it was made from, as their attribute says.
        domain: that the head was trained on, "" for relative depth of Depth Anything V2.
        points: x, y in pixels of the source, metres; of each.
        focal_px: across and down, in pixels of the source; None: it was made from points.
    """

    calibration: Calibration
    model: str
    domain: str
    points: tuple[tuple[float, float, float], ...] = ()
    focal_px: tuple[float, float] | None = None


def read_calibrations(path: Path) -> dict[str, StoredCalibration]:
    """Every stream's calibration.

    Raises:
        UsageError: the file is missing, or not ours.
    """
    try:
        whole = json.loads(path.read_text(encoding="utf-8"))
        if whole["format"] != _FORMAT:
            raise ValueError(f"format {whole['format']!r}, expected {_FORMAT}")
        return {stream: _stored(one) for stream, one in whole["streams"].items()}
    except OSError as error:
        raise UsageError(
            f"{path}: no calibrations ({error.strerror or error}); dinostream calibrate makes them"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path}: not a file of calibrations ({error!r})") from error


def write_calibration(path: Path, stream: str, stored: StoredCalibration) -> None:
    """Add or replace one stream's calibration; the others stay. Whole or not at all.

    Raises:
        UsageError: another file lies there.
        SinkError: it cannot be written.
    """
    known = read_calibrations(path) if path.exists() else {}
    streams = {name: _plain(one) for name, one in sorted((known | {stream: stored}).items())}
    text = json.dumps({"format": _FORMAT, "streams": streams}, indent=1) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as draft:
            draft.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SinkError(f"{path}: cannot be written ({error.strerror or error})") from error


def _plain(one: StoredCalibration) -> dict[str, Any]:
    return {
        **asdict(one.calibration),
        "model": one.model,
        "domain": one.domain,
        "points": [list(point) for point in one.points],
        **({"focal_px": list(one.focal_px)} if one.focal_px else {}),
    }


def _stored(one: Mapping[str, Any]) -> StoredCalibration:
    points = tuple((float(x), float(y), float(metres)) for x, y, metres in one["points"])
    view = _view(one["view"]) if one.get("view") else None  # those of before 2026-12 have none
    calibration = Calibration(one["kind"], float(one["scale"]), float(one["offset"]), view)
    focal_px = None
    if one.get("focal_px"):
        across, down = map(float, one["focal_px"])
        focal_px = across, down
    return StoredCalibration(calibration, str(one["model"]), str(one["domain"]), points, focal_px)


def _view(one: Mapping[str, Any]) -> View:
    height, width = map(int, one["source_hw"])
    rows, columns = map(int, one["map_hw"])
    region = None
    if one["region"]:
        left, top, right, bottom = map(int, one["region"])
        region = left, top, right, bottom
    return View((height, width), region, (rows, columns))

"""A threshold and what it holds for: the weights, what is done to vectors first, what was measured.

One `.safetensors` file with a JSON header. Knows nothing of footage.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from operators.errors import UsageError
from operators.groups.grid import Numbers, Units
from operators.groups.whitening import Whitening
from operators.weights.header import HEADER_KEY
from operators.whole_file import whole_file
from pipeline.dedupe.measuring import Point

KIND = "dinostream dedupe calibration"
FORMAT = 1

Comparison = Literal["raw", "centred", "whitened"]


@dataclass(frozen=True, slots=True)
class Calibration:
    """
    Attributes:
        model: architecture and hash of the weights, as records name it.
        short_side: of the frames that it was measured with, pixels.
        comparison: what is done to vectors before they are compared.
        wanted: precision that was asked for.
        point: the threshold, and what it does on that footage.
        recalls: by alteration, share of its copies that the threshold finds.
        pairs: how many of `copies` and of `others` were compared, and `frames`, `recordings`.
        points: every threshold, precision and recall.
        whitening: of the vectors; None where they are compared as they are.
    """

    model: str
    short_side: int
    comparison: Comparison
    wanted: float
    point: Point
    recalls: Mapping[str, float]
    pairs: Mapping[str, int]
    points: tuple[Point, ...]
    whitening: Whitening | None = None

    def comparable(self, units: Units) -> Units:
        """Units `[N, D]` as they are compared."""
        return units if self.whitening is None else self.whitening(units)

    def require_model(self, model: str, *, source: str) -> None:
        """See that it is of the weights that made some vectors.

        Args:
            model: as their records name it.
            source: where those are.

        Raises:
            UsageError: it is not.
        """
        if model != self.model:
            raise UsageError(
                f"the calibration is of {self.model}, the vectors of {source} are of {model}: "
                "thresholds of one mean nothing for the other; calibrate with those weights"
            )

    def plain(self) -> dict[str, Any]:
        """All but the arrays, as JSON values."""
        said = {name: getattr(self, name) for name in self.__slots__ if name != "whitening"}
        points = [list(asdict(one).values()) for one in self.points]
        return {**said, "point": asdict(self.point), "points": points}

    def write(self, path: Path) -> None:
        """Put it into a file, whole or not at all.

        Raises:
            UsageError: a name that does not end in .safetensors, or that cannot be written.
        """
        if path.suffix != ".safetensors":
            raise UsageError(f"{path}: a calibration's name ends in .safetensors")
        arrays: dict[str, Numbers] = {}
        if self.whitening is not None:
            arrays = {"mean": self.whitening.mean}
            if self.whitening.matrix is not None:
                arrays["matrix"] = self.whitening.matrix
        text = json.dumps({"kind": KIND, "format": FORMAT, **self.plain()})
        try:
            with whole_file(path) as draft:
                save_file(arrays, draft, metadata={HEADER_KEY: text})
        except (OSError, SafetensorError) as error:
            raise UsageError(f"cannot write {path}: {error}") from None


def read_calibration(path: Path) -> Calibration:
    """What `write` wrote.

    Raises:
        UsageError: it is not there, or something else.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            said = json.loads((file.metadata() or {})[HEADER_KEY])
            arrays = {name: file.get_tensor(name) for name in list(file.keys())}
        if said["kind"] != KIND:
            raise ValueError(said["kind"])
        if said["format"] != FORMAT:
            raise UsageError(
                f"{path} is of format {said['format']}, this version reads {FORMAT}; calibrate "
                "again"
            )
        return _calibration(said, arrays)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from None
    except (SafetensorError, KeyError, TypeError, ValueError):
        raise UsageError(f"{path} is no calibration of `dinostream dedupe calibrate`") from None


def _calibration(said: Mapping[str, Any], arrays: Mapping[str, Numbers]) -> Calibration:
    own = {name: said[name] for name in Calibration.__slots__ if name != "whitening"}
    own |= {
        "point": Point(**said["point"]),
        "points": tuple(Point(*one) for one in said["points"]),
    }
    raw = said["comparison"] == "raw"
    return Calibration(
        **own, whitening=None if raw else Whitening(arrays["mean"], arrays.get("matrix"))
    )

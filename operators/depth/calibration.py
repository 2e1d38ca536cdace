"""Scale and offset that turn one camera's depth into metres.

Of metres: metres = scale x depth + offset. Of relative disparity: 1 / metres = scale x disparity +
offset. Values in -> metres out. Knows no streams and no files.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from operators.result import canonical_json

METRIC, RELATIVE = "metric", "relativedisparity"
_HEX = 12


@dataclass(frozen=True, slots=True)
class View:
    """What of a camera a depth map shows, and how finely.

    Attributes:
        source_hw: pixels of the source.
        region: `FrameInfo.region`.
        map_hw: cells of the map.
    """

    source_hw: tuple[int, int]
    region: tuple[int, int, int, int] | None
    map_hw: tuple[int, int]

    def __str__(self) -> str:
        region = f" at region {','.join(map(str, self.region))}" if self.region else ""
        (height, width), (rows, columns) = self.source_hw, self.map_hw
        return f"{width}x{height}{region} in maps of {columns}x{rows}"


@dataclass(frozen=True, slots=True)
class Calibration:
    """Of one camera and one kind of depth.

    Attributes:
        kind: `metric` or `relativedisparity`: what is calibrated.
        scale: above 0.
        offset: metres, or 1 / metres.
        view: what it was measured on, and holds for; None: nobody noted it.
    """

    kind: str
    scale: float
    offset: float
    view: View | None = None

    def __post_init__(self) -> None:
        if self.kind not in (METRIC, RELATIVE):
            raise ValueError(f"kind must be {METRIC} or {RELATIVE}, got {self.kind!r}")
        if not (self.scale > 0 and math.isfinite(self.scale) and math.isfinite(self.offset)):
            raise ValueError(
                f"scale must be above 0 and offset a number, got {self.scale} and {self.offset}"
            )

    @property
    def hash(self) -> str:
        """12 hex over all of it, for the variant of what it made."""
        facts = asdict(self)
        if self.view is None:
            del facts["view"]
        return hashlib.sha256(canonical_json(facts)).hexdigest()[:_HEX]

    def metres(self, values: NDArray[np.floating]) -> NDArray[np.float32]:
        """Metres, 0 where there are none: behind the camera, beyond the horizon, or unknown.

        Args:
            values: depth in metres, or disparity; negative where unknown.
        """
        line = np.where(values < 0, 0.0, self.scale * values.astype(np.float64) + self.offset)
        if self.kind == RELATIVE:
            line = np.divide(1.0, line, out=np.zeros_like(line), where=line > 0)
        return np.maximum(line, 0.0).astype(np.float32)

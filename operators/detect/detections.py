"""What was found in one frame: arrays, in pixels of its source.

Importable without torch, because trackers and readers use it too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Detections:
    """N things, the surest first.

    Attributes:
        boxes: left, top, right, bottom, float32 `[N, 4]`, pixels of the source; right and bottom
            lie just outside.
        scores: float32 `[N]`, above 0 and up to 1.
        labels: class ids, int64 `[N]`.
        masks: bool `[N, h, w]`, cells that cover the picture; None where there are none.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    labels: NDArray[np.int64]
    masks: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        count = len(self.scores)
        if self.boxes.shape != (count, 4) or self.labels.shape != (count,):
            raise ValueError(
                f"want boxes [N, 4], scores [N] and labels [N], got {list(self.boxes.shape)}, "
                f"{list(self.scores.shape)} and {list(self.labels.shape)}"
            )

    def __len__(self) -> int:
        return len(self.scores)

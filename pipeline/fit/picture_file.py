"""A picture that is a file: what names it, and its pixels. Knows no truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.media.fingerprint import file_session
from pipeline.media.frame_size import FrameSize
from pipeline.media.still import read_still


@dataclass(frozen=True, slots=True)
class PictureFile:
    """The half of a `pipeline.fit.dense_item.DenseItem` that is not its truth."""

    picture: Path

    @property
    def name(self) -> str:
        return str(self.picture)

    @property
    def group(self) -> str:
        return file_session(str(self.picture))

    @property
    def identity(self) -> Mapping[str, Any]:
        return {"image": file_session(str(self.picture))}

    def pixels(self, size: FrameSize) -> NDArray[np.uint8]:
        """The picture, upright, at the backbone's size."""
        return read_still(self.picture, size).pixels

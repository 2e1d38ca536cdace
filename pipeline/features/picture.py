"""What features of single pictures are computed of: a contract between sources and the store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.media.frame_size import FrameSize
from pipeline.media.still import Still


class Picture(Protocol):
    """One picture. Nothing is read before `pixels` is called."""

    @property
    def name(self) -> str:
        """For messages."""
        ...

    @property
    def identity(self) -> Mapping[str, Any]:
        """All that decides the pixels, as JSON values."""
        ...

    def pixels(self, size: FrameSize) -> NDArray[np.uint8]:
        """RGB uint8 `[H, W, 3]` as replay would hand it to the backbone.

        Raises:
            SourceError: it cannot be read; names the file.
        """
        ...


def still_facts(still: Still) -> Mapping[str, Any]:
    """What the file of a picture says, as that of a recording with one frame."""
    return {
        "first_us": 0,
        "last_us": 0,
        "breaks": [],
        "cursor": None,
        "clock": "media",
        "source_hw": list(still.source_hw),
        "end": {"outcome": "ok", "detail": ""},
    }

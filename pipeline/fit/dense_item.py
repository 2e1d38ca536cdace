"""What a dense head learns from or is measured on: one picture with a truth for every pixel.

A contract between sources (files, rendered scenes) and the store that computes features.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from numpy.typing import NDArray

from pipeline.features.picture import Picture
from pipeline.media.frame_size import FrameSize


class DenseItem(Picture, Protocol):
    """One picture and its truth. Nothing is read before `pixels` or `truth` is called."""

    @property
    def group(self) -> str:
        """Content of a file, or scene: what is independent of the others; copies are one."""
        ...

    @property
    def truth_identity(self) -> Mapping[str, Any]:
        """All that decides the truth, as JSON values."""
        ...

    def truth(self, size: FrameSize) -> NDArray[Any]:
        """Of the same height and width uint8 class ids, or float32 metres (0: unknown); or things,
        as of `operators.learn.things`.

        Raises:
            SourceError: it cannot be read; names the file.
        """
        ...

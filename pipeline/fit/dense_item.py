"""What a dense head learns from or is measured on: one picture with a truth for every pixel.

A contract between sources (files, rendered scenes) and the store that computes features.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
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


@runtime_checkable
class DeepItem(DenseItem, Protocol):
    """One picture, and how far away what it shows is, where somebody knows that."""

    @property
    def has_depth(self) -> bool:
        """Somebody knows."""
        ...

    def depth_m(self, size: FrameSize) -> NDArray[np.float32]:
        """Metres, of the height and width of the truth; 0 where unknown, inf where there is
        nothing, such as the sky. Of pictures that have it.

        Raises:
            SourceError: it cannot be read; names the file.
        """
        ...


@runtime_checkable
class ThingItem(DenseItem, Protocol):
    """One picture and its things, which may have masks."""

    @property
    def has_masks(self) -> bool:
        """One of its things has a mask."""
        ...

    @property
    def mask_identity(self) -> Mapping[str, Any]:
        """All that decides the masks, as JSON values."""
        ...

    def masks(self, size: FrameSize) -> NDArray[np.bool_]:
        """Of the things of `truth`, `[M, H, W]`; empty of one that has a box alone.

        Raises:
            SourceError: it cannot be read; names the file.
        """
        ...

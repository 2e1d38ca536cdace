"""What every engine does: one frame's bytes in, its tokens out, on the thread that calls."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

Tokens = tuple[Tensor, dict[int, Tensor]]
"""After the final norm `[B, N, D]`; block -> before it `[B, N, D]`."""


class Engine(Protocol):
    """A backbone ready to compute. Asked by several threads at once.

    The same frame gives the same bits on every thread and beside any others.
    """

    @property
    def identity(self) -> str:
        """All of it that can change a bit, for the variant: name, version, how it rounds."""

    def __call__(self, pixels: Tensor) -> Tokens:
        """Tokens of one frame, float32.

        Args:
            pixels: uint8 RGB `[1, H, W, 3]`, H and W multiples of the patch.
        """

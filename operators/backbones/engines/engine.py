"""What every engine does: frames' bytes in, their tokens out, on the thread that calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

Tokens = tuple[Tensor, dict[int, Tensor]]
"""After the final norm `[B, N, D]`; block -> before it `[B, N, D]`."""


class BackboneEngine(Protocol):
    """A backbone ready to compute. Asked by several threads at once.

    The same frame gives the same bits on every thread and beside any others.
    """

    @property
    def identity(self) -> str:
        """All of it that can change a bit, for the variant: name, version, how it rounds."""

    def __call__(self, pixels: Tensor) -> Tokens:
        """Tokens of some frames, float32.

        Args:
            pixels: uint8 RGB `[n, H, W, 3]`, H and W multiples of the patch.
        """


def on(cores: int) -> str:
    """How many cores one caller gets, for an identity; silent about one."""
    return f", on {cores} cores" if cores > 1 else ""


def joined(frames: Sequence[Tokens]) -> Tokens:
    """Tokens of some frames as those of a batch."""
    if len(frames) == 1:
        return frames[0]
    tokens, kept = zip(*frames, strict=True)
    return torch.cat(tokens), {block: torch.cat([one[block] for one in kept]) for block in kept[0]}

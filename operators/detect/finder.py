"""What finds things in frames, whichever way: features in -> boxes, scores and labels out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from operators.frames import Features

Guesses = tuple[Tensor, ...]
"""Left, top, right, bottom `[R, K, 4]`, shares of the picture; scores `[R, K]`; labels `[R, K]`:
float32. From whoever has masks also those, bool `[R, K, h, w]`, cells that cover the picture."""


class Finder(Protocol):
    """A head with its weights. Asked by several threads at once."""

    @property
    def layers(self) -> Sequence[int]:
        """Blocks that it reads before the final norm."""

    def settings(self) -> Mapping[str, Any]:
        """What a user chose of it that can change a payload."""

    def load(self, device: torch.device) -> None:
        """Put its weights on a device."""

    def __call__(self, features: Features, rows: slice) -> Guesses:
        """K guesses for each of some rows, K always the same; in no order, whatever their scores.

        Raises:
            ValueError: the features lack what it reads.
        """

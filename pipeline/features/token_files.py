"""Tokens of frames that a feature store keeps: row of a frame in -> its tokens out, read as needed.

They take 100 times the room of all else, so they stay in their files. Knows nothing of decoding or
of what is learnt from them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

from safetensors import safe_open
from torch import Tensor

from pipeline.features.stored import TOKENS


class TokenFiles:
    """The tokens of many frames, `[N, D]` float16 each, in the order of their files."""

    def __init__(self, files: Sequence[Path]) -> None:
        """
        Args:
            files: of a `FeatureStore`, complete; some may hold no frame.
        """
        counts = [_count(path) for path in files]
        self._files = tuple(files)
        self._ends = list(accumulate(counts))

    def __len__(self) -> int:
        return self._ends[-1]

    def __call__(self, row: int) -> Tensor:
        """The tokens of one frame, class token first."""
        number = bisect_right(self._ends, row)
        within = row - (self._ends[number - 1] if number else 0)
        with safe_open(self._files[number], framework="pt") as file:
            tokens: Tensor = file.get_slice(TOKENS)[within]
        return tokens


def _count(path: Path) -> int:
    with safe_open(path, framework="pt") as file:
        held = TOKENS in list(file.keys())
        return int(file.get_slice(TOKENS).get_shape()[0]) if held else 0

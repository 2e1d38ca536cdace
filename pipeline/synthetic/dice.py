"""Seeded choices: independent streams of numbers per seed and purpose.

Everything derives from PCG64's raw 64-bit words, whose values numpy promises never to change;
its distributions carry no such promise (NEP 19).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from .rays import FloatArray

T = TypeVar("T")

_WORD_TO_UNIT = 2.0**-53


class Dice:
    """One stream of numbers; the same seed and purpose give the same stream everywhere."""

    __slots__ = ("_words",)

    def __init__(self, seed: int, purpose: int) -> None:
        self._words = np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(purpose,)))

    def between(self, low: float, high: float) -> float:
        """Return a number from low (included) to high (excluded), evenly distributed."""
        return low + (high - low) * ((int(self._words.random_raw()) >> 11) * _WORD_TO_UNIT)

    def chance(self, probability: float) -> bool:
        """Return True with a probability."""
        return self.between(0.0, 1.0) < probability

    def pick(self, options: Sequence[T]) -> T:
        """Return one of the options, all equally likely."""
        return options[math.floor(self.between(0.0, len(options)))]

    def field(self, *shape: int) -> FloatArray:
        """Return float32 of a shape, evenly distributed in 0..1."""
        words = self._words.random_raw(math.prod(shape)) >> np.uint64(40)
        return words.astype(np.float32).reshape(shape) * np.float32(2.0**-24)

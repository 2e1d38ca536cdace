"""Choices of a torch generator, as scalars, and generators that numbers stand for."""

from __future__ import annotations

import hashlib

import torch


def generator_of(*numbers: int) -> torch.Generator:
    """A generator on the CPU that another one is made of for any other numbers.

    torch's takes the low 32 bits of a seed and forgets the others, so that `seed << 32 | step`
    would be the same for every seed; these are hashed.

    Args:
        numbers: such as a run's seed, its step and a picture's place in the batch.
    """
    digest = hashlib.sha256(repr(numbers).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:4], "little"))


class Dice:
    """What is drawn depends on the generator and on the order of calls alone."""

    def __init__(self, draw: torch.Generator) -> None:
        """
        Args:
            draw: on the CPU; goes on with every call.
        """
        self._draw = draw

    def between(self, low: float, high: float) -> float:
        """A number from low to high, evenly distributed."""
        return low + (high - low) * float(torch.rand((), generator=self._draw, dtype=torch.float64))

    def chance(self, probability: float) -> bool:
        """True with a probability; a number is drawn even where that is 0 or 1."""
        return self.between(0.0, 1.0) < probability

    def below(self, count: int) -> int:
        """A whole number from 0 on, below `count`."""
        return int(torch.randint(count, (), generator=self._draw))

    def order(self, count: int) -> list[int]:
        """The whole numbers below `count`, shuffled."""
        order: list[int] = torch.randperm(count, generator=self._draw).tolist()
        return order

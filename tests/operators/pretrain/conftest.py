"""Fixtures of the recipe's tests: seeded numbers, and process groups within one process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TypeVar

import pytest
import torch
import torch.distributed as dist

T = TypeVar("T")


@pytest.fixture
def normal() -> Callable[..., torch.Tensor]:
    """`normal(3, 4)`: float64 normal numbers, others with every call, the same in every test."""
    draw = torch.Generator().manual_seed(11)

    def drawn(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=draw, dtype=torch.float64)

    return drawn


@pytest.fixture
def in_group() -> Callable[..., list[torch.Tensor]]:
    """`in_group(work, parts)`: work(part, group) of every part by a rank of its own, gloo between.

    Ranks are threads, which to gloo are as good as processes.
    """

    def run(
        work: Callable[[torch.Tensor, dist.ProcessGroup], T], parts: Sequence[torch.Tensor]
    ) -> list[T]:
        store = dist.HashStore()

        def rank(number: int) -> T:
            group = dist.ProcessGroupGloo(store, number, len(parts), timedelta(seconds=60))
            return work(parts[number], group)

        with ThreadPoolExecutor(len(parts)) as pool:
            return list(pool.map(rank, range(len(parts))))

    return run

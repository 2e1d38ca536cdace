"""Passes are recorded once a size and kept while used; each reads and writes its own memory."""

from __future__ import annotations

import torch
from torch import Tensor

from operators.backbones.engines.engine import Tokens
from operators.backbones.engines.graph_pool import GraphPool, Pass, unrecorded

CPU = torch.device("cpu")


def at(size_hw: tuple[int, int]):
    def run(pixels: Tensor) -> Tokens:
        sums = pixels.float().sum((1, 2)) + size_hw[0]
        return sums[:, None], {0: sums[:, None] * 2}

    return run


class Recorder:
    """Notes what is recorded."""

    def __init__(self) -> None:
        self.sizes: list[tuple[int, int]] = []

    def __call__(self, run, pixels: Tensor) -> Pass:
        self.sizes.append((pixels.shape[1], pixels.shape[2]))
        return unrecorded(run, pixels)


def test_the_size_that_was_not_used_for_long_is_given_up() -> None:
    record = Recorder()
    pool = GraphPool(at, record, CPU, most=2, idle_passes=3)
    for side in (1, 2, 1, 1, 1, 1, 3, 1, 3):
        pool.of((4, side, side, 3))
    assert record.sizes == [(1, 1), (2, 2), (3, 3)]


def test_sizes_that_take_turns_are_not_recorded_every_time() -> None:
    record = Recorder()
    pool = GraphPool(at, record, CPU, most=2, idle_passes=3)
    for _ in range(20):
        for side in (1, 2, 3):
            one = pool.of((1, side, side, 3))
            one.pixels[:] = side
            assert torch.equal(one.again()[0], torch.full((1, 1, 3), side**3 + side))
    assert record.sizes == [(1, 1), (2, 2)]


def test_a_pass_reads_what_was_put_there() -> None:
    pool = GraphPool(at, unrecorded, CPU)
    one = pool.of((2, 1, 1, 3))
    one.pixels[:] = 5
    tokens, kept = one.again()
    assert torch.equal(tokens, torch.full((2, 1, 3), 6.0))
    assert torch.equal(kept[0], torch.full((2, 1, 3), 12.0))
    assert pool.of((2, 1, 1, 3)) is one


def test_what_was_recorded_lives_as_long_as_its_pass() -> None:
    """A graph reads tensors that it does not hold: positions of its size."""
    run = at((1, 1))
    assert unrecorded(run, torch.zeros(1, 1, 1, 3, dtype=torch.uint8)).run is run

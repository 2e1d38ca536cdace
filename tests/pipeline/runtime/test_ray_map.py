"""Pieces of work are done by actors, each once; what goes wrong in one is an error here."""

import os
from functools import partial

import pytest

from operators.errors import UsageError
from pipeline.errors import RuntimeFailure
from pipeline.runtime.ray_map import ray_map


@pytest.mark.parametrize("workers", [1, 2, 9])
def test_every_piece_is_done_once(nodes, workers):
    make = partial(partial, pow, 2)
    found = list(ray_map(make, range(6), workers=workers, address=nodes.address))
    assert sorted(found) == [1, 2, 4, 8, 16, 32]


def test_what_a_worker_raises_is_raised_here(nodes):
    def make():
        raise UsageError("no head finds people")

    with pytest.raises(UsageError, match="no head finds people"):
        list(ray_map(make, [1, 2], workers=2, address=nodes.address))


def test_a_worker_that_dies_is_told(nodes):
    make = partial(partial, os.abort)
    with pytest.raises(RuntimeFailure, match=r"a worker died: .*the same command goes on"):
        list(ray_map(lambda: lambda _: make()(), [1], workers=1, address=nodes.address))

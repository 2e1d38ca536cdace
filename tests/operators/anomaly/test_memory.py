"""Distances to a memory of places: held to a plain loop over patches, places and prototypes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from operators.anomaly.memory import Memory
from operators.backbones.architectures import Architecture
from operators.errors import GridError, WeightsError
from operators.weights.heads import Head

GRID = (3, 4)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape).astype(np.float32))


def head_of(prototypes: Tensor) -> Head:
    return Head("anomaly", "head.safetensors", {"prototypes": prototypes}, "0" * 64)


def plain(patches: NDArray[np.float32], prototypes: NDArray[np.float32]) -> NDArray[np.float64]:
    """One minus the best cosine, in float64, a patch after another."""
    h, w = patches.shape[:2]
    found = np.empty((h, w))
    for i, j in itertools.product(range(h), range(w)):
        around = prototypes[max(i - 1, 0) : i + 2, max(j - 1, 0) : j + 2]
        known = around.reshape(-1, around.shape[-1]).astype(np.float64)
        own = patches[i, j].astype(np.float64)
        cosines = known @ own / np.linalg.norm(known, axis=1) / np.linalg.norm(own)
        found[i, j] = 1 - cosines.max()
    return found


def test_distances_are_those_of_a_plain_loop(tiny: Architecture) -> None:
    prototypes, patches = drawn(*GRID, 5, tiny.width), drawn(2, *GRID, tiny.width, seed=1)
    told = Memory(head_of(prototypes.half()), tiny).distances(patches)
    assert (told.dtype, tuple(told.shape)) == (torch.float32, (2, *GRID))
    for row in range(2):
        expected = plain(patches[row].numpy(), prototypes.half().float().numpy())
        np.testing.assert_allclose(told[row].numpy(), expected, atol=2e-6)


def test_what_is_remembered_is_no_anomaly_there_or_one_place_beside(tiny: Architecture) -> None:
    prototypes = drawn(*GRID, 2, tiny.width)
    memory = Memory(head_of(prototypes), tiny)
    usual = prototypes[:, :, 1]
    assert float(memory.distances(usual[None] * 7).max()) < 1e-6  # of any length
    beside = usual.roll(1, dims=1)[:, 1:]
    assert float(memory.distances(usual.roll(1, dims=1)[None])[0, :, 1:].max()) < 1e-6
    assert beside.shape[1] == GRID[1] - 1
    far = memory.distances(usual.flip(1)[None])[0]
    assert float(far[:, [0, 3]].min()) > 0.5  # three places away
    assert float(far[:, [1, 2]].max()) < 1e-6


@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_many_rows_are_met_a_few_at_a_time(
    tiny: Architecture, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """Each slice has the bits that it has by itself; a frame of a CPU is one."""
    prototypes, patches = drawn(*GRID, 5, tiny.width), drawn(5, *GRID, tiny.width, seed=1)
    own = Memory(head_of(prototypes), tiny)
    slices = [slice(min(first, 5 - at_once), None) for first in range(0, 5, at_once)]
    expected = torch.empty(5, *GRID)
    for some in slices:
        expected[some][:at_once] = own.distances(patches[some][:at_once])
    met: list[int] = []
    whole = own._distances
    monkeypatch.setattr(own, "_distances", lambda some: (met.append(len(some)), whole(some))[1])
    row_bytes = 9 * 4 * patches[0].numel()
    monkeypatch.setattr("operators.anomaly.memory.MOST_BYTES", at_once * row_bytes + 1)
    assert torch.equal(own.distances(patches), expected)
    assert met == [at_once] * len(slices)


@pytest.mark.parametrize("grid", [(1, 1), (1, 4), (5, 1)])
def test_narrow_pictures_have_places_too(tiny: Architecture, grid: tuple[int, int]) -> None:
    prototypes, patches = drawn(*grid, 3, tiny.width), drawn(1, *grid, tiny.width, seed=3)
    told = Memory(head_of(prototypes), tiny).distances(patches)[0].numpy()
    np.testing.assert_allclose(told, plain(patches[0].numpy(), prototypes.numpy()), atol=2e-6)


def test_one_place_stands_for_all(tiny: Architecture) -> None:
    prototypes, patches = drawn(1, 1, 3, tiny.width), drawn(1, *GRID, tiny.width, seed=4)
    memory = Memory(head_of(prototypes), tiny)
    everywhere = Memory(head_of(prototypes.expand(*GRID, -1, -1).contiguous()), tiny)
    assert torch.equal(memory.distances(patches), everywhere.distances(patches))


def test_nan_is_told_where_it_is_seen_and_nowhere_else(tiny: Architecture) -> None:
    patches = drawn(2, *GRID, tiny.width, seed=5)
    patches[0, 1, 2] = torch.nan
    told = Memory(head_of(drawn(*GRID, 2, tiny.width)), tiny).distances(patches)
    assert torch.nonzero(told.isnan()).tolist() == [[0, 1, 2]]


def test_another_shape_is_refused_with_both(tiny: Architecture) -> None:
    memory = Memory(head_of(drawn(*GRID, 2, tiny.width)), tiny)
    wanted = r"of pictures of 3 x 4 patches .* is given one of 4 x 3 patches .*fit one for this"
    with pytest.raises(GridError, match=wanted):
        memory.distances(drawn(1, 4, 3, tiny.width))


@pytest.mark.parametrize(
    ("tensors", "wanted"),
    [
        ({}, "prototypes"),
        ({"prototypes": torch.zeros(3, 4, 192)}, "prototypes"),
        ({"prototypes": torch.zeros(3, 4, 2, 384)}, "prototypes"),
        ({"prototypes": torch.zeros(3, 4, 0, 192)}, "holds no prototype"),
    ],
)
def test_a_head_that_does_not_fit_is_refused(
    tiny: Architecture, tensors: dict[str, Tensor], wanted: str
) -> None:
    with pytest.raises(WeightsError, match=wanted):
        Memory(Head("anomaly", "head.safetensors", tensors, "0" * 64), tiny)

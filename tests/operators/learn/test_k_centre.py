"""Centres of places: held to a loop over places, and to what k-centre promises."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from operators.learn.k_centre import k_centres


def grids(frames: int, seed: int = 0) -> Tensor:
    draw = np.random.default_rng(seed)
    return torch.from_numpy(draw.standard_normal((frames, 2, 3, 8)).astype(np.float32))


def centres(seen: Tensor, count: int, together: int = 4) -> NDArray[np.float32]:
    told: list[int] = []
    found = k_centres(lambda: iter(seen.split(together)), count, tell=told.append)
    assert told == list(range(1, count + 1))
    return found.numpy()


def plain(patches: NDArray[np.float32], count: int) -> NDArray[np.float64]:
    """Of one place, in float64."""
    unit = patches.astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    mean = unit.sum(axis=0)
    found = [mean / np.linalg.norm(mean)]
    while len(found) < count:
        found.append(unit[(unit @ np.array(found).T).max(axis=1).argmin()])
    return np.array(found)


def test_centres_are_those_of_a_plain_loop() -> None:
    seen = grids(30)
    found = centres(seen, 5)
    assert found.shape == (2, 3, 5, 8)
    for i in range(2):
        for j in range(3):
            np.testing.assert_allclose(found[i, j], plain(seen[:, i, j].numpy(), 5), atol=1e-6)


@pytest.mark.parametrize("together", [1, 7, 30])
def test_how_the_footage_is_cut_changes_nothing_but_rounding(together: int) -> None:
    seen = grids(30)
    np.testing.assert_allclose(centres(seen, 5, together), centres(seen, 5), atol=1e-6)


def test_more_centres_leave_nothing_farther_away() -> None:
    seen = grids(40, seed=2)
    unit = seen / seen.norm(dim=-1, keepdim=True)
    farthest = [
        float((1 - torch.einsum("nhwd,hwkd->nhwk", unit, torch.from_numpy(own)).amax(-1)).max())
        for own in (centres(seen, count) for count in (2, 8, 41))
    ]
    assert farthest[0] > farthest[1] > farthest[2]
    assert farthest[2] == pytest.approx(0, abs=1e-6)  # the mean, and each of the 40


def test_where_all_is_alike_centres_are_there_twice() -> None:
    found = centres(grids(1).expand(5, -1, -1, -1), 3)
    np.testing.assert_allclose(found[:, :, 1], found[:, :, 0], atol=1e-6)
    np.testing.assert_allclose(found[:, :, 2], found[:, :, 0], atol=1e-6)


def test_the_footage_is_read_once_for_each_centre() -> None:
    passes = 0

    def seen() -> Iterator[Tensor]:
        nonlocal passes
        passes += 1
        return iter(grids(6).split(2))

    k_centres(seen, 4, tell=lambda _: None)
    assert passes == 4

"""Principal axes: right at once, and the same ones from frame to frame."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from operators.pca.axes import Axes, first_axes, next_axes


def cloud(seed: int, deviations: tuple[float, ...] = (8.0, 5.0, 3.0, 1.0)) -> torch.Tensor:
    """300 points in 24 dimensions; the first few directions are the unit axes."""
    draw = np.random.default_rng(seed)
    points = draw.standard_normal((300, 24)) * 0.2
    points[:, : len(deviations)] = draw.standard_normal((300, len(deviations))) * deviations
    return torch.from_numpy(points + 2).float()


def ones(points: torch.Tensor) -> torch.Tensor:
    return torch.ones(len(points))


def test_the_first_axes_are_those_of_numpy() -> None:
    points = cloud(1)
    axes = first_axes(points, ones(points), 3)
    values, vectors = np.linalg.eigh(np.cov(points.numpy().T, bias=True))
    np.testing.assert_allclose(axes.variances, values[::-1][:3], rtol=1e-4)
    likeness = np.abs(np.sum(axes.directions.numpy() * vectors[:, ::-1][:, :3], axis=0))
    np.testing.assert_allclose(likeness, 1, atol=1e-4)
    spread = axes.coordinates(points)
    np.testing.assert_allclose(spread.mean(dim=0), 0, atol=1e-4)
    np.testing.assert_allclose(spread.square().mean(dim=0), 1, atol=1e-3)


def test_weights_choose_the_points() -> None:
    points = cloud(2)
    weights = torch.zeros(300)
    weights[:150] = 1
    chosen = first_axes(points, weights, 2)
    alone = first_axes(points[:150], ones(points[:150]), 2)
    np.testing.assert_allclose(chosen.mean, alone.mean, atol=1e-4)
    np.testing.assert_allclose(chosen.variances, alone.variances, rtol=1e-3)


def test_axes_follow_and_keep_sign_and_order() -> None:
    axes = first_axes(cloud(0), ones(cloud(0)), 3)
    for seed in range(1, 40):
        points = cloud(seed)
        after = next_axes(axes, points, ones(points), 0.1)
        same = (axes.directions * after.directions).sum(dim=0)
        assert (same > 0.99).all()
        gram = after.directions.T @ after.directions
        np.testing.assert_allclose(gram, np.eye(3), atol=1e-5)
        axes = after


def test_axes_come_round_to_what_is_shown_now() -> None:
    axes = first_axes(cloud(0), ones(cloud(0)), 1)
    for seed in range(1, 120):
        points = cloud(seed, (1.0, 8.0))
        axes = next_axes(axes, points, ones(points), 0.1)
    assert abs(axes.directions[1, 0]) > 0.99
    assert axes.variances[0] == pytest.approx(64, rel=0.1)


def test_hardly_any_points_move_nothing() -> None:
    axes = first_axes(cloud(0), ones(cloud(0)), 3)
    after = next_axes(axes, cloud(1), torch.zeros(300), 0.5)
    for one, two in zip(axes.parts(), after.parts(), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-6)


@pytest.mark.parametrize("value", [0.0, 3.0])
def test_points_that_are_all_one_give_numbers(value: float) -> None:
    points = torch.full((12, 6), value)
    axes = first_axes(points, ones(points), 3)
    axes = next_axes(axes, points, ones(points), 0.1)
    assert torch.isfinite(axes.coordinates(points)).all()


def test_numbers_come_back_to_the_bit() -> None:
    axes = first_axes(cloud(0), ones(cloud(0)), 3)
    again = Axes.of_numbers(np.concatenate(axes.parts()), 3)
    assert again.directions.stride() == axes.directions.stride()
    points = cloud(1)
    one, two = (next_axes(own, points, ones(points), 0.1) for own in (axes, again))
    assert all((a == b).all() for a, b in zip(one.parts(), two.parts(), strict=True))
    with pytest.raises(ValueError, match="24 numbers are no 3 axes"):
        Axes.of_numbers(np.zeros(24, np.float32), 3)

"""Upright cylinders: where rays meet them, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.synthetic.cylinder import CAP, SIDE, Cylinder
from pipeline.synthetic.rays import Rays

POST = Cylinder((0.0, 5.0, 1.0), 0.5, 1.0)


def _meet(origin: tuple[float, float, float], way: tuple[float, float, float]) -> tuple[float, int]:
    dx, dy, dz = (np.array([value], np.float32) for value in way)
    t, face = POST.intersect(Rays(origin, dx, dy, dz))
    return float(t[0]), int(face[0])


@pytest.mark.parametrize(
    ("origin", "way", "want"),
    [
        ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (4.5, SIDE)),
        ((0.3, 0.0, 1.0), (0.0, 1.0, 0.0), (4.6, SIDE)),
        ((0.0, 0.0, 4.5), (0.0, 1.0, -0.5), (5.0, CAP)),
        ((0.0, 5.0, 7.0), (0.0, 0.0, -1.0), (5.0, CAP)),
        ((0.0, 0.0, 1.0), (0.0, 1.0, 0.2), (4.5, SIDE)),
    ],
)
def test_rays_meet_the_side_or_the_cap(
    origin: tuple[float, float, float],
    way: tuple[float, float, float],
    want: tuple[float, int],
) -> None:
    t, face = _meet(origin, way)
    assert t == pytest.approx(want[0], rel=1e-5)
    assert face == want[1]


@pytest.mark.parametrize(
    ("origin", "way"),
    [
        ((0.6, 0.0, 1.0), (0.0, 1.0, 0.0)),
        ((0.0, 0.0, 1.0), (0.0, -1.0, 0.0)),
        ((0.0, 0.0, 2.5), (0.0, 1.0, 0.0)),
        ((0.0, 0.0, 1.0), (0.0, 1.0, 0.5)),
        ((0.0, 0.0, 4.5), (0.0, 1.0, 0.5)),
    ],
)
def test_rays_beside_behind_above_and_over_it_miss(
    origin: tuple[float, float, float], way: tuple[float, float, float]
) -> None:
    assert _meet(origin, way)[0] == np.inf


def test_the_bounding_ball_holds_it() -> None:
    assert POST.reach == pytest.approx(np.hypot(0.5, 1.0))

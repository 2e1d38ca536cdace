"""What is left of vectors after their mean, and after their widest directions."""

import numpy as np
import pytest

from operators.groups.grid import cosines, unit_rows
from operators.groups.whitening import Whitening, centring, whitening


@pytest.fixture
def cone():
    """Units in a narrow cone, wide in one direction alone."""
    draw = np.random.default_rng(3)
    spread = draw.normal(size=(400, 12)) * ([0.6] + [0.02] * 11)
    return unit_rows(spread + np.eye(12)[5] * 2)


def test_without_the_mean_cosines_are_about_0_on_average(cone):
    assert cosines(cone, cone).mean() > 0.85
    centred = centring(cone)(cone)
    assert abs(cosines(centred, centred).mean()) < 0.05


def test_whitened_directions_vary_alike(cone):
    spread = np.linalg.eigvalsh(np.cov(centring(cone)(cone).T.astype(float)))
    even = np.linalg.eigvalsh(np.cov(whitening(cone, shrinkage=1e-4)(cone).T.astype(float)))
    assert spread[-1] / spread[1] > 100
    assert even[-1] / even[1] < 20


def test_it_is_the_inverse_root_of_the_covariance(cone):
    off = cone.astype(float) - cone.astype(float).mean(axis=0)
    covariance = off.T @ off / len(cone)
    shrunk = covariance + 0.1 * np.trace(covariance) / 12 * np.eye(12)
    matrix = whitening(cone).matrix
    product = matrix @ shrunk @ matrix
    assert product / product[0, 0] == pytest.approx(np.eye(12), abs=1e-4)


def test_it_does_the_same_to_a_row_in_any_company(cone):
    turned = whitening(cone)
    for one in (turned, centring(cone), Whitening(turned.mean, turned.matrix)):
        assert np.array_equal(one(cone)[7:9], one(cone[7:9]))


def test_vectors_that_are_all_alike_have_nothing_left():
    alike = unit_rows(np.ones((4, 4)))
    assert not centring(alike)(alike).any()
    assert np.isfinite(whitening(alike)(unit_rows(np.eye(4)))).all()

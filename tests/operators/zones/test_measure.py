"""Zones on maps: shares by area, robust metres, maps of two sizes."""

import numpy as np
import pytest

from operators.places.shapes import Zone
from operators.zones.measure import Mask, Metres

HD = (360, 640)
LEFT_HALF = Zone("left", ((0, 0), (0.5, 0), (0.5, 1), (0, 1)))
SLANTED = Zone("slanted", ((0, 0), (0.75, 0), (0.25, 1), (0, 1)))


def measured(zone, classes, metres=None):
    classes = np.array(classes, dtype=np.uint8)
    metres = None if metres is None else np.array(metres, dtype=np.float64)
    return Mask.of(zone, classes.shape, HD).measure(classes, metres)


def test_shares_are_of_the_zones_area_alone():
    found = measured(LEFT_HALF, [[1, 1, 2, 2], [1, 3, 2, 2]])
    assert found.shares == {1: 0.75, 3: 0.25}
    assert (found.share((1, 3)), found.share((2,)), found.share(())) == (1, 0, 0)


def test_cells_that_lie_half_in_it_count_by_half():
    found = measured(SLANTED, [[7, 7, 0, 0], [7, 0, 0, 0]])
    area_of_7 = 1 + 1 + 1  # of 4 cells: 3 above, of which the third by half, and as many below
    assert found.share((7,)) == pytest.approx(area_of_7 / 4, abs=1e-6)


def test_metres_are_of_what_is_in_the_zone_and_known():
    found = measured(LEFT_HALF, [[1, 1, 2, 2], [1, 3, 2, 2]], [[5, 0, 1, 1], [4, 9, 1, 1]])
    assert found.metres == Metres(4, 5)
    assert found.by_class == {1: Metres(4, 4), 3: Metres(9, 9)}
    assert (found.nearest_m((1, 3)), found.nearest_m((2,))) == (4, None)


def test_nothing_known_is_unknown():
    found = measured(LEFT_HALF, [[1, 2]], [[0, 3]])
    assert (found.metres, found.by_class) == (Metres(), {1: Metres()})
    assert measured(LEFT_HALF, [[1, 2]]).nearest_m((1,)) is None


def test_single_near_cells_are_not_believed():
    """The nearest metre is that which 5 % of the area are nearer than."""
    metres = np.full((10, 20), 8.0)
    metres[0, :4] = 0.5  # 4 of the zone's 100 cells
    classes = np.zeros((10, 20))
    assert measured(LEFT_HALF, classes, metres).metres.nearest == 8
    metres[0, :5] = 0.5
    assert measured(LEFT_HALF, classes, metres).metres.nearest == 0.5


def test_a_depth_map_of_another_size_is_read_where_the_cells_lie():
    classes = [[1, 1, 2, 2], [3, 3, 4, 4]]
    found = measured(Zone("all", ((0, 0), (1, 0), (1, 1), (0, 1))), classes, [[1, 2], [3, 4]])
    assert found.by_class == {number: Metres(number, number) for number in (1, 2, 3, 4)}
    fine = np.kron([[1, 2, 3, 4], [5, 6, 7, 8]], np.ones((3, 3)))
    found = measured(LEFT_HALF, [[0, 1, 9, 9], [2, 3, 9, 9]], fine)
    assert {one: found.nearest_m((one,)) for one in range(4)} == {0: 1, 1: 2, 2: 5, 3: 6}

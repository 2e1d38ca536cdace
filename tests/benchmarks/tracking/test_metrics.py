"""IDF1, HOTA and switches: by hand, and held to what the `trackers` package makes of the same.

`TWINS` were written by its 2.6.1 for `sequence(seed)`; where it is installed it is asked again.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.tracking.metrics import Told, overlap, worth

SIDE = 20.0
TWINS = {  # seed: IDF1, HOTA, its detection and association, switches
    0: (0.404984423676, 0.277012508380, 0.372673433451, 0.209923477686, 8),
    1: (0.629441624365, 0.397644453192, 0.384124006447, 0.413162673200, 5),
    2: (0.376963350785, 0.269336451995, 0.390930861917, 0.187328757532, 11),
    3: (0.455882352941, 0.315595381923, 0.445262493101, 0.226541605040, 11),
}


def boxes(*centres: float) -> np.ndarray:
    """Squares in a row."""
    return np.array([(x, 0, x + SIDE, SIDE) for x in centres]).reshape(-1, 4)


def frame(true: dict[int, float], told: dict[int, float]) -> Told:
    """Ids and where they are."""
    ids = [np.array(list(one), dtype=np.int64) for one in (true, told)]
    return Told(ids[0], boxes(*true.values()), ids[1], boxes(*told.values()))


def sequence(seed: int) -> list[Told]:
    """Things that drift, are missed, change their ids, and false boxes."""
    rng = np.random.default_rng(seed)
    count, frames = int(rng.integers(2, 7)), []
    centres, speed = rng.uniform(0, 100, (count, 2)), rng.normal(0, 3, (count, 2))
    names = np.arange(count)
    for _ in range(int(rng.integers(10, 40))):
        centres = centres + speed
        names = rng.permutation(count + 3)[:count] if rng.random() < 0.15 else names
        true = np.concatenate([centres - 10, centres + 10], axis=1)
        there, seen, false = rng.random(count) < 0.9, rng.random(count) < 0.8, rng.integers(0, 3)
        corner = rng.uniform(0, 100, (false, 2))
        told = np.concatenate([(true + rng.normal(0, 3, true.shape))[seen], np.zeros((0, 4))])
        told = np.concatenate([told, np.concatenate([corner, corner + 15], axis=1)])
        ids = np.concatenate([names[seen], 100 + rng.permutation(20)[:false]])
        frames.append(Told((np.arange(count) * 3 + 5)[there], true[there], ids, told))
    return frames


def test_a_tracker_that_is_right_is_worth_1() -> None:
    frames = [frame({1: x, 2: 100 - x}, {8: x, 5: 100 - x}) for x in range(0, 40, 5)]
    found = worth(frames)
    assert (found.idf1, found.hota, found.switches) == (1, 1, 0)
    assert (found.precision, found.recall, found.boxes) == (1, 1, 16)


def test_a_thing_that_changes_its_id_halfway_is_half_known() -> None:
    frames = [frame({1: 0}, {3 if number < 5 else 4: 0}) for number in range(10)]
    found = worth(frames)
    assert (found.idf1, found.switches) == (0.5, 1)
    assert (found.detection, found.association) == (1, 0.5)
    assert found.hota == pytest.approx(0.5**0.5)


def test_a_switch_counts_after_a_hole_too() -> None:
    shown = [{3: 0.0}, {}, {4: 0.0}, {4: 0.0}, {3: 0.0}]
    assert worth([frame({1: 0}, told) for told in shown]).switches == 2


def test_boxes_that_overlap_too_little_agree_with_none() -> None:
    found = worth([frame({1: 0}, {1: 15})] * 4)
    assert (found.idf1, found.precision, found.recall) == (0, 0, 0)
    assert 0 < found.hota < 0.2, "which asks for less overlap as well"


def test_overlaps_are_shares_of_the_union() -> None:
    shares = overlap(boxes(0, 10), boxes(0, 10, 90))
    assert shares == pytest.approx(np.array([[1, 1 / 3, 0], [1 / 3, 1, 0]]))
    empty = np.zeros((0, 4))
    assert overlap(empty, boxes(1)).shape == (0, 1)


def test_what_cannot_be_measured_is_refused() -> None:
    with pytest.raises(ValueError, match="no true box"):
        worth([frame({}, {1: 0})])
    twice = frame({1: 0, 2: 50}, {})
    with pytest.raises(ValueError, match="an id stands twice in a frame"):
        worth([replace(twice, true_ids=np.array([1, 1]))])


@pytest.mark.parametrize("seed", TWINS)
def test_it_is_what_the_field_measures(seed: int) -> None:
    found = worth(sequence(seed))
    numbers = (found.idf1, found.hota, found.detection, found.association)
    assert (*numbers, found.switches) == pytest.approx(TWINS[seed], abs=1e-9)


def test_the_twin_says_the_same_today() -> None:
    twin = pytest.importorskip("trackers.eval", reason="the package trackers is not installed")
    for seed, said in TWINS.items():
        frames = sequence(seed)
        told = (
            [one.true_ids for one in frames],
            [one.ids for one in frames],
            [overlap(one.true_boxes, one.boxes) for one in frames],
        )
        hota = twin.compute_hota_metrics(*told)
        identity = twin.compute_identity_metrics(*told)
        clear = twin.compute_clear_metrics(*told)
        numbers = (identity["IDF1"], hota["HOTA"], hota["DetA"], hota["AssA"], clear["IDSW"])
        assert numbers == pytest.approx(said, abs=1e-9)

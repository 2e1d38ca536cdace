"""Films whose cuts are known, and how what is found in them is counted."""

from __future__ import annotations

import numpy as np

from benchmarks.shots.films import HEIGHT, WIDTH, Change, made
from benchmarks.shots.score import Score, matched, scored

CHANGES = [Change("cut", 10, 10), Change("dissolve", 30, 40), Change("cut", 60, 60)]


def test_one_frame_is_right_once_and_within_its_tolerance() -> None:
    assert matched(CHANGES, [10, 10, 35, 61], 0) == {0: 10, 1: 35}
    assert matched(CHANGES, [9, 28, 43, 62], 2) == {0: 9, 1: 28, 2: 62}


def test_what_is_found_for_another_kind_is_neither_right_nor_wrong() -> None:
    found = [10, 33, 50]
    assert scored(CHANGES, found, 0, ("cut",)) == Score(there=2, found=2, right=1)
    assert scored(CHANGES, found, 0, ("cut", "dissolve")) == Score(there=3, found=3, right=2)
    both = Score(2, 2, 1) + Score(2, 1, 1)
    assert (both.precision, both.recall, both.f1) == (2 / 3, 0.5, 4 / 7)
    assert Score(3, 0, 0).f1 == Score(0, 0, 0).precision == Score(0, 0, 0).recall == 0


def test_a_film_is_what_its_truth_says() -> None:
    """Clips of one colour each: wherever it changes at once, and nowhere else, is a cut."""
    clips = [[np.full((60, 100, 3), level, np.uint8)] * 90 for level in (60, 120, 240)]
    film = made(clips, 12, 3, calm=True)
    levels = np.array([picture.mean() for picture in film.pictures])
    assert film.pictures[0].shape == (HEIGHT, WIDTH, 3)
    jumps = [int(one) + 1 for one in np.flatnonzero(np.abs(np.diff(levels)) > 45)]
    assert jumps == [one.first for one in film.changes if one.kind == "cut"]
    assert {one.kind for one in film.changes} == {"cut", "dissolve", "fade"}
    for change in film.changes:
        if change.kind == "fade":
            assert levels[change.first : change.last].min() == 0
    again = made(clips, 12, 3, calm=True)
    assert [one.kind for one in again.changes] == [one.kind for one in film.changes]
    assert len(film.upsets) == len(film.pictures)

"""Candidates of all recordings lie in one order."""

import numpy as np

from pipeline.curate.chosen import candidates_of, entries_of


def test_the_order_of_recordings_changes_nothing(harvested):
    gate = harvested(np.eye(8)[:3], "gate", "b", times_s=[5, 6, 7])
    yard = harvested(np.eye(8)[3:5], "yard", "a", times_s=[1, 6])
    none = harvested(np.zeros((0, 8)), "none")
    both = [(one, entries_of(one)) for one in ([gate, yard, none], [none, yard, gate])]
    (one, other) = (candidates_of(of, entries, None, "") for of, entries in both)
    in_order = ["yard/a/0", "yard/a/512", "gate/b/0", "gate/b/512", "gate/b/1024"]
    assert one.names == other.names == in_order
    assert one.units.tobytes() == other.units.tobytes()
    assert one.by_time.tolist() == other.by_time.tolist() == [0, 2, 3, 1, 4]


def test_the_filter_sees_every_picture(harvested):
    given = [harvested(np.eye(8)[:3])]
    levels = []

    def screen(picture):
        levels.append(int(picture.mean().round()))
        return "dark" if picture.mean() < 31 else None

    found = candidates_of(given, entries_of(given), screen, "mine:screen")
    assert found.refused == ["dark", None, None]
    assert levels == [30, 31, 32]


def test_every_picture_has_a_file_of_its_own(harvested):
    entries = entries_of([harvested(np.eye(8)[:3], "a-b", "c"), harvested(np.eye(8), "a", "b")])
    assert len({one.file for one in entries}) == len(entries)

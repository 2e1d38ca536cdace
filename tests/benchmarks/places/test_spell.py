"""Spells: when something held, and how well found ones match true ones."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.places.spell import Score, Spell, hysteresis, score, spells

TIMES_S = [step / 2 for step in range(20)]


def _held(*steps: int) -> np.ndarray:
    held = np.zeros(len(TIMES_S), np.bool_)
    held[list(steps)] = True
    return held


def test_spells_are_from_the_first_to_the_last_time_that_it_held():
    assert spells(TIMES_S, _held(2, 3, 4, 9, 10, 11), 1.0) == [Spell(1.0, 2.0), Spell(4.5, 5.5)]
    assert spells(TIMES_S, _held(*range(20)), 1.0) == [Spell(0.0, 9.5)]
    assert spells(TIMES_S, _held(), 1.0) == []


def test_short_breaks_are_closed_before_short_spells_are_dropped():
    assert spells(TIMES_S, _held(2, 4), 1.5) == []
    assert spells(TIMES_S, _held(2, 4, 6), 1.5) == [Spell(1.0, 3.0)]
    assert spells(TIMES_S, _held(2, 3, 4, 5, 8, 9, 10, 11), 1.5) == [
        Spell(1.0, 2.5),
        Spell(4.0, 5.5),
    ]


def test_hysteresis_begins_at_one_threshold_and_lasts_to_the_other():
    values = np.array([0.0, 0.2, 0.5, 0.2, 0.1, 0.2, 0.4, 0.6, 0.3, 0.0])
    expected = [False, False, True, True, False, False, False, True, True, False]
    assert hysteresis(values, 0.5, 0.2).tolist() == expected


def test_likeness_is_shared_time_over_covered_time():
    assert Spell(0.0, 4.0).likeness(Spell(2.0, 6.0)) == pytest.approx(1 / 3)
    assert Spell(0.0, 4.0).likeness(Spell(5.0, 6.0)) == 0.0
    assert Spell(1.0, 1.0).likeness(Spell(1.0, 1.0)) == 1.0


def test_a_spell_is_matched_once_and_with_the_one_most_like_it():
    true = [Spell(0.0, 10.0), Spell(20.0, 22.0)]
    found = [Spell(2.0, 9.0), Spell(0.5, 10.0), Spell(40.0, 50.0)]
    got = score(true, found)
    assert (got.true, got.found, got.both) == (2, 3, 1)
    assert got.off_s == (0.5, 0.0)
    assert (got.precision, got.recall) == (pytest.approx(1 / 3), 0.5)


def test_a_short_true_spell_may_be_told_or_not():
    true = [Spell(0.0, 1.1), Spell(5.0, 6.1), Spell(9.0, 12.0)]
    got = score(true, [Spell(0.0, 1.0)], sure_s=1.4)
    assert (got.true, got.found, got.both) == (2, 1, 1)


def test_scores_add_up_and_nothing_is_no_mistake():
    assert score([], []) == Score()
    assert (Score().precision, Score().recall) == (1.0, 1.0)
    both = score([Spell(0.0, 2.0)], [Spell(0.0, 2.0)]) + score([Spell(0.0, 2.0)], [])
    assert (both.precision, both.recall) == (1.0, 0.5)

"""Seeded choices: the same for ever, apart from each other, evenly spread."""

from __future__ import annotations

import numpy as np

from pipeline.synthetic.dice import Dice


def test_a_seed_and_purpose_give_the_numbers_that_they_always_gave() -> None:
    dice = Dice(1, 0)
    numbers = [dice.between(0.0, 1.0) for _ in range(3)]
    assert numbers == [0.6990345474368357, 0.17433552137309583, 0.6451185321972944]
    field = dice.field(1, 3).tolist()
    assert field == [[0.3202023506164551, 0.09686106443405151, 0.8125782608985901]]


def test_seeds_and_purposes_are_independent() -> None:
    streams = [Dice(seed, purpose).field(1000) for seed in (0, 1) for purpose in (0, 1)]
    correlation = np.corrcoef(np.stack(streams)) - np.eye(4)
    assert np.abs(correlation).max() < 0.12


def test_numbers_are_evenly_spread_over_their_range() -> None:
    dice = Dice(7, 0)
    values = np.array([dice.between(-2.0, 2.0) for _ in range(4000)])
    assert (np.histogram(values, bins=8, range=(-2, 2))[0] > 400).all()
    picks = [dice.pick("abcd") for _ in range(4000)]
    assert all(picks.count(letter) > 850 for letter in "abcd")
    field = dice.field(64, 64)
    assert field.dtype == np.float32
    assert 0.0 <= field.min() < 0.01 < 0.99 < field.max() < 1.0

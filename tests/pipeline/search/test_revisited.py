"""Mean average precision, held to a reference that goes through a ranking picture by picture."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.search.revisited import (
    CUTS,
    PROTOCOLS,
    Truth,
    average_precision,
    precision_at,
    retrieved,
)


def reference(ranking, wanted, ignored):
    """Average precision and precisions by the definition: a walk down the ranking, in which what is
    ignored is stepped over. Each right picture adds its share of recall times the mean of precision
    just before it and just behind it; before any picture precision is one."""
    seen = right = 0
    area, last_right, marks = 0.0, 0, []
    for number in ranking:
        if number in ignored:
            continue
        before = right / seen if seen else 1.0
        seen += 1
        if number in wanted:
            right += 1
            last_right = seen
            area += (before + right / seen) / 2 / len(wanted)
        marks.append(right)
    cuts = {cut: marks[min(cut, last_right) - 1] / min(cut, last_right) for cut in CUTS}
    return area, cuts


@pytest.mark.parametrize("seed", range(12))
def test_it_is_the_reference_on_random_rankings(seed):
    draw = np.random.default_rng(seed)
    gallery, queries = int(draw.integers(20, 300)), 15
    truths, rankings = [], []
    for _ in range(queries):
        sizes = draw.integers(0, gallery // 5, 3)
        sizes[draw.integers(3)] = 0  # some queries ask for nothing by some protocol
        places = draw.permutation(gallery).tolist()
        parts = np.split(np.array(places), np.cumsum(sizes))[:3]
        truths.append(Truth(*(tuple(map(int, one)) for one in parts)))
        rankings.append(draw.permutation(gallery))
    for protocol in PROTOCOLS.values():
        told = [
            reference(ranking.tolist(), *protocol.numbers(truth))
            for ranking, truth in zip(rankings, truths, strict=True)
            if protocol.numbers(truth)[0]
        ]
        found = retrieved(rankings, truths, protocol)
        assert found.queries == len(told)
        assert found.mean_ap.value == pytest.approx(np.mean([area for area, _ in told]), abs=1e-9)
        for cut in CUTS:
            mean = np.mean([cuts[cut] for _, cuts in told])
            assert found.precision[cut].value == pytest.approx(mean, abs=1e-9)


@pytest.mark.parametrize(
    ("places", "value"),
    [([0], 1.0), ([0, 1, 2], 1.0), ([1], 0.25), ([0, 2], (1 + (1 / 2 + 2 / 3) / 2) / 2)],
)
def test_what_can_be_told_by_hand(places, value):
    assert average_precision(np.array(places)) == pytest.approx(value, abs=1e-12)


def test_precision_goes_no_deeper_than_the_last_right_one():
    assert precision_at(np.array([0, 1]), 10) == 1.0
    assert precision_at(np.array([0, 3]), 10) == 0.5
    assert precision_at(np.array([0, 3]), 2) == 0.5


def test_of_one_query_there_is_no_interval_and_of_none_nothing():
    truths = [Truth((0,), (), (1,))]
    found = retrieved([np.array([1, 0, 2])], truths, PROTOCOLS["easy"])
    assert (found.mean_ap.value, found.mean_ap.low) == (1.0, None)
    with pytest.raises(ValueError, match="no query asks for anything"):
        retrieved([np.array([1, 0, 2])], truths, PROTOCOLS["hard"])

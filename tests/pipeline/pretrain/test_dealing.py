"""Epochs see every picture once, batches many streams, and no two neighbours."""

from collections import Counter
from itertools import combinations

import numpy as np
import pytest

from pipeline.pretrain.dealing import Dealing, Stream, thinned

SECOND = 1_000_000


def streams_of(*times_s):
    """One stream per list of times; a number instead: so many pictures without times."""
    streams, first = [], 0
    for times in times_s:
        count = times if isinstance(times, int) else len(times)
        rows = np.arange(first, first + count)
        own = None if isinstance(times, int) else np.array(np.multiply(times, SECOND), np.int64)
        streams.append(Stream(rows, own))
        first += count
    return streams


def whose(streams):
    return {row: number for number, one in enumerate(streams) for row in one.rows.tolist()}


def times_of(streams):
    return {
        row: time_us
        for one in streams
        if one.times_us is not None
        for row, time_us in zip(one.rows.tolist(), one.times_us.tolist(), strict=True)
    }


def epoch(dealing, number=0, seed=0):
    first = number * dealing.batches
    return [dealing.draw(first + batch, seed) for batch in range(dealing.batches)]


def require_apart(batches, streams, apart_s):
    own, times = whose(streams), times_of(streams)
    for batch in batches:
        assert len(set(batch)) == len(batch)
        for one, other in combinations(sorted(set(batch) & times.keys()), 2):
            if own[one] == own[other]:
                assert abs(times[one] - times[other]) >= apart_s * SECOND


def random_streams(draw):
    """Some crowded, some not, some without times."""
    found = []
    for _ in range(draw.integers(1, 7)):
        count, span_s = int(draw.integers(1, 120)), float(draw.choice([20, 200, 2000]))
        found.append(count if draw.random() < 0.2 else np.sort(draw.random(count) * span_s))
    return streams_of(*found)


@pytest.mark.parametrize("case", range(40))
def test_whatever_the_streams_batches_are_full_and_their_pictures_apart(case):
    draw = np.random.default_rng(case)
    streams = random_streams(draw)
    count, apart_s = int(draw.integers(1, 40)), float(draw.choice([0, 1, 5, 30]))
    dealing = Dealing(streams, count, round(apart_s * SECOND))
    assert 1 <= dealing.size <= count
    for number in range(3):
        batches = epoch(dealing, number)
        assert {len(batch) for batch in batches} == {dealing.size}
        require_apart(batches, streams, apart_s)
        seen = Counter(row for batch in batches for row in batch)
        assert max(seen.values()) == 1, "no picture twice in an epoch"


def test_an_epoch_sees_all_but_what_fills_no_batch():
    streams = streams_of(np.arange(100) * 10, np.arange(37) * 10, 60)
    dealing = Dealing(streams, 16, 15 * SECOND)
    assert (dealing.size, dealing.batches) == (16, 197 // 16)
    left = []
    for number in range(30):
        seen = {row for batch in epoch(dealing, number) for row in batch}
        left.append(set(range(197)) - seen)
    assert {len(one) for one in left} == {197 % 16}
    assert len(set.union(*left)) > 60, "other ones each time"


def test_streams_are_spread_over_batches_to_within_one():
    streams = streams_of(np.arange(200) * 10, np.arange(60) * 10, 25, 12)
    dealing, own = Dealing(streams, 11, 30 * SECOND), whose(streams)
    for batches in (epoch(dealing, 0), epoch(dealing, 5)):
        spread = [Counter(own[row] for row in batch) for batch in batches]
        for number in range(4):
            counts = [one[number] for one in spread]
            assert max(counts) - min(counts) <= 1


def test_a_draw_is_a_function_of_seed_and_step():
    streams = streams_of(np.arange(50) * 3, 40)
    one, other = (Dealing(streams, 8, 5 * SECOND) for _ in range(2))
    steps = list(range(40))
    in_order = [one.draw(step, 3) for step in steps]
    backwards = [other.draw(step, 3) for step in reversed(steps)]
    assert in_order == backwards[::-1]
    assert in_order != [one.draw(step, 4) for step in steps]
    assert sorted(map(sorted, in_order)) != sorted(map(sorted, in_order[:11] * 4))


def test_who_meets_whom_changes_from_epoch_to_epoch():
    streams = streams_of(np.arange(200) * 2.0)
    dealing = Dealing(streams, 10, 5 * SECOND)
    partners = Counter()
    for number in range(60):
        for batch in epoch(dealing, number):
            if 100 in batch:
                partners.update(row for row in batch if row != 100)
    assert len(partners) > 150
    assert max(partners.values()) < 25


def test_where_too_few_can_be_together_batches_are_smaller():
    dealing = Dealing(streams_of([0, 1, 2, 3, 30, 31, 60]), 48, 10 * SECOND)
    assert (dealing.size, dealing.batches) == (3, 1)
    seen = Counter(row for number in range(60) for batch in epoch(dealing, number) for row in batch)
    assert set(seen) == set(range(7)), "in the long run all are seen"
    lone = Dealing(streams_of([7.0]), 48, 10 * SECOND)
    assert (lone.size, lone.batches, lone.draw(99, 0)) == (1, 1, [0])


def test_a_crowded_stream_leaves_full_batches_to_the_others():
    """A hundred frames within ten seconds, and 500 other pictures."""
    streams = streams_of(np.arange(100) / 10, 500)
    dealing = Dealing(streams, 48, 60 * SECOND)
    assert (dealing.size, dealing.batches) == (48, 10)
    own = whose(streams)
    seen = Counter()
    for number in range(40):
        batches = epoch(dealing, number)
        assert all(sum(own[row] == 0 for row in batch) <= 1 for batch in batches)
        seen.update(row for batch in batches for row in batch if own[row] == 0)
    assert len(seen) > 90, "from another place each time"


@pytest.mark.parametrize("case", range(20))
def test_thinned_times_are_as_many_as_there_can_be(case):
    """Against every subset of a few pictures."""
    draw = np.random.default_rng(case)
    times = np.sort(draw.integers(0, 40, 9))
    most, apart = int(draw.integers(1, 4)), int(draw.integers(1, 15))

    def allowed(places):
        own = times[list(places)]
        return all(own[at + most] - own[at] >= apart for at in range(len(own) - most))

    best = max(size for size in range(10) if any(map(allowed, combinations(range(9), size))))
    assert len(thinned(times, most, apart, 0)) == best
    for start in range(9):
        kept = thinned(times, most, apart, start)
        assert start in kept
        assert allowed(kept)
        assert best - len(kept) <= most

"""Batches across streams: full first, nothing lost or doubled, order kept within a stream."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from operators.frames import FrameInfo
from pipeline.engine.batching import Batcher
from pipeline.stream.chunk import Frames


def frames(stream: str, first: int, count: int, size: tuple[int, int] = (28, 42)) -> Frames:
    infos = tuple(
        FrameInfo(stream, "s", str(first + i), first + i, Fraction(1, 30), 0, 0, (360, 640))
        for i in range(count)
    )
    pixels = np.full((count, *size, 3), 0, np.uint8)
    pixels[:, 0, 0, 0] = range(first, first + count)
    return Frames(infos, pixels, (1,) * count, {"after": first + count - 1})


def any_may(size: tuple[int, int]) -> bool:
    return True


def names(batch) -> list[tuple[str, str]]:
    return [(info.stream, info.position) for info in batch.frames.infos]


def test_a_partial_batch_waits_for_what_could_fill_it() -> None:
    batcher = Batcher(4)
    batcher.offer(frames("a", 0, 3))
    assert batcher.cut(lambda size: size == (28, 42)) is None
    batcher.offer(frames("b", 10, 3))
    batch = batcher.cut(any_may)
    assert names(batch) == [("a", "0"), ("a", "1"), ("a", "2"), ("b", "10")]
    assert batch.streams == ("a", "b")
    assert batch.frames.pixels[:, 0, 0, 0].tolist() == [0, 1, 2, 10]
    assert batcher.cut(any_may) is None
    assert names(batcher.cut()) == [("b", "11"), ("b", "12")]
    assert batcher.due_s == math.inf
    assert batcher.cut() is None


def test_frames_of_another_size_are_not_awaited() -> None:
    batcher = Batcher(4)
    batcher.offer(frames("a", 0, 3))
    assert names(batcher.cut(lambda size: size == (56, 56))) == [("a", "0"), ("a", "1"), ("a", "2")]


def test_sizes_never_mix_and_none_starves() -> None:
    batcher = Batcher(2)
    batcher.offer(frames("a", 0, 6))
    batcher.offer(frames("b", 0, 6, size=(56, 56)))
    order = []
    while (batch := batcher.cut()) is not None:
        assert len(batch.streams) == 1
        order.append(batch.streams[0])
    assert order == ["a", "b", "a", "b", "a", "b"]


def test_what_is_due_goes_before_fuller_batches_the_longest_overdue_first() -> None:
    batcher = Batcher(2)
    batcher.offer(frames("odd", 0, 1, size=(56, 56)), due_s=3.0)
    batcher.offer(frames("a", 0, 6), due_s=2.0)
    batcher.offer(frames("b", 0, 2, size=(14, 14)), due_s=9.0)
    assert batcher.due_s == 2.0
    assert names(batcher.cut(any_may, now_s=1.0)) == [("a", "0"), ("a", "1")], "nothing is due"
    assert names(batcher.cut(any_may, now_s=2.5)) == [("a", "2"), ("a", "3")], "a is"
    assert names(batcher.cut(any_may, now_s=8.0)) == [("a", "4"), ("a", "5")], "and before odd"
    assert names(batcher.cut(any_may, now_s=8.0)) == [("odd", "0")], "which is not full"
    assert names(batcher.cut(any_may, now_s=8.0)) == [("b", "0"), ("b", "1")]


def test_runs_of_one_size_share_a_batch_in_the_order_of_their_deadlines() -> None:
    batcher = Batcher(4)
    batcher.offer(frames("late", 0, 2), due_s=5.0)
    batcher.offer(frames("early", 0, 2), due_s=1.0)
    assert names(batcher.cut(any_may)) == [
        *(("early", "0"), ("early", "1"), ("late", "0"), ("late", "1"))
    ]


def test_of_runs_of_one_size_those_of_a_higher_priority_go_first() -> None:
    batcher = Batcher(2)
    batcher.offer(frames("low", 0, 2), due_s=1.0, priority=-1)
    batcher.offer(frames("plain", 0, 2), due_s=2.0)
    batcher.offer(frames("high", 0, 2), due_s=9.0, priority=5)
    batcher.offer(frames("odd", 0, 1, size=(56, 56)), due_s=0.5)
    order = [batcher.cut(any_may, now_s=3.0).streams for _ in range(4)]
    assert order == [("high",), ("odd",), ("plain",), ("low",)]


def test_what_waits_for_too_long_is_taken_out_and_named() -> None:
    batcher = Batcher(4)
    old = replace(frames("a", 0, 4), taken=(1, 2, 3, 1), arrived_s=(1.0, 2.0, 3.0, 4.0))
    batcher.offer(old)
    batcher.offer(replace(frames("b", 0, 1), arrived_s=(2.5,)))
    batcher.offer(frames("recorded", 0, 2))
    assert batcher.expire(1.0) == []
    assert batcher.expire(3.0) == [("a", (1, 2)), ("b", (1,))]
    assert batcher.expire(3.0) == []
    assert names(batcher.cut()) == [("a", "2"), ("a", "3"), ("recorded", "0"), ("recorded", "1")]
    assert batcher.expire(math.inf) == [], "it holds none any more"
    batcher.offer(frames("b", 1, 1))
    assert batcher.discard("b") == (1,)
    assert batcher.discard("b") == ()
    assert (batcher.cut(), batcher.due_s) == (None, math.inf)


def test_of_runs_that_are_done_nothing_is_kept() -> None:
    """Though one waits that is never due: of a recording beside cameras that fill every batch."""
    batcher = Batcher(1)
    batcher.offer(replace(frames("waits", 0, 1), arrived_s=(0.0,)), due_s=0.0, priority=-1)
    for number in [*range(200)] * 5:
        batcher.offer(replace(frames("a", number, 1), arrived_s=(5.0,)), due_s=0.0)
        assert names(batcher.cut(now_s=1.0)) == [("a", str(number))]
    held = [*batcher._buckets[28, 42].deadlines._heap, *batcher._arrivals._heap]
    assert len(held) < 200


def test_one_run_per_stream_at_a_time() -> None:
    batcher = Batcher(4)
    batcher.offer(frames("a", 0, 3))
    with pytest.raises(AssertionError):
        batcher.offer(frames("a", 3, 3))


@pytest.mark.parametrize("seed", range(20))
def test_every_frame_comes_out_once_and_in_order(seed: int) -> None:
    draw = np.random.default_rng(seed)
    batcher = Batcher(int(draw.integers(1, 9)))
    left = {name: int(draw.integers(1, 60)) for name in "abcd"}
    offered = dict.fromkeys(left, 0)
    got: dict[str, list[int]] = {name: [] for name in left}
    while any(offered[name] < left[name] for name in left) or any(
        len(got[n]) < left[n] for n in left
    ):
        for name in left:
            done = offered[name] == len(got[name])
            count = min(left[name] - offered[name], int(draw.integers(1, 17)))
            if done and count:
                batcher.offer(frames(name, offered[name], count))
                offered[name] += count
        batch = batcher.cut()
        for stream, position in names(batch):
            got[stream].append(int(position))
    assert got == {name: list(range(count)) for name, count in left.items()}


def test_batch_size_is_checked() -> None:
    with pytest.raises(ValueError, match="at least 1, got 0"):
        Batcher(0)

"""The ledger: what is told of a frame decides what it counts as, whoever remembers what."""

from __future__ import annotations

from fractions import Fraction

import pytest

from operators.frames import FrameInfo
from operators.result import JSON, Result
from pipeline.stream.ledger import MOST_WAITING, Ledger


def info(number: int) -> FrameInfo:
    return FrameInfo("a", "s", str(number), number, Fraction(1), number * 1_000_000, 0, (9, 16))


def own(number: int) -> Result:
    return Result(info(number), "op", JSON, b"1")


def span(first: int, last: int) -> Result:
    return Result(info(last), "op", JSON, b"1", start=info(first))


def after(*steps) -> tuple[Ledger, dict[str, int]]:
    """Frames taken (a range), records told (a list), or "settle"."""
    ledger = Ledger()
    for step in steps:
        if isinstance(step, range):
            ledger.took("op", [info(number) for number in step])
            ledger.add("op", "sampled", len(step))
        elif step == "settle":
            ledger.settle("op")
        else:
            ledger.told("op", step)
        ledger = Ledger(ledger.counts(), ledger.waiting())  # as a resume has it
    return ledger, ledger.counts()["op"]


@pytest.mark.parametrize(
    ("steps", "counts"),
    [
        ([range(4), [own(0), own(1), own(2), own(3)]], {"published": 4}),
        ([range(4), [own(1)], "settle"], {"published": 1, "silent": 3}),
        ([range(4), [span(0, 3)]], {"covered": 4}),
        ([range(4), [span(0, 2)], range(4, 6), [span(2, 5)]], {"covered": 6}),
        ([range(4), [span(2, 3)], "settle"], {"covered": 2, "silent": 2}),
        ([range(4), [span(0, 3), own(3)]], {"covered": 3, "published": 1}),
        ([range(4), "settle"], {"silent": 4}),
        ([range(2), [], range(2, 4), [own(0)], "settle"], {"published": 1, "silent": 3}),
        ([range(2), [own(0), own(0)], [own(0)], "settle"], {"published": 1, "silent": 1}),
    ],
)
def test_each_frame_counts_once_as_what_is_told_of_it(steps, counts):
    ledger, got = after(*steps)

    assert got.pop("sampled") == sum(got.values())
    assert got == counts
    assert ledger.waiting() == {}


def test_a_frame_waits_until_something_is_told_of_it():
    ledger, counts = after(range(5), [span(0, 1)])

    assert counts == {"sampled": 5, "covered": 2}
    assert ledger.waiting() == {"op": [("2", 2_000_000), ("3", 3_000_000), ("4", 4_000_000)]}


def test_few_frames_wait_of_an_operator_that_says_nothing():
    ledger, counts = after(range(MOST_WAITING), range(MOST_WAITING, MOST_WAITING + 7))

    assert counts["silent"] == 7
    assert len(ledger.waiting()["op"]) == MOST_WAITING
    assert ledger.waiting()["op"][0][0] == "7"


def test_a_frame_that_waits_may_repeat_one_that_has_a_record() -> None:
    ledger, _ = after(range(3), [own(0)])
    assert ledger.repeated("op", "1")
    assert not ledger.repeated("op", "1"), "once"
    assert not ledger.repeated("op", "0"), "it is published"
    ledger.settle("op")
    assert ledger.counts()["op"] == {"sampled": 3, "published": 1, "unchanged": 1, "silent": 1}

"""What a proof counts, held against sinks that lost, doubled, altered and invented records."""

import pytest

from benchmarks.prove.holdings import TWO_PAYLOADS, Difference, Holdings, difference

A, B, NAMES = ("depth", "a"), ("depth", "b"), ("labels", "names")
RIGHT = Holdings({A: "1", B: "2", NAMES: "3"}, {A: 1, B: 1, NAMES: 1})


@pytest.mark.parametrize(
    ("there", "found"),
    [
        (RIGHT, Difference(3, 0, 0, 0, 0, 0)),
        (Holdings(RIGHT.digests, {A: 1, B: 1, NAMES: 4}), Difference(3, 0, 0, 0, 0, 0)),
        (Holdings({A: "1", NAMES: "3"}, {A: 1, NAMES: 1}), Difference(2, 1, 0, 0, 0, 0)),
        (Holdings(RIGHT.digests, {A: 1, B: 2, NAMES: 1}), Difference(3, 0, 1, 0, 0, 0)),
        (
            Holdings({**RIGHT.digests, B: TWO_PAYLOADS}, {A: 1, B: 2, NAMES: 1}),
            Difference(3, 0, 1, 1, 0, 0),
        ),
        (Holdings({**RIGHT.digests, A: "2"}, RIGHT.copies), Difference(3, 0, 0, 1, 0, 0)),
        (
            Holdings({**RIGHT.digests, ("depth", "c"): "1"}, {**RIGHT.copies, ("depth", "c"): 1}),
            Difference(4, 0, 0, 0, 1, 0),
        ),
    ],
    ids=["equal", "labels again", "lost", "doubled", "two payloads", "altered", "invented"],
)
def test_every_difference_is_counted(there: Holdings, found: Difference) -> None:
    assert difference(there, RIGHT) == found


def test_whatever_is_found_is_a_breach() -> None:
    assert not difference(RIGHT, RIGHT).breaches
    assert difference(RIGHT, RIGHT, faults=1).breaches
    assert difference(Holdings({}, {}), RIGHT).breaches == 3

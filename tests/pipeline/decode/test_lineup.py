"""Frames in a row: what is told between them is bounded, and says all that it said."""

from __future__ import annotations

from fractions import Fraction
from random import Random

from operators.frames import FrameInfo
from pipeline.decode.lineup import Lineup
from pipeline.stream.chunk import End, Fault, Gap, Shot

LOSS, CLOCK, END = Fault("s", "decode", "bad", 1), Gap("s", "clock"), End("s", "ok")


def popped(lineup: Lineup[int]) -> list[list[object]]:
    found: list[list[object]] = []
    while lineup:
        found.append([*lineup.pop()])
    return found


def test_items_come_out_in_their_order() -> None:
    lineup: Lineup[int] = Lineup()
    for item in (LOSS, 1, 2, CLOCK, END):
        lineup.add(item)
    assert [*lineup] == [1, 2]
    assert lineup.first == 1
    assert popped(lineup) == [[LOSS, 1], [2], [CLOCK, END]]
    assert lineup.first is None
    assert not lineup


def test_what_was_told_before_a_dropped_frame_is_told_before_the_next() -> None:
    lineup: Lineup[int] = Lineup()
    for item in (CLOCK, 1, LOSS, 2, END):
        lineup.add(item)
    lineup.drop()
    lineup.shorten(-2)
    assert popped(lineup) == [[CLOCK, LOSS, -2], [END]]
    for item in (CLOCK, 1, LOSS, CLOCK):
        lineup.add(item)
    lineup.drop()
    assert popped(lineup) == [[CLOCK, LOSS]]


def test_only_what_is_of_one_kind_is_put_together() -> None:
    crash, other = Fault("s", "crashed", "x"), Fault("s", "decode", "worse", 2)
    full, late = Gap("s", "dropped", 2, (2, 1), "full"), Gap("s", "dropped", 1, (0, 1), "late")
    lineup: Lineup[int] = Lineup()
    for item in (crash, LOSS, full, crash, late, other, CLOCK, full, CLOCK):
        lineup.add(item)
    twice = Gap("s", "dropped", 4, (4, 2), "full")
    assert popped(lineup) == [[crash, Fault("s", "decode", "bad", 3), twice, crash, late, CLOCK]]


def shot(number: int) -> Shot:
    info = FrameInfo("s", "x", str(number), number, Fraction(1, 10), number, 7, (10, 20))
    return Shot(info.place, info, 1, "cut")


def test_the_newest_shots_are_kept_and_the_others_counted() -> None:
    lineup: Lineup[int] = Lineup(most_shots=3)
    lineup.add(shot(0))
    lineup.add(0)
    for number in range(1, 8):
        lineup.add(shot(number))
        lineup.add(CLOCK)
        lineup.add(number)
    for _ in range(7):
        lineup.drop()
    lineup.add(shot(8))
    lineup.drop()
    (told,) = popped(lineup)
    kept = [shot(6), shot(7), CLOCK, shot(8)]
    detail = "6 shots are not told: no more than 3 may wait"
    assert sorted(map(repr, told[1:])) == sorted(map(repr, kept))
    assert told[0] == Fault("s", "untold", detail)


def test_of_what_waits_no_shot_is_dropped() -> None:
    lineup: Lineup[int] = Lineup()
    shots = [shot(number) for number in range(5000)]
    for one in shots:
        lineup.add(one)
    assert popped(lineup) == [shots]


def test_nothing_makes_it_grow_and_every_loss_is_in_the_sum() -> None:
    rng, lineup, lost = Random(1), Lineup[int](), 0
    for frame in range(2000):
        for note in rng.choices([LOSS, CLOCK, Gap("s", "size")], k=rng.randrange(9)):
            lineup.add(note)
            lost += note.lost if isinstance(note, Fault) else 0
        lineup.add(frame)
        if frame >= 5:
            lineup.drop()
    groups = popped(lineup)
    assert len(groups) == 5
    assert max(map(len, groups)) <= 4
    assert sum(one.lost for group in groups for one in group if isinstance(one, Fault)) == lost

"""One frame of each shot, the one in the middle, however the entries come."""

from fractions import Fraction

import numpy as np
import pytest

from operators.frames import FrameInfo
from pipeline.features.takes import Takes
from pipeline.stream.chunk import End, Fault, Frames, Gap, Shot

HZ = 2


def info(number, session="x"):
    time_us = number * 1_000_000 // HZ
    return FrameInfo("s", session, str(number), number, Fraction(1, HZ), time_us, 7, (90, 160))


def frames(*numbers, session="x"):
    infos = tuple(info(number, session) for number in numbers)
    pixels = np.stack([np.full((2, 2, 3), number % 256, np.uint8) for number in numbers])
    return Frames(infos, pixels, (1,) * len(infos), {"sampled": 1})


def shot(first, last, session="x"):
    return Shot(info(first, session).place, info(last, session), last - first + 1, "cut")


def taken(entries, every_s=10.0):
    takes = Takes(every_s)
    found = [one for entry in entries for one in takes.see(entry)] + takes.rest()
    for one in found:
        assert one.pixels[0, 0, 0] == int(one.info.position) % 256
    return [int(one.info.position) for one in found], takes


def test_of_each_shot_the_frame_in_its_middle():
    told = [frames(*range(7)), shot(0, 6), frames(7, 8, 9), frames(10, 11), shot(7, 11)]
    found, takes = taken([*told, End("s", "ok")])
    assert found == [3, 9]
    assert (takes.shots, takes.unseen) == (2, 0)


def test_of_two_in_the_middle_the_first():
    assert taken([frames(0, 1, 2, 3), shot(0, 3)])[0] == [1]


def test_a_shot_that_is_told_late_does_not_take_frames_of_the_next():
    assert taken([frames(*range(9)), shot(0, 4), frames(9, 10), shot(5, 10)])[0] == [2, 7]


def test_a_long_shot_gives_one_of_each_part():
    """Ten seconds are twenty frames; the last part has five."""
    found, takes = taken([frames(*range(45)), shot(0, 44)])
    assert found == [10, 30, 42]
    assert takes.shots == 1


def test_parts_begin_with_their_shot():
    found, _ = taken([frames(*range(30)), shot(0, 6), frames(*range(30, 40)), shot(7, 39)])
    assert found == [3, 17, 33]


@pytest.mark.parametrize("together", [1, 2, 7, 100])
def test_how_frames_come_changes_nothing(together):
    numbers = list(range(100))
    pieces = [frames(*numbers[at : at + together]) for at in range(0, 100, together)]
    found, takes = taken([*pieces, shot(0, 99)])
    assert found == [10, 30, 50, 70, 89], "the last part ends with the shot"
    assert takes.shots == 1


def test_of_a_shot_that_goes_on_no_more_than_three_parts_are_held():
    takes, most = Takes(10.0), 0
    for number in range(2000):
        takes.see(frames(number))
        most = max(most, len(takes._waiting))
    assert most <= 3 * 10 * HZ


def test_what_no_shot_tells_of_is_one():
    found, takes = taken([frames(*range(5)), End("s", "degraded")])
    assert (found, takes.shots) == ([2], 1)
    assert taken([End("s", "rejected")])[0] == []


def test_shots_without_a_frame_that_was_looked_at_are_counted():
    found, takes = taken([frames(0, 4), shot(0, 1), shot(2, 3), shot(4, 4)])
    assert found == [0, 4]
    assert (takes.shots, takes.unseen) == (3, 1)


def test_a_shot_whose_frames_were_all_taken_before_it_ended_was_seen():
    """A frame a minute: every part is over when the next but one begins."""
    found, takes = taken([frames(0, 120, 240), shot(0, 300)])
    assert found == [0, 120, 240]
    assert (takes.shots, takes.unseen) == (1, 0)


def test_faults_and_gaps_are_passed_over():
    told = [frames(0, 1), Fault("s", "decode", "torn"), Gap("s", "decode"), frames(2), shot(0, 2)]
    assert taken(told)[0] == [1]


def test_sessions_are_told_apart():
    told = [frames(0, 1, 2), shot(0, 2), frames(0, 1, 2, session="y"), shot(0, 2, "y")]
    assert taken(told)[0] == [1, 1]

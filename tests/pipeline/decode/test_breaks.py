"""Frames of a tape that are left out again: so many behind each frame that a run tells of."""

from pipeline.decode.breaks import Breaks
from pipeline.stream.spec import StreamSpec

SESSION = "1700000000000000"
LATER = "1700000000000009"


def taken(build, breaks, *, cursor=None, numbers=range(10), **more):
    """Numbers of the frames that are taken, and before which of those left out a break begins."""
    spec = StreamSpec("cam1", "tape", session="x", taped=True, breaks=breaks, cursor=cursor, **more)
    left_out = Breaks(spec)
    kept, begins = [], []
    for number in numbers:
        if left_out.takes(build.info(number, session=SESSION)):
            kept.append(number)
        elif left_out.begun:
            begins.append(number)
    assert left_out.left_out == len(numbers) - len(kept)
    return kept, begins


def test_so_many_behind_a_frame_are_left_out(build):
    breaks = ((SESSION, "6000", 2), (SESSION, "18000", 1))
    assert taken(build, breaks) == ([0, 1, 2, 5, 6, 8, 9], [3, 7])


def test_breaks_behind_one_frame_add_up(build):
    breaks = ((SESSION, "6000", 2), (SESSION, "6000", 1))
    assert taken(build, breaks) == ([0, 1, 2, 6, 7, 8, 9], [3])


def test_the_first_frames_may_be_left_out(build):
    assert taken(build, ((LATER, "", 2), (LATER, "", 1))) == ([3, 4, 5, 6, 7, 8, 9], [0])


def test_the_first_frames_of_a_session_that_is_gone_are_no_others(build):
    """Its break was noticed before the first session that is left began."""
    before = str(int(SESSION) - 1)
    assert taken(build, ((before, "", 3),)) == ([*range(10)], [])
    late = {"late_begins": (f"{SESSION}-000003",)}
    assert taken(build, ((LATER, "", 3),), **late) == ([*range(10)], [])


def test_a_decoder_that_goes_on_behind_a_frame_leaves_out_the_same(build):
    cursor = {"session": SESSION, "position": "6000"}
    breaks = ((LATER, "", 1), (SESSION, "6000", 2))
    assert taken(build, breaks, cursor=cursor, numbers=range(3, 8)) == ([5, 6, 7], [3])


def test_without_breaks_all_are_taken(build):
    assert taken(build, None) == ([*range(10)], [])

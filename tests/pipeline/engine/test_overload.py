"""What is given up and when it is taken back, on a clock set by hand."""

from __future__ import annotations

from itertools import pairwise

from pipeline.engine.overload import FALL_S, LONGEST_FALL_S, RISE_S, Overload


def watch(overload: Overload, late, until_s: float, from_s: float = 0.0) -> list[tuple[float, int]]:
    """Ten batches a second, `late(now_s)`: when the number of steps changed, and to what."""
    changes = []
    for tick in range(round(from_s * 10), round(until_s * 10)):
        if overload.see(late(tick / 10), tick / 10):
            changes.append((tick / 10, len(overload.given_up)))
    return changes


def test_steps_are_taken_one_after_the_other_in_their_order() -> None:
    overload = Overload(["segmentation", "depth"])
    assert watch(overload, lambda _: True, 10.0) == [(RISE_S, 1), (2 * RISE_S + 0.2, 2)]
    assert overload.given_up == ("segmentation", "depth")


def test_a_moment_of_lateness_is_none() -> None:
    overload = Overload(["depth"])
    assert watch(overload, lambda now_s: now_s % 5 < 0.4, 60.0) == []


def test_lateness_of_some_batches_is_lateness() -> None:
    assert watch(Overload(["depth"]), lambda now_s: round(now_s * 10) % 4 == 0, 4.0) == [(2.0, 1)]


def test_what_waited_through_a_pause_comes_late_once_and_is_no_reason() -> None:
    overload = Overload(["depth"])
    watch(overload, lambda _: False, 3.0)
    overload.rest(60.0)
    assert watch(overload, lambda now_s: now_s < 61.5, 70.0, 60.0) == []


def test_a_step_is_taken_back_though_a_batch_is_late_now_and_then() -> None:
    overload = Overload(["depth"])
    watch(overload, lambda _: True, 3.0)
    assert [
        level for _, level in watch(overload, lambda now_s: round(now_s * 10) % 50 == 0, 60.0, 3.0)
    ] == [0]


def test_batches_that_take_seconds_are_judged_too() -> None:
    overload = Overload(["depth"])
    seen = [overload.see(number % 2 == 1, 1.2 * number) for number in range(6)]
    assert seen == [False, False, False, True, False, False]


def test_a_step_is_taken_back_when_there_was_time_for_long_enough() -> None:
    overload = Overload(["depth"])
    watch(overload, lambda _: True, 3.0)
    assert watch(overload, lambda _: False, 60.0, 3.0) == [(4.4 + FALL_S, 0)]  # when 2 s had few
    assert overload.given_up == ()


def test_what_has_to_be_given_up_again_is_kept_longer_each_time() -> None:
    """A load that the engine carries only without the operator."""
    overload = Overload(["depth"])
    changes = watch(overload, lambda _: not overload.given_up, 3000.0)
    taken_s = [now_s for now_s, level in changes if level]
    kept_s = [round(back_s - at_s) for (at_s, level), (back_s, _) in pairwise(changes) if level]
    assert len(taken_s) < 12
    assert kept_s[:3] == [FALL_S * 2**number for number in range(3)]
    assert max(kept_s) == LONGEST_FALL_S


def test_without_steps_nothing_is_ever_given_up() -> None:
    assert watch(Overload([]), lambda _: True, 100.0) == []

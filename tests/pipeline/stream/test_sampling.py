"""Sampling is a function of timestamps alone; gaps are found where a person would see them."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import pairwise

import pytest

from pipeline.stream.sampling import GapDetector, Sampler, Sampling, union_hz

MS = Fraction(1, 1000)


def taken(rule: Sampling, times: list[int], time_base: Fraction = MS) -> list[int]:
    sampler = Sampler((rule,), time_base)
    return [t for t in times if sampler.take(t, keyframe=False)]


def regular(fps: Fraction, seconds: int) -> list[int]:
    """Millisecond times of a regular source, rounded as containers round them."""
    return [int(index * 1000 / fps) for index in range(int(fps * seconds))]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rates", "union"),
    [
        ([2, 5], 6),
        ([2.5, 5], 5),
        ([5, 5], 5),
        ([2, 3, 5], 8),
        ([0.5, 0.3], 0.7),
        ([29.97, 30], 59.94),
    ],
)
def test_rates_that_divide_one_another_share_their_frames(rates: list[float], union: float) -> None:
    rules = [Sampling("fps", rate) for rate in rates]
    assert union_hz(rules) == Fraction(str(union))
    if union < 10:
        sampler = Sampler(rules, MS)
        seconds = 100
        masks = [sampler.take(time, keyframe=False) for time in range(1000 * seconds)]
        assert sum(map(bool, masks)) == union * seconds


def test_rules_that_go_by_something_else_have_no_rate() -> None:
    assert union_hz([Sampling("fps", 5), Sampling("all")]) is None


@pytest.mark.parametrize(
    "source_fps", [Fraction(30000, 1001), Fraction(25), Fraction(60), Fraction(10)]
)
@pytest.mark.parametrize("rate", [0.5, 1, 2, 5])
def test_fps_takes_so_many_frames_per_second(source_fps: Fraction, rate: float) -> None:
    times = taken(Sampling("fps", rate), regular(source_fps, 20))
    assert times[0] == 0
    assert abs(len(times) - 20 * rate) <= 1
    period_ms, frame_ms = 1000 / rate, float(1000 / source_fps)
    assert all(abs(b - a - period_ms) <= frame_ms + 1 for a, b in pairwise(times))


def test_fps_at_the_source_rate_and_above_takes_every_frame_once() -> None:
    times = regular(Fraction(25), 4)
    assert taken(Sampling("fps", 25), times) == times
    assert taken(Sampling("fps", 240), times) == times


def test_fps_is_exact_over_days() -> None:
    """A tenth is not a binary number; a float accumulates, this must not."""
    day = 86_400 * 1000
    assert taken(Sampling("fps", 0.1), [day - 1, day, day + 1]) == [day - 1, day]
    assert taken(Sampling("fps", 29.97), [0, 33, 34]) == [0, 34]


def test_fps_depends_on_the_times_and_not_on_the_frames_between() -> None:
    dense = regular(Fraction(60), 10)
    sparse = [t for i, t in enumerate(dense) if i % 3 == 0]
    assert set(taken(Sampling("fps", 2), sparse)) == set(taken(Sampling("fps", 2), dense))


def test_times_that_stand_still_are_taken_once() -> None:
    assert taken(Sampling("fps", 5), [0, 0, 0, 200, 200, 399, 400]) == [0, 200, 400]


def test_a_jump_over_many_periods_takes_one_frame() -> None:
    assert taken(Sampling("fps", 5), [0, 10_000, 10_001, 10_200]) == [0, 10_000, 10_200]


def test_every_counts_frames_and_all_takes_all() -> None:
    times = list(range(10))
    assert taken(Sampling("every", 3), times) == [0, 3, 6, 9]
    assert taken(Sampling("all"), times) == times


def test_keyframes_are_what_the_decoder_says() -> None:
    sampler = Sampler((Sampling("keyframes"),), MS)
    assert [sampler.take(t, keyframe=t % 4 == 1) for t in range(6)] == [0, 1, 0, 0, 0, 1]


def test_each_rule_has_its_bit() -> None:
    rules = (Sampling("all"), Sampling("fps", 5), Sampling("every", 2), Sampling("keyframes"))
    sampler = Sampler(rules, MS)
    masks = [sampler.take(t, keyframe=t == 100) for t in (0, 100, 200)]
    assert masks == [0b0111, 0b1001, 0b0111]


@pytest.mark.parametrize("cut", range(1, 30, 4))
def test_a_restored_sampler_goes_on(cut: int) -> None:
    rules = (Sampling("fps", 3), Sampling("every", 7))
    times = regular(Fraction(24), 2)[:30]
    whole = Sampler(rules, MS)
    expected = [whole.take(t, keyframe=False) for t in times]
    first = Sampler(rules, MS)
    for t in times[:cut]:
        first.take(t, keyframe=False)
    second = Sampler(rules, MS)
    second.restore(json.loads(json.dumps(first.snapshot())))
    assert [second.take(t, keyframe=False) for t in times[cut:]] == expected[cut:]


def test_a_state_of_other_rules_is_refused() -> None:
    state = Sampler((Sampling("all"),), MS).snapshot()
    with pytest.raises(ValueError, match="1 sampling rules for 2"):
        Sampler((Sampling("all"), Sampling("fps", 1)), MS).restore(state)


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (Sampling("fps", 5), "fps:5"),
        (Sampling("fps", 5.0), "fps:5"),
        (Sampling("fps", 0.25), "fps:0.25"),
        (Sampling("every", 10), "every:10"),
        (Sampling("keyframes"), "keyframes"),
        (Sampling("all"), "all"),
    ],
)
def test_canonical_text_is_one_per_rule(rule: Sampling, text: str) -> None:
    assert str(rule) == rule.canonical() == text
    assert Sampling.parse(text) == rule


@pytest.mark.parametrize(
    ("mode", "value", "complaint"),
    [
        ("fps", 0, "above 0"),
        ("fps", None, "above 0"),
        ("fps", float("inf"), "above 0"),
        ("fps", float("nan"), "above 0"),
        ("every", 1.5, "whole number"),
        ("every", -1, "above 0"),
        ("all", 3, "takes no value"),
        ("some", None, "none of fps"),
    ],
)
def test_wrong_rules_are_refused(mode: str, value: float | None, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Sampling(mode, value)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "fps", "every:0", "sometimes", "fps:fast"])
def test_wrong_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Sampling.parse(text)


def gaps(rule: Sampling, times_ms: list[int]) -> list[int]:
    detector = GapDetector(rule)
    return [t for t in times_ms if detector.is_gap(t * 1000)]


def test_fps_gap_is_more_than_one_and_a_half_periods() -> None:
    assert gaps(Sampling("fps", 5), [0, 200, 500, 700, 1001]) == [1001]


@pytest.mark.parametrize(
    "source_fps", [Fraction(30000, 1001), Fraction(25), Fraction(12), Fraction(10)]
)
def test_a_regular_source_has_no_gaps(source_fps: Fraction) -> None:
    rule = Sampling("fps", 5)
    assert gaps(rule, taken(rule, regular(source_fps, 20))) == []


@pytest.mark.parametrize("source_fps", [6, 7, 8, 9, Fraction(15, 2)])
def test_a_source_slower_than_twice_the_rate_soon_has_no_gaps(source_fps: Fraction) -> None:
    rule = Sampling("fps", 5)
    found = gaps(rule, taken(rule, regular(Fraction(source_fps), 60)))
    assert len(found) <= 2
    assert all(t < 5000 for t in found)


def test_a_source_below_the_rate_soon_has_no_gaps_and_real_ones_are_found() -> None:
    times = [t * 500 for t in range(20)]
    later = [times[-1] + 5000 + t * 500 for t in range(20)]
    assert gaps(Sampling("fps", 5), times + later) == [500, 1000, later[0]]


def test_other_modes_compare_with_the_running_median() -> None:
    times = [0, 40, 80, 120, 240, 280, 320, 441, 480]
    assert gaps(Sampling("all"), times) == [441]
    assert gaps(Sampling("keyframes"), [0, 2000, 4000, 9000, 16_001]) == [16_001]


def test_times_that_stand_still_do_not_make_every_step_a_gap() -> None:
    """B-frame AVI: pts 1 4 3 6 5 ... is event time 1 4 4 6 6 ..."""
    times = [
        33 * max(a, b)
        for a, b in zip([1, 4, 3, 6, 5, 8, 7] * 1, [0, 1, 4, 4, 6, 6, 8], strict=True)
    ]
    assert gaps(Sampling("all"), times) == []


@pytest.mark.parametrize("rate", [0.3, 2.5, 5, 7, 29.97])
@pytest.mark.parametrize("usual_us", [100_000, 250_001, 3_333_333])
def test_whole_microseconds_find_the_gaps_that_fractions_would(rate: float, usual_us: int) -> None:
    limit_us = Fraction(1_500_000) / Fraction(str(rate))
    rhythm_us = Fraction(11, 10) * usual_us
    for edge_us in (int(limit_us), int(rhythm_us)):
        for interval_us in range(edge_us - 2, edge_us + 3):
            detector = GapDetector(Sampling("fps", rate))
            for number in range(3):
                detector.is_gap(number * usual_us)
            found = detector.is_gap(2 * usual_us + interval_us)
            assert found == (interval_us > max(limit_us, rhythm_us))


@pytest.mark.parametrize("cut", [1, 5, 17, 25])
def test_a_restored_detector_goes_on(cut: int) -> None:
    rule = Sampling("all")
    times = [
        t * 40_000 + (400_000 if t > 12 else 0) + (300_000 if t > 20 else 0) for t in range(30)
    ]
    whole = GapDetector(rule)
    expected = [whole.is_gap(t) for t in times]
    first, second = GapDetector(rule), GapDetector(rule)
    for t in times[:cut]:
        first.is_gap(t)
    second.restore(json.loads(json.dumps(first.snapshot())))
    assert [second.is_gap(t) for t in times[cut:]] == expected[cut:]
    assert sum(expected) == 2

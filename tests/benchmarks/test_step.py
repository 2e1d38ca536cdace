"""A step is measured with the records that an engine makes."""

from __future__ import annotations

from benchmarks.step import Steps, report


def test_what_is_measured_says_the_same_every_time() -> None:
    steps = [Steps(4) for _ in range(2)]
    for one in steps:
        assert all(part_s >= 0 for _ in range(3) for part_s in one.take())
    assert steps[0].digest == steps[1].digest != Steps(4).digest


def test_a_line_says_what_was_measured() -> None:
    line = report(64, 2)
    assert line.startswith(" 64 streams: launch ")
    assert "ms per step of 64 frames; digest " in line

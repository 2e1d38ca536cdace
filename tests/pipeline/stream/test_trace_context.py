"""Which frames are traced, and under which ids: the same whoever asks, and whenever."""

from __future__ import annotations

import re

import pytest

from pipeline.stream.trace_context import TraceContext

CONNECTION = "1795371519100128"


def contexts(build, ratio: float, count: int = 2000) -> list[TraceContext]:
    found = (
        TraceContext.of(build.info(number, session=CONNECTION), ratio) for number in range(count)
    )
    return [one for one in found if one]


def test_a_frame_has_the_same_trace_in_every_run_and_no_other_frame_has_it(build) -> None:
    one = TraceContext.of(build.info(7, session=CONNECTION), 1.0)
    again = TraceContext.of(build.info(7, session=CONNECTION, epoch=9, ingest_time_us=1), 1.0)
    assert one == again
    assert one is not None
    assert one.traceparent == ("00-aca4bbf5aef0f73f50cc7e76607a630a-8bef557b1f29d813-01"), (
        "a release that changes this breaks traces in two"
    )
    assert len({one.trace_id for one in contexts(build, 1.0)}) == 2000
    assert one.child_id("decode") == again.child_id("decode") != one.child_id("batch")


@pytest.mark.parametrize("ratio", [0.0, 0.1, 0.5, 1.0])
def test_so_many_of_the_frames_are_traced(build, ratio) -> None:
    assert len(contexts(build, ratio)) == pytest.approx(2000 * ratio, abs=100)


def test_what_a_lower_ratio_takes_a_higher_one_takes_too(build) -> None:
    few, more = contexts(build, 0.1), contexts(build, 0.2)
    assert set(few) < set(more)


def test_the_header_is_of_the_form_that_w3c_wants(build) -> None:
    form = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01")
    assert all(form.fullmatch(one.traceparent) for one in contexts(build, 1.0))


def test_recordings_are_not_traced(build) -> None:
    assert TraceContext.of(build.info(7, session="a1b2c3d4e5f6"), 1.0) is None
    assert TraceContext.of(build.info(7, session="123456789012"), 1.0) is None

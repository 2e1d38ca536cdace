"""Headers: what is kept from the record before is said again only while it is true."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from fractions import Fraction
from typing import Any

import pytest

from operators.format import JSON, OCTETS, Format
from operators.frames import FrameInfo
from operators.result import Result
from pipeline.records.headers import RecordHeaders

MODEL = "dinov2_vits14-b938bf1bc15c"
OTHER: Mapping[str, Any] = {
    "stream": "cam2",
    "session": "ffffffffffff",
    "position": "9001",
    "pts": None,
    "time_base": Fraction(1, 1000),
    "event_time_us": 7,
    "ingest_time_us": 8,
    "source_hw": (640, 360),
    "clock": "capture",
    "epoch": 9,
    "preparation": "field",
    "rendered": True,
    "region": (1, 2, 3, 4),
}


@pytest.fixture
def operator(build):
    own = build.operator()
    own.topics = {"mood": Format()}
    own.rendered_only = True
    return own


@pytest.fixture
def result(build):
    return Result(build.info(3), "mood", JSON, b"{}", {"feeling": "good"})


@pytest.mark.parametrize("name", [field.name for field in fields(FrameInfo)])
def test_a_frame_that_differs_in_one_thing_is_told_as_by_a_new_stream(result, operator, name):
    used = RecordHeaders(MODEL)
    used.of(result, "v", operator)
    other = replace(result, info=replace(result.info, **{name: OTHER[name]}))

    for one in (other, result):
        assert used.of(one, "v", operator) == RecordHeaders(MODEL).of(one, "v", operator)


def test_a_record_that_differs_in_one_thing_is_told_as_by_a_new_stream(result, operator):
    used = RecordHeaders(MODEL)
    before = used.of(result, "v", operator)

    attributes = dict(result.attributes)
    one = replace(result, attributes=attributes)
    assert used.of(one, "v", operator) == before
    attributes["feeling"] = "bad"  # by an operator that fills one mapping again and again
    assert used.of(one, "v", operator)["ce_feeling"] == "bad"

    assert used.of(result, "w", operator)["ce_variant"] == "w"
    operator.untrained = True
    assert used.of(result, "v", operator)["ce_untrained"] == "true"
    operator.topics = {"mood": Format(OCTETS)}
    assert used.of(replace(result, content_type=OCTETS), "v", operator)["content-type"] == OCTETS
    with pytest.raises(ValueError, match="its topics declare"):
        used.of(result, "v", operator)


def test_what_was_refused_is_refused_again_and_spoils_nothing(result, operator):
    used = RecordHeaders(MODEL)
    before = used.of(result, "v", operator)
    wrong = replace(result, attributes={"Feeling": "good"})
    for _ in range(2):
        with pytest.raises(ValueError, match="'Feeling'"):
            used.of(wrong, "v", operator)
    assert used.of(result, "v", operator) == before


def test_headers_of_one_record_are_not_those_of_the_next(result, operator):
    used = RecordHeaders(MODEL)
    first, second = (used.of(result, "v", operator) for _ in range(2))
    first["ce_time"] = "altered"
    assert used.of(result, "v", operator) == second
    assert list(first) == list(second)

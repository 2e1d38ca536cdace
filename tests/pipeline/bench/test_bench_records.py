"""The benchmark of records, run for real and small. Structure and gate; never a time."""

from __future__ import annotations

import pytest

from operators.depth.operator import Depth
from pipeline.bench.record_report import record_report_lines
from pipeline.bench.records import Settings, measure
from pipeline.bench.soundness import GateRed
from pipeline.configuration.config import OPERATORS
from pipeline.records.topics import OF_EVERY_RUN


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(tmp_path, seconds=2.0, rounds=2)


def test_a_small_run_reports_every_topic_and_operator(settings):
    report = measure(settings, lambda _: None)
    assert report["frames"] == 10
    assert report["model_hw"] == [224, 224]
    assert list(report["records"]) == list(OPERATORS)
    topics = {topic: one for own in report["records"].values() for topic, one in own.items()}
    assert not topics.keys() & set(OF_EVERY_RUN)
    for topic in ("depth", "depth.summary", "segmentation", "segmentation.summary", "embedding"):
        assert topics[topic]["records"] == 10
    assert topics["embedding"]["bytes"] == 4 * 192
    assert topics["action"]["records"] >= 1
    assert [one["name"] for one in report["figures"]] == [*OPERATORS, "all of them"]
    assert all(len(one["values"]) == 2 and one["median"] > 0 for one in report["figures"])
    *_, whole = report["figures"]
    assert whole["values"][0] == pytest.approx(
        sum(one["values"][0] for one in report["figures"][:-1])
    )
    assert any("segmentation.summary" in line for line in record_report_lines(report))


def test_records_that_change_leave_no_figures(settings, monkeypatch):
    genuine, calls = Depth.say, []

    def changing(self, info, *numbers):
        calls.append(info)
        return genuine(self, info, numbers[0] + len(calls) % 3, *numbers[1:])

    monkeypatch.setattr(Depth, "say", changing)
    with pytest.raises(GateRed, match="depth said something else about the same frames"):
        measure(settings, lambda _: None)

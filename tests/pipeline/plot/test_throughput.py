"""Frames per second are those of a stream's topic with the most records."""

import pytest

from pipeline.plot.throughput import MOST, Throughput


def test_a_frame_counts_once_however_many_records_it_has(asked, stored):
    records = [
        stored(frame, topic=topic, published_s=frame / 2)
        for frame in range(4)
        for topic in ("mood", "embedding")
    ]
    records.append(stored(4, topic="mood", published_s=2))
    (panel,) = asked(Throughput(), records)
    (series,) = panel.series
    assert (series.name, series.values) == ("gate (5 frames)", [2, 2, 1])
    assert "in bins of 1 s" in panel.unit


def test_rates_are_per_second_however_wide_the_bins(asked, stored):
    (panel,) = asked(Throughput(), [stored(n, published_s=n) for n in range(600)])
    assert panel.span.width_s == 5
    assert set(panel.series[0].values) == {1}


def test_the_streams_without_room_are_counted_together(asked, stored):
    names = [f"cam{number:02}" for number in range(MOST + 3)]
    records = [stored(frame, name) for name in reversed(names) for frame in range(2)]
    (panel,) = asked(Throughput(), records)
    assert [one.name for one in panel.series] == [
        *(f"{name} (2 frames)" for name in names[:MOST]),
        "3 more streams (at least 6 frames)",
    ]
    assert panel.stacked
    assert sum(one.values[0] for one in panel.series) == len(records)


def test_nothing_is_said_to_be_nothing():
    (panel,) = Throughput().panels()
    assert panel.said == "No operator has published a record."


@pytest.mark.parametrize("topic", ["events", "deadletter", "manifest", "progress", "labels"])
def test_what_tells_of_no_frame_is_not_read(topic):
    assert not Throughput().wants(topic)

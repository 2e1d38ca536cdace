"""Stages of a live frame, of which a recording has one alone."""

import pytest

from pipeline.plot.latency import Latency


def test_a_live_frame_has_two_stages(asked, stored):
    records = [live(stored, n, captured_s=0.4, decoded_s=1.6) for n in range(100)]
    (panel,) = asked(Latency(), records)
    medians = {one.name: one.values for one in panel.series if not one.dashed}
    assert medians["capture to decoded, median"] == [pytest.approx(0.4, abs=0.11)]
    assert medians["decoded to published, median"] == [pytest.approx(1.6, abs=0.45)]
    assert not any("unknown" in note for note in panel.notes)


def test_the_slow_ones_are_seen_apart(asked, stored):
    records = [
        live(stored, n, captured_s=0.1, decoded_s=8 if n % 10 == 0 else 0.1) for n in range(100)
    ]
    (panel,) = asked(Latency(), records)
    values = {one.name: one.values[0] for one in panel.series}
    assert values["decoded to published, median"] <= 0.1
    assert values["decoded to published, 95th percentile"] > 5


def test_of_a_recording_capture_is_unknown(asked, stored):
    record = stored(ingest_time_us=stored.start_us, published_s=0.5)
    (panel,) = asked(Latency(), [record])
    assert {one.name.partition(",")[0] for one in panel.series} == {"decoded to published"}
    assert panel.notes[-1].startswith("Capture is unknown of all records")


def test_how_many_are_unknown_is_told(asked, stored):
    known = live(stored, 0, captured_s=0.1, decoded_s=0.1)
    (panel,) = asked(Latency(), [known, stored(ingest_time_us=stored.start_us)])
    assert panel.notes[-1].startswith("Capture is unknown of 1 of 2 records")


def test_an_episode_is_late_by_nature():
    assert not Latency().wants("action.episodes")
    assert Latency().wants("action")


def live(stored, number, *, captured_s, decoded_s):
    decoded_us = stored.start_us - round(decoded_s * 1e6)
    return stored(
        number,
        session="1795371519100128",
        clock="start-time",
        event_time_us=decoded_us - round(captured_s * 1e6),
        ingest_time_us=decoded_us,
    )

"""A real sink on one sheet: all kinds of records, hostile ones, none, and the same bytes again."""

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from operators.errors import UsageError
from operators.result import canonical_json
from pipeline.plot.records import records_sheet
from pipeline.records.filter import ALL, Filter
from pipeline.sinks.uri import open_reader, open_sink
from tests.pipeline.golden.corpus import kept

HOSTILE = "</text><script>alert(1)</script>"


@pytest.fixture
def uri(tmp_path):
    return f"sqlite:{tmp_path / 'r.db'}"


@pytest.fixture
def drawn(uri, shown):
    """Puts messages into a sink and draws it."""

    def sheet(messages, **more):
        with closing(open_sink(uri)) as sink:
            sink.publish(messages)
        with closing(open_reader(uri)) as reader:
            return shown(records_sheet(reader, "r.db", **{"where": ALL} | more))

    return sheet


def summary(message, name):
    value = canonical_json({"classes": [{"id": 1, "name": name, "share": 1.0, "regions": []}]})
    return replace(message, value=value)


def test_all_that_a_release_wrote_is_drawn(drawn):
    seen = drawn(kept("2026.11"))
    titles = ["Throughput", "Latency by stage", "Actions", "Frames dropped and lost", "Ledger"]
    assert [text for text in seen.texts if text in titles] == titles
    assert {"Classes of gate", "Classes of room-1"} <= set(seen.texts)
    assert not any("should be" in text for text in seen.texts)
    assert all(title in seen.description for title in titles)
    assert not seen.tags & {"script", "image", "foreignObject", "a"}


def test_names_from_records_are_text(drawn, build):
    message = build.message(topic="segmentation.summary")
    seen = drawn([summary(message, HOSTILE)])
    assert f"{HOSTILE} 100%" in seen.texts
    assert "script" not in seen.tags


def test_what_is_broken_is_counted_and_the_rest_is_drawn(drawn, build):
    good = [summary(build.message(n, topic="segmentation.summary"), "wall") for n in range(3)]
    broken = [build.message(n, topic="segmentation.summary", data=b"{") for n in (3, 4)]
    seen = drawn([*good, *broken])
    assert "wall 100%" in seen.texts
    assert (
        "2 records are not what they should be, and left out where they cannot be read."
        in seen.texts
    )


def test_a_record_of_no_time_is_counted(uri, drawn, build, tmp_path):
    drawn([build.message(n) for n in range(3)])
    with closing(sqlite3.connect(tmp_path / "r.db")) as database, database:
        database.execute(f"UPDATE records SET timestamp_us = {10**18} WHERE offset = 1")
    seen = drawn([])
    assert "cam1 (2 frames)" in seen.texts
    assert any(text.startswith("1 records are not what") for text in seen.texts)


def test_an_event_at_the_end_of_all_time_is_drawn(drawn, build):
    message = build.message(topic="segmentation.summary", clock="capture")
    late = {**message.headers, "ce_time": "9999-12-31T23:59:59.999999Z"}
    seen = drawn([replace(summary(message, "wall"), headers=late)])
    assert "wall 100%" in seen.texts


def test_who_does_not_see_it_is_told_the_numbers(drawn, build):
    seen = drawn([summary(build.message(topic="segmentation.summary"), "wall")])
    assert "Classes of cam1, mean share of the picture, in bins of 1 s: wall 100%." in (
        seen.description
    )


def test_what_is_asked_for_is_drawn_in_that_order(drawn, build):
    seen = drawn([build.message(0)], what=["ledger", "throughput"])
    assert [text for text in seen.texts if text in ("Ledger", "Throughput")] == [
        "Ledger",
        "Throughput",
    ]
    assert "Latency by stage" not in seen.texts


def test_one_stream_of_two(drawn, build):
    messages = [build.message(n, stream) for stream in ("gate", "yard") for n in range(3)]
    seen = drawn(messages, where=Filter(("yard",)))
    assert "yard (3 frames)" in seen.texts
    assert not any("gate" in text for text in seen.texts)


def test_a_summary_tells_of_its_map(uri, drawn, build):
    both = [build.message(n, topic=topic) for n in range(3) for topic in ("depth", "depth.summary")]
    assert "3 records" in " ".join(drawn(both, what=["throughput"]).texts)


def test_an_empty_sink_and_an_unknown_stream_are_told(uri, build):
    open_sink(uri).close()
    with closing(open_reader(uri)) as reader:
        with pytest.raises(UsageError, match="there is nothing to draw"):
            records_sheet(reader, "r.db", where=ALL)
        with pytest.raises(UsageError, match="no stream 'gate'; there are: none"):
            records_sheet(reader, "r.db", where=Filter(("gate",)))


def test_the_same_records_give_the_same_bytes(uri):
    with closing(open_sink(uri)) as sink:
        sink.publish(kept("2026.11"))
    documents = set()
    for _ in range(2):
        with closing(open_reader(uri)) as reader:
            documents.add(records_sheet(reader, "r.db", where=ALL))
    assert len(documents) == 1

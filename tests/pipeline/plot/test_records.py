"""A real sink on one sheet: all kinds of records, hostile ones, none, and the same bytes again."""

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
    assert not any("could not be read" in text for text in seen.texts)
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
    assert "2 of them could not be read, and are not in the figures." in seen.texts


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

"""Reading the embedded sink: what was written, in order, and only what is asked for."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from operators.errors import UsageError
from pipeline.records.commit import Commit
from pipeline.records.filter import Filter
from pipeline.sinks.sink import Held
from pipeline.sinks.sqlite import reader as sqlite_reader
from pipeline.sinks.sqlite.reader import SqliteReader
from pipeline.sinks.sqlite.sink import SqliteSink

JOB = "feedfacecafe"
SESSION = "b1b2c3d4e5f6"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "results.db"


@pytest.fixture
def now():
    """What the sink's clock shows, microseconds; it stands still."""
    return [1_700_000_000_123_456]


@pytest.fixture
def sink(path, now):
    sink = SqliteSink(path, clock_us=lambda: now[0])
    yield sink
    sink.close()


def stored(path: Path, **how):
    reader = SqliteReader(path)
    try:
        return list(reader.records(**how))
    finally:
        reader.close()


def test_reader_gives_back_what_was_written(sink, path, build):
    messages = [build.message(number) for number in range(600)]  # several pages
    progress = build.after(sink.claim({"cam1": JOB})["cam1"])
    sink.commit([Commit(messages, progress)])

    records = stored(path)

    assert [record.message for record in records] == messages
    assert [record.offset for record in records] == list(range(1, 601))
    reader = SqliteReader(path)
    assert list(reader.progress()) == [progress]
    assert list(reader.progress(JOB)) == [progress]
    assert list(reader.progress("another")) == []
    assert reader.topics() == ["action"]
    reader.close()


def test_reader_picks_topics(sink, path, build):
    sink.publish([build.message(1), build.message(1, topic="depth"), build.message(2)])
    assert [r.message.topic for r in stored(path, topics=["depth"])] == ["depth"]
    assert len(stored(path, topics=["depth", "action"])) == 3
    assert stored(path, topics=["embedding"]) == []  # ours, with nothing in it yet
    assert stored(path, from_beginning=False) == []
    with pytest.raises(UsageError, match="no topic 'dept'; did you mean depth"):
        stored(path, topics=["dept"])


def test_reader_follows_a_writer(sink, path, build):
    sink.publish([build.message(0)])
    reader = SqliteReader(path, poll_s=0.01)
    records = reader.records(follow=True)
    seen = [next(records)]
    done = threading.Thread(target=lambda: seen.extend(next(records) for _ in range(2)))
    done.start()
    sink.publish([build.message(1)])
    sink.publish([build.message(2)])
    done.join(timeout=30)
    assert [record.message for record in seen] == [build.message(n) for n in range(3)]
    reader.close()


@pytest.mark.parametrize("few_rows", [0, 10_000], ids=["by their ids", "one by one"])
def test_only_what_is_asked_for_is_read(sink, path, build, now, monkeypatch, few_rows):
    monkeypatch.setattr(sqlite_reader, "FEW_ROWS", few_rows)
    monkeypatch.setattr(sqlite_reader, "PAGE_ROWS", 7)
    for stream in ("cam1", "cam10", "cam2"):
        for number in range(10):
            now[0] += 1
            sink.publish(
                [
                    build.message(number, stream),
                    build.message(number, stream, topic="depth"),
                    build.message(number, stream, session=SESSION),
                ]
            )
    written = stored(path)
    assert len(written) == 90
    reader = SqliteReader(path)

    def read(*topics, **conditions):
        where = Filter(**conditions)
        found = list(reader.records(topics, where=where))
        expected = [r for r in written if r.message.topic in (topics or ("action", "depth"))]
        assert found == [record for record in expected if where.takes(record)]
        return len(found)

    assert read(streams=("cam1",)) == 30
    assert read("action", streams=("cam1",)) == 20
    assert read("action", "depth", streams=("cam2",), session=SESSION) == 10
    assert read(streams=("cam1",), variant=build.variant) == 30
    assert read(streams=("cam1",), variant="f" * 12) == 0
    assert read(variant=build.variant) == 90
    assert read("depth", streams=("cam2", "cam1")) == 20
    assert read(streams=("cam",)) == 0
    middle_us = written[45].timestamp_us
    assert read(since_us=middle_us) == 45
    assert read("depth", streams=("cam10",), since_us=middle_us, until_us=middle_us + 2) == 2
    reader.close()


def test_topics_are_counted(sink, path, build):
    sink.publish([build.message(1), build.message(1, topic="depth"), build.message(2)])
    reader = SqliteReader(path)
    assert reader.holds() == {"action": Held(2, exact=True), "depth": Held(1, exact=True)}
    reader.close()

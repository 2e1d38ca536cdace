"""Where records lie, by the database's own index: no record is read that nobody asked for."""

from __future__ import annotations

import sqlite3
import threading

import pytest

from pipeline.errors import NoDatabase
from pipeline.sinks.sqlite.index import RecordIndex, Version
from tests.pipeline.view.conftest import CAMERA, RECORDING, VARIANT, Book


@pytest.fixture
def book(tmp_path):
    book = Book(tmp_path / "results.db")
    yield book
    book.sink.close()


@pytest.fixture
def index(book):
    index = RecordIndex(book.path)
    yield index
    index.close()


def test_streams_and_sessions_are_told_apart_by_whole_names(book, index):
    names = ["gate", "gate-2", "gate.mp4", "Gate", "yard_9"]
    book.write(*[book.frame(n, stream=name) for name in names for n in range(3)])
    book.write(book.frame(0, session=RECORDING), book.frame(0, topic="depth.summary"))
    assert index.topics() == ["depth", "depth.summary"]
    assert index.streams("depth") == sorted(names)
    assert index.streams("depth.summary") == ["gate"]
    assert index.sessions("depth", "gate") == [CAMERA, RECORDING]
    assert index.sessions("depth", "gat") == []
    assert (index.has("depth", "gate"), index.has("depth", "gat")) == (True, False)
    assert index.has("pca", "gate") is False


def test_versions_and_offsets_are_in_the_order_of_writing(book, index):
    book.write(*[book.frame(n) for n in (9, 10, 100)])
    book.write(*[book.frame(n, variant="a" * 12) for n in (9, 10)])
    assert index.versions("depth", "gate", CAMERA) == [
        Version(VARIANT, 3, 3),
        Version("a" * 12, 2, 5),
    ]
    assert list(index.offsets("depth", "gate", CAMERA, VARIANT)) == [1, 2, 3]
    assert index.offsets("depth", "yard", CAMERA, VARIANT).tolist() == []


def test_records_by_place_and_by_name(book, index):
    messages = [book.frame(n) for n in range(5)]
    book.write(*messages)
    assert [one.message for one in index.records([4, 2, 77])] == [messages[1], messages[3]]
    assert index.record("depth", messages[2].id).message == messages[2]
    assert index.record("pca", messages[2].id) is None
    assert index.headers(3) == messages[2].headers
    assert index.headers(77) is None
    assert [one.offset for one in index.newest("depth", "gate", 2)] == [4, 5]
    assert index.newest("depth", "yard", 2) == []
    assert [row[0] for row in index.behind(2, 2)] == [3, 4]
    assert index.end() == 5


def test_what_is_looked_up_is_never_read_whole(book, index):
    """Every look goes by an index."""
    book.write(*[book.frame(n) for n in range(50)])
    plans = []
    rows = index._rows
    with sqlite3.connect(book.path) as connection:

        def explained(query, *values):
            plans.extend(
                detail for *_, detail in connection.execute(f"EXPLAIN QUERY PLAN {query}", values)
            )
            return rows(query, *values)

        index._rows = explained
        index.topics()
        index.streams("depth")
        index.sessions("depth", "gate")
        index.versions("depth", "gate", CAMERA)
        index.newest("depth", "gate", 5)
        index.behind(10, 5)
        index.end()
        index.record("depth", "x")
        index.records([1, 2])
    assert [one for one in plans if one.startswith("SCAN")] == []
    of_ids = [one for one in plans if "AND id>" in one]
    assert of_ids
    assert [one for one in of_ids if "COVERING INDEX" not in one] == []


def test_another_file_at_the_place_is_noticed(book, index, tmp_path):
    book.write(book.frame(0))
    assert (index.end(), index.generation) == (1, 0)
    other = Book(tmp_path / "other.db")
    other.write(*[other.frame(n) for n in range(3)])
    other.sink.close()
    book.sink.close()
    (tmp_path / "other.db").replace(book.path)
    assert (index.end(), index.generation) == (3, 1)
    book.path.unlink()
    with pytest.raises(NoDatabase):
        index.end()


def test_many_threads_ask_at_once(book, index):
    book.write(*[book.frame(n) for n in range(200)])
    found, faults = [], []

    def ask():
        try:
            for _ in range(20):
                found.append(len(index.offsets("depth", "gate", CAMERA, VARIANT)))
                found.append(len(index.records(range(1, 201))))
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (set(found), faults) == ({200}, [])

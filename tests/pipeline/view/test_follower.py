"""Following a database: what is new, how streams fare, and a database that goes and comes."""

from __future__ import annotations

import sqlite3

import pytest

from pipeline.view.follower import Follower
from pipeline.view.series import Axis
from tests.pipeline.view.conftest import BEGAN_US, SECOND_US, Book


@pytest.fixture
def follower(book, shelf, axes):
    return Follower(shelf, axes, clock_us=lambda: book.now_us)


def states(follower):
    follower.look()
    return {one["stream"]: one["state"] for one in follower.states()}


def test_what_is_there_and_what_comes(book, follower, shelf):
    book.write(*[book.frame(n) for n in range(5)], book.event("started", 0))
    book.write(book.frame(0, stream="yard"))
    heard = []
    with follower.heard_by(lambda *what: heard.append(what)):
        assert states(follower) == {"gate": "live", "yard": "live"}
        heard.clear()
        series = shelf.series("depth", Axis("gate", "live"))
        book.write(book.frame(5), book.event("disconnected", 5, at_us=BEGAN_US + 2 * SECOND_US))
        assert states(follower) == {"gate": "reconnecting", "yard": "live"}
    assert heard == [("gate", "depth", 8), ("gate", "events", 9)]
    assert len(series) == 6
    book.write(book.frame(6))
    follower.look()
    assert len(heard) == 2  # whoever has gone is told no more


def test_a_trouble_long_ago_is_known_at_the_beginning(book, shelf, axes):
    book.write(*[book.frame(n) for n in range(5)])
    book.write(book.event("stalled", 4, at_us=BEGAN_US + SECOND_US, detail="hangs"))
    book.write(*[book.frame(n, stream="yard") for n in range(4000)])
    follower = Follower(shelf, axes, clock_us=lambda: book.now_us)
    follower.look()
    assert follower.states()[0]["reason"] == "hangs"


def test_how_often_records_come_is_known_at_the_beginning(book, shelf, axes):
    for number in range(4):
        book.now_us += 10 * SECOND_US
        book.write(book.frame(number))
    book.now_us += SECOND_US
    follower = Follower(shelf, axes, clock_us=lambda: book.now_us)
    assert states(follower) == {"gate": "live"}
    assert follower.states()[0]["fps"] == 0.1  # of ten seconds, and each of its records once
    book.now_us += 30 * SECOND_US
    assert states(follower) == {"gate": "live"}
    book.now_us += 30 * SECOND_US
    assert states(follower) == {"gate": "silent"}


def test_single_records_of_long_ago_say_nothing_of_how_often_they_come(book, shelf, axes):
    book.write(book.event("started", 0))
    book.now_us += 3600 * SECOND_US
    book.write(book.frame(0))
    book.write(*[book.frame(n, stream="yard") for n in range(4000)])
    book.now_us += 6 * SECOND_US
    follower = Follower(shelf, axes, clock_us=lambda: book.now_us)
    assert states(follower)["gate"] == "silent"


def test_a_job_is_done_when_its_progress_says_so(book, follower):
    book.write(book.frame(0))
    book.stands("gate", status="running")
    assert states(follower) == {"gate": "live"}
    book.stands("gate", status="ok")
    book.now_us += 2 * SECOND_US
    assert states(follower) == {"gate": "ended"}


def test_a_database_that_is_not_there_yet_goes_away_and_is_another_one(
    tmp_path, book, follower, shelf
):
    book.sink.close()
    aside = tmp_path / "aside"
    for name in ("results.db", "results.db-wal", "results.db-shm"):
        if (tmp_path / name).exists():
            (tmp_path / name).rename(aside.with_suffix(f".{name}"))
    assert states(follower) == {}
    assert follower.sink[0] == "empty"
    first = Book(book.path)
    first.write(first.frame(0), first.frame(1))
    assert states(follower) == {"gate": "live"}
    assert follower.sink == ("there", "")
    first.sink.close()
    book.path.rename(tmp_path / "gone.db")
    assert states(follower) == {"gate": "live"}  # what was known stays
    assert follower.sink[0] == "away"
    other = Book(book.path)
    other.write(other.frame(0, stream="yard"))
    assert states(follower) == {"yard": "live"}
    assert follower.sink == ("there", "")
    other.sink.close()


def test_what_is_no_database_is_told(book, follower):
    book.write(book.frame(0))
    follower.look()
    book.sink.close()
    book.path.unlink()
    book.path.write_text("no database at all" * 100)
    follower.look()
    assert follower.sink[0] == "away"
    assert "no SQLite database" in follower.sink[1]


def test_foreign_records_in_our_topics_are_no_error(book, follower):
    event = book.event("disconnected", 0)
    book.write(book.frame(0))
    follower.look()
    with sqlite3.connect(book.path) as connection:
        for value in (b"no json", b"[1]", b'{"kind": {}}'):
            connection.execute(
                "INSERT INTO records(topic, key, headers, value, timestamp_us, id) "
                "VALUES('events', 'gate', ?, ?, 0, ?)",
                ('{"ce_streamid": "gate"}', value, f"events/gate/{value!r}"),
            )
    book.write(event)
    assert states(follower)["gate"] in ("reconnecting", "live")
    assert follower.sink == ("there", "")

"""A database that keeps a part of each topic: what goes, what stays, who is told."""

import re
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from operators.errors import UsageError
from pipeline.records.commit import Commit
from pipeline.records.record import Message, StoredRecord
from pipeline.sinks.reading import Plan
from pipeline.sinks.sink import Receipt
from pipeline.sinks.sqlite.reader import SqliteReader
from pipeline.sinks.sqlite.retention import Limit, limit_of, retention_of
from pipeline.sinks.sqlite.sink import SqliteSink

JOB = "feedfacecafe"
ROUND_US = 2_000_000
EACH = 20  # records of a round


class Writer:
    """Commits rounds of records, two seconds apart."""

    def __init__(self, path, build, retention):
        self.now_us = 1_700_000_000_000_000
        self.path, self._build, self.rounds = path, build, 0
        self.sink = SqliteSink(path, retention=retention, clock_us=lambda: self.now_us)
        self._progress = self.sink.claim({"cam1": JOB})["cam1"]

    def go_on(self, rounds, size=2000):
        for _ in range(rounds):
            numbers = range(self.rounds * EACH, (self.rounds + 1) * EACH)
            messages = [replace(self._build.message(n), value=bytes(size)) for n in numbers]
            self._progress = self._build.after(self._progress, position=str(numbers[-1]))
            self.sink.commit([Commit(tuple(messages), self._progress)])
            self.rounds, self.now_us = self.rounds + 1, self.now_us + ROUND_US

    @property
    def topic(self):
        return self._build.message(0).topic

    @property
    def pages(self):
        """Of the file, the free ones among them."""
        with closing(sqlite3.connect(self.path)) as db:
            return db.execute("PRAGMA page_count").fetchone()[0]


@pytest.fixture
def writer(tmp_path, build):
    writers = []

    def make(name="results.db", **limit):
        retention = {build.message(0).topic: Limit(**limit)} if limit else None
        writers.append(Writer(tmp_path / name, build, retention))
        return writers[-1]

    yield make
    for one in writers:
        one.sink.close()


def offsets(path, **plan):
    with closing(SqliteReader(path)) as reader:
        return [record.offset for record in reader.read(Plan(**plan))]


def test_what_is_too_much_goes_and_the_file_stays_as_large_as_it_is(writer):
    one = writer(max_bytes=200_000)
    one.go_on(60)
    pages = one.pages
    one.go_on(60)
    assert one.pages == pytest.approx(pages, rel=0.1)
    left = offsets(one.path)
    assert left == list(range(left[0], 120 * EACH + 1))  # all of the newest
    assert 60 < len(left) < 100  # 200 kB, and what a commit may bring
    with closing(SqliteReader(one.path)) as reader:
        (held,) = reader.holds().values()
    assert (held.records, held.removed) == (len(left), 120 * EACH - len(left))
    assert held.max_bytes == 200_000


def test_what_is_too_old_goes(writer):
    one = writer(max_age_us=10 * ROUND_US)
    one.go_on(40, size=10)
    left = offsets(one.path)
    assert left[-1] == 40 * EACH
    assert 10 <= len(left) / EACH <= 12
    with closing(SqliteReader(one.path)) as reader:
        assert reader.oldest_us(one.topic, "cam1") == one.now_us - ROUND_US * len(left) / EACH


def test_without_a_limit_nothing_goes(writer):
    one = writer()
    one.go_on(3)
    assert offsets(one.path) == list(range(1, 3 * EACH + 1))
    with closing(SqliteReader(one.path)) as reader:
        assert reader.oldest_us(one.topic, "cam1") is None


def test_whoever_reads_on_is_told_what_is_gone(writer):
    one, jumps = writer(max_bytes=200_000), []
    one.go_on(30)
    plan = {"topics": (one.topic,), "offsets": {(one.topic, 0): 5}, "on_jump": jumps.append}
    first, *_ = offsets(one.path, **plan)
    (jump,) = jumps
    assert (jump.wanted, jump.at, jump.is_rewind) == (5, first, False)
    jumps.clear()
    assert offsets(one.path, **{**plan, "offsets": {(one.topic, 0): first}})[0] == first
    assert jumps == []


def test_offsets_go_on_where_everything_is_gone(writer):
    one, jumps = writer(max_age_us=ROUND_US), []
    one.go_on(2)
    one.now_us += 10 * ROUND_US
    one.sink.publish([])  # sweeps nothing by itself
    one.sink.commit([])
    assert offsets(one.path) == []
    at = {(one.topic, 0): 2 * EACH + 1}
    assert offsets(one.path, topics=(one.topic,), offsets=at, on_jump=jumps.append) == []
    assert jumps == []
    one.go_on(1)
    assert offsets(one.path, topics=(one.topic,), offsets=at)[0] == 2 * EACH + 1


def test_another_writer_without_limits_counts_what_it_writes(writer):
    one, other = writer(max_bytes=200_000), writer()
    other.go_on(20)
    one.sink.commit([])
    assert len(offsets(one.path)) < 20 * EACH


@pytest.mark.parametrize(
    "said",
    [
        {"events": 3},
        {"events": {}},
        {"events": {"days": 0}},
        {"events": {"days": -1, "gib": 1}},
        {"events": {"weeks": 1}},
        ["events"],
    ],
    ids=str,
)
def test_limits_that_are_none_are_refused(said):
    with pytest.raises(UsageError, match=re.escape("want {TOPIC: {days: 7, gib: 10}}")):
        retention_of({"retain": said})


def test_label_sets_are_kept_whole():
    assert limit_of({"*": Limit(max_bytes=1)}, "labels") == Limit()
    with pytest.raises(UsageError, match=r"retain\.labels: it is kept whole"):
        retention_of({"retain": {"labels": {"days": 1}}})


def test_limits_are_of_topics_that_users_write():
    assert retention_of({"retain": {"events": {"days": 2}, "*": {"gib": 0.5}}}) == {
        "events": Limit(max_age_us=172_800_000_000),
        "*": Limit(max_bytes=1 << 29),
    }


def test_of_all_topics_together_the_oldest_go_and_label_sets_stay(tmp_path, build):
    """What is copied, keeps its times, and takes no more room than is given to all of it."""
    now_us = [1_700_000_000_000_000]
    room = 40 * 2500
    sink = SqliteSink(tmp_path / "r.db", retention={}, most_bytes=room, clock_us=lambda: now_us[0])
    labels = StoredRecord(
        Message("labels", "ade20k", {"ce_id": "labels/ade20k"}, bytes(2000)), 1, 0
    )
    sink.copy([labels])
    for number in range(100):
        topic = ("action", "depth")[number % 2]
        message = build.message(number, topic=topic, data=bytes(2000))
        sink.copy([StoredRecord(message, 1_000 + number, 0)])
        now_us[0] += ROUND_US
    sink.close()
    reader = SqliteReader(tmp_path / "r.db")
    left = [*reader.records()]
    assert left[0].message == labels.message
    numbers = [one.timestamp_us - 1_000 for one in left[1:]]
    assert numbers == [*range(100 - len(numbers), 100)], "the newest, of both topics alike"
    sizes = sum(one.bytes for one in reader.kept().values())
    assert room - 2500 < sizes <= room
    assert reader.oldest_us("depth", "cam1") in (1_000 + numbers[0], 1_001 + numbers[0])


def test_what_is_copied_again_is_there_once_and_streams_stand_as_they_are_told(tmp_path, build):
    sink = SqliteSink(tmp_path / "r.db", retention={}, most_bytes=1 << 20)
    known = sink.claim({"cam1": JOB})["cam1"]
    record = StoredRecord(build.message(1), 17, 0)
    assert sink.copy([record]) == Receipt(written=1)
    assert sink.copy([record], [replace(known, status="ok")]) == Receipt(repeated=1)
    sink.close()
    reader = SqliteReader(tmp_path / "r.db")
    assert [one.timestamp_us for one in reader.records()] == [17]
    assert [one.status for one in reader.progress()] == ["ok"]

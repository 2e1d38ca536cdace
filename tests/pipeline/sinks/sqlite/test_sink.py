"""The embedded sink: what it writes, refuses, and never writes twice."""

from __future__ import annotations

import json
import logging
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.errors import FencedError, SinkError
from pipeline.records.commit import Commit
from pipeline.sinks.sink import Receipt
from pipeline.sinks.sqlite import file as sqlite_file
from pipeline.sinks.sqlite.reader import SqliteReader
from pipeline.sinks.sqlite.sink import SqliteSink
from pipeline.stream.progress import Progress

JOB = "feedfacecafe"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "new" / "results.db"


@pytest.fixture
def sink(path):
    sink = SqliteSink(path, clock_us=lambda: 1_700_000_000_123_456)
    yield sink
    sink.close()


def stored(path: Path, **how):
    reader = SqliteReader(path)
    try:
        return list(reader.records(**how))
    finally:
        reader.close()


def test_commit_writes_records_and_progress_as_any_client_can_read_them(sink, path, build):
    progress = build.after(sink.claim({"cam1": JOB})["cam1"], position="3000", status="ok")
    receipt = sink.commit([Commit([build.message(0), build.message(1)], progress)])
    sink.close()

    assert receipt == Receipt(written=2)
    with closing(sqlite3.connect(path)) as other, other:
        rows = other.execute(
            "SELECT offset, topic, key, json_extract(headers, '$.ce_pts'), value, timestamp_us, id "
            "FROM records ORDER BY offset"
        ).fetchall()
        told = other.execute("SELECT job, stream, epoch, sequence, position, status FROM progress")
        assert told.fetchall() == [(JOB, "cam1", 1, 1, "3000", "ok")]
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert other.execute("PRAGMA application_id").fetchone() == (0x64696E6F,)
        assert other.execute("PRAGMA user_version").fetchone() == (2,)
    other.close()
    assert rows == [
        (1, "action", "cam1", "0", b'{"number":0}', 1_700_000_000_123_456, build.message(0).id),
        (2, "action", "cam1", "3000", b'{"number":1}', 1_700_000_000_123_456, build.message(1).id),
    ]


def test_one_file_holds_everything_though_somebody_has_it_open(sink, path, build):
    with closing(sqlite3.connect(path)) as other:
        sink.claim({"cam1": JOB})
        sink.publish([build.message(0)])
        assert other.execute("SELECT count(*) FROM records").fetchone() == (1,)
        sink.close()
        assert not path.with_name(f"{path.name}-wal").stat().st_size


def test_a_commit_done_again_writes_nothing(sink, path, build):
    progress = build.after(sink.claim({"cam1": JOB})["cam1"])
    sink.commit([Commit([build.message(0)], progress)])
    assert sink.commit([Commit([build.message(0)], progress)]) == Receipt(repeated=1)
    assert len(stored(path)) == 1


def test_equal_record_is_repeated_and_another_payload_is_a_conflict(sink, path, build, caplog):
    sink.publish([build.message(0)])
    again = build.message(0, ingest_time_us=5, epoch=9)
    other = build.message(0, data=b"{}")

    with caplog.at_level(logging.ERROR):
        receipt = sink.publish([again, other, build.message(1)])

    assert receipt == Receipt(written=1, repeated=1, conflicting=1)
    assert [r.message.value for r in stored(path)] == [b'{"number":0}', b'{"number":1}']
    assert build.message(0).id in caplog.text
    assert "another payload" in caplog.text
    assert caplog.records[-1].stream == "cam1"


def test_same_id_in_two_topics_is_two_records(sink, path, build):
    one = build.message(0)
    sink.publish([one, type(one)("events", one.key, one.headers, one.value)])
    assert len(stored(path)) == 2


def test_claim_hands_back_where_a_stream_stands_with_a_higher_epoch(path, build):
    first = SqliteSink(path)
    claimed = first.claim({"cam1": JOB, "cam2": JOB})
    assert {name: p.epoch for name, p in claimed.items()} == {"cam1": 1, "cam2": 1}
    progress = build.after(claimed["cam1"], position="9", operators={"action": "AAE="})
    first.commit([Commit([], progress)])
    first.close()

    second = SqliteSink(path)
    resumed = second.claim({"cam1": JOB, "cam2": JOB})
    assert resumed["cam1"].epoch == 2
    assert (resumed["cam1"].sequence, resumed["cam1"].position) == (1, "9")
    assert resumed["cam1"].operators == {"action": "AAE="}
    assert (resumed["cam2"].sequence, resumed["cam2"].epoch) == (0, 2)
    second.close()


def test_fresh_forgets_progress_and_keeps_records(sink, path, build):
    sink.commit([Commit([build.message(0)], build.after(sink.claim({"cam1": JOB})["cam1"]))])
    fresh = sink.claim({"cam1": JOB}, fresh=True)["cam1"]
    assert (fresh.sequence, fresh.epoch, fresh.position) == (0, 2, "")
    assert sink.commit([Commit([build.message(0)], build.after(fresh))]) == Receipt(repeated=1)
    assert len(stored(path)) == 1


def test_epochs_of_a_stream_rise_over_all_jobs(sink):
    assert sink.claim({"cam1": JOB})["cam1"].epoch == 1
    assert sink.claim({"cam1": "another"})["cam1"].epoch == 2
    assert sink.claim({"cam1": JOB, "cam2": JOB})["cam1"].epoch == 3


def test_who_held_a_stream_before_is_refused(path, build):
    old, new = SqliteSink(path), SqliteSink(path)
    stale = build.after(old.claim({"cam1": JOB})["cam1"])
    new.claim({"cam1": JOB})
    with pytest.raises(FencedError, match=r"stream cam1: another writer.*epoch 2, this one is 1"):
        old.commit([Commit([build.message(0)], stale)])
    assert stored(path) == []
    old.close()
    new.close()


def test_a_dead_writers_streams_are_resumed_unless_somebody_has_claimed_them(path, build):
    dead, other, heir = SqliteSink(path), SqliteSink(path), SqliteSink(path)
    held = dead.claim({"cam1": JOB, "cam2": JOB})
    first = build.after(held["cam1"])
    dead.commit([Commit((build.message(0),), first)])
    other.claim({"cam2": "another"})
    unknown = Progress(JOB, "cam3", epoch=1)
    assert heir.resume([*held.values(), unknown]) == {"cam1": first}
    late = build.after(build.after(build.after(first)))
    with pytest.raises(SinkError, match="commit 4 follows 1; those between are missing"):
        heir.commit([Commit((build.message(3),), late)])
    heir.commit([Commit((build.message(3),), late, skips=2)])
    assert heir.claim({"cam1": JOB})["cam1"] == replace(late, epoch=2)
    for sink in (dead, other, heir):
        sink.close()


def test_a_newer_writer_of_another_job_counts_as_well(path, build):
    """A camera more, other settings: whatever job it was for, the stream has one writer."""
    old, new = SqliteSink(path), SqliteSink(path)
    standing = old.claim({"cam1": JOB, "cam2": JOB})
    new.claim({"cam1": "another"})
    with pytest.raises(FencedError, match=r"stream cam1: another writer.*epoch 2, this one is 1"):
        old.commit([Commit([build.message(0)], build.after(standing["cam1"]))])
    assert (
        old.commit([Commit([build.message(0, "cam2")], build.after(standing["cam2"]))]).written == 1
    )
    assert [record.message.key for record in stored(path)] == ["cam2"]
    old.close()
    new.close()


def test_what_is_done_is_not_claimed(sink, build):
    done = build.after(sink.claim({"a": JOB})["a"], position="9", status="ok")
    sink.commit([Commit([], done)])
    assert sink.claim({"a": JOB, "b": JOB})["a"] == done
    assert sink.claim({"a": JOB}, fresh=True)["a"].epoch == 2
    rejected = build.after(sink.claim({"b": JOB})["b"], status="rejected")
    sink.commit([Commit([], rejected)])
    assert sink.claim({"b": JOB})["b"].epoch == rejected.epoch + 1, "it may be readable by now"


def test_files_of_an_older_version_go_on(path, build):
    """Version 1 had the same tables; the jobs of single streams have the same names."""
    older = SqliteSink(path)
    progress = build.after(older.claim({"cam1": JOB})["cam1"], position="9")
    older.commit([Commit([build.message(0)], progress)])
    older.close()
    with closing(sqlite3.connect(path)) as database:
        database.execute("DROP INDEX progress_of_stream")
        database.execute("PRAGMA user_version=1")
    assert len(stored(path)) == 1, "a reader takes it as it is"
    sink = SqliteSink(path)
    assert sink.claim({"cam1": JOB})["cam1"] == replace(progress, epoch=2)
    sink.close()
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (2,)
        (plan,) = database.execute(
            "EXPLAIN QUERY PLAN SELECT max(epoch) FROM progress WHERE stream = 'cam1'"
        ).fetchall()
    assert "progress_of_stream" in plan[-1]


def test_concurrent_claims_never_mint_one_epoch_twice(path):
    minted: list[int] = []

    def claim() -> None:
        sink = SqliteSink(path)
        minted.extend(sink.claim({"cam1": JOB})["cam1"].epoch for _ in range(10))
        sink.close()

    threads = [threading.Thread(target=claim) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(minted) == list(range(1, 41))


@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_a_file_another_opener_lays_out_between_two_looks_is_ours(path, monkeypatch, journal):
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as empty:
        empty.execute(f"PRAGMA journal_mode={journal}")
    connect = sqlite_file._connect
    interferences: list[str] = []

    def lay_it_out(statement: str) -> None:
        if "sqlite_master" in statement and not interferences:
            interferences.append(statement)
            with suppress(SinkError):  # refused while we look at a file without write-ahead log
                sqlite_file.open_for_writing(path, busy_s=0.05).close()

    def watched(uri: str, busy_s: float) -> sqlite3.Connection:
        connection = connect(uri, busy_s)
        connection.set_trace_callback(lay_it_out)
        return connection

    monkeypatch.setattr(sqlite_file, "_connect", watched)
    SqliteSink(path).close()
    assert interferences
    assert stored(path) == []


def test_chunks_of_several_streams_are_written_together_or_not_at_all(sink, path, build):
    one, two = (build.after(p) for p in sink.claim({"cam1": JOB, "cam2": JOB}).values())
    first = Commit([build.message(0, "cam1")], one)
    sink.commit([first])
    second = Commit([build.message(1, "cam1")], build.after(one))
    other = Commit([build.message(0, "cam2")], two)
    assert sink.commit([first, second, other]) == Receipt(written=2, repeated=1)
    third = Commit([build.message(2, "cam1")], build.after(second.progress))
    later = Commit([build.message(9, "cam2")], replace(two, sequence=4))
    with pytest.raises(SinkError, match="commit 4 follows 1"):
        sink.commit([third, later])
    assert len(stored(path)) == 3
    assert sink.commit([third]) == Receipt(written=1), "its progress was not moved either"


def test_commits_need_a_claim_and_come_in_order(sink, build):
    progress = build.after(sink.claim({"cam1": JOB})["cam1"])
    with pytest.raises(SinkError, match="commit 2 follows 0"):
        sink.commit([Commit([], build.after(progress))])
    with pytest.raises(SinkError, match="without a claim"):
        sink.commit([Commit([], build.after(type(progress)(JOB, "cam2", epoch=1)))])


@pytest.mark.slow
def test_records_survive_one_writer_killed_while_another_process_reads(path, build):
    """kill -9 in the middle of commits: the file holds whole commits and no part of one."""
    script = (
        "import sys; from pathlib import Path; from dataclasses import replace\n"
        "from pipeline.sinks.sqlite.sink import SqliteSink\n"
        "from pipeline.records.commit import Commit\n"
        "from pipeline.records.record import Message\n"
        "sink = SqliteSink(Path(sys.argv[1]))\n"
        "p = sink.claim({'s': 'j'})['s']\n"
        "for n in range(1, 100000):\n"
        "    p = replace(p, sequence=n)\n"
        "    sink.commit([Commit([Message('action', 's', {'ce_id': f'{n}.{i}'}, bytes(20000))"
        " for i in range(10)], p)])\n"
        "    print(n, flush=True)\n"
    )
    for _ in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True
        )
        told = 0
        assert child.stdout is not None
        while told < 25:
            told = int(child.stdout.readline())
        child.kill()
        child.wait()
        child.stdout.close()

        reader = SqliteReader(path)
        (progress,) = reader.progress()
        ids = {record.message.id for record in reader.records()}
        reader.close()
        assert progress.sequence >= told
        assert ids == {f"{n}.{i}" for n in range(1, progress.sequence + 1) for i in range(10)}
        sink = SqliteSink(path)
        assert sink.claim({"s": "j"})["s"].sequence == progress.sequence
        sink.claim({"s": "j"}, fresh=True)
        sink.close()
        with closing(sqlite3.connect(path)) as other, other:
            assert other.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            other.execute("DELETE FROM records")
        other.close()


def test_headers_are_a_json_object(sink, path, build):
    sink.publish([build.message(0)])
    with closing(sqlite3.connect(path)) as other, other:
        (text,) = other.execute("SELECT headers FROM records").fetchone()
    other.close()
    assert json.loads(text) == dict(build.message(0).headers)

"""Files that the embedded sink must not touch, and disks that fail it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from contextlib import closing
from pathlib import Path

import pytest

from operators.errors import UsageError
from pipeline.errors import SinkError
from pipeline.records.commit import Commit
from pipeline.sinks.sqlite.reader import SqliteReader
from pipeline.sinks.sqlite.sink import SqliteSink

NOBODY = 65534


def made(path: Path, *statements: str) -> Path:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)
    return path


def refused(path: Path, said: str) -> None:
    """Writer and reader both refuse the file, and neither changes it."""
    before = path.read_bytes()
    for opener in (SqliteSink, SqliteReader):
        with pytest.raises(UsageError, match=said) as caught:
            opener(path)
        assert str(path) in str(caught.value)
    assert path.read_bytes() == before


def test_a_text_file_is_refused(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("dear diary, " * 1000)
    refused(path, "no SQLite database")


def test_a_database_of_another_application_is_refused(tmp_path):
    refused(made(tmp_path / "a.db", "CREATE TABLE mine(x)"), "of another application")
    refused(made(tmp_path / "b.db", "PRAGMA application_id=7"), "application_id 0x7")


def test_a_file_of_a_newer_version_is_refused(tmp_path):
    path = tmp_path / "results.db"
    SqliteSink(path).close()
    made(path, "PRAGMA user_version=3")
    refused(path, r"newer dinostream \(version 3 of the file, this one knows 2\)")


def test_a_folder_is_refused(tmp_path):
    for opener in (SqliteSink, SqliteReader):
        with pytest.raises(UsageError, match=r"is a folder; name a file in it"):
            opener(tmp_path)


def test_a_file_in_the_way_of_the_folder_is_named(tmp_path):
    (tmp_path / "results").write_text("")
    with pytest.raises(UsageError, match=r"results is a file, not a folder"):
        SqliteSink(tmp_path / "results" / "demo.db")


def test_reading_what_is_not_there_says_how_to_write_it(tmp_path):
    with pytest.raises(UsageError, match=r"no such database; `dinostream replay"):
        SqliteReader(tmp_path / "results.db")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "empty.db").touch()
    with pytest.raises(UsageError, match="this database is empty"):
        SqliteReader(tmp_path / "empty.db")


def test_an_empty_file_becomes_ours(tmp_path):
    (tmp_path / "results.db").touch()
    SqliteSink(tmp_path / "results.db").close()
    SqliteReader(tmp_path / "results.db").close()


def test_a_busy_database_is_given_up_after_its_time(tmp_path):
    path = tmp_path / "results.db"
    SqliteSink(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(SinkError, match="another process has held it") as caught:
            SqliteSink(path, busy_s=0.1)
    assert caught.value.retryable


def test_a_commit_that_waits_for_another_process_can_be_interrupted(tmp_path, build):
    path = tmp_path / "results.db"
    sink = SqliteSink(path, busy_s=3600)
    progress = build.after(sink.claim({"cam1": "job"})["cam1"])
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        interrupt = threading.Timer(0.1, sink.interrupt)
        interrupt.start()
        with pytest.raises(SinkError, match="another process has held it") as caught:
            sink.commit([Commit([build.message()], progress)])
        interrupt.join()
        other.execute("ROLLBACK")
    assert caught.value.retryable
    assert sink.commit([Commit([build.message()], progress)]).written == 1
    sink.close()


@pytest.mark.parametrize("how", ["removed", "moved", "replaced"])
def test_a_file_that_lies_there_no_more_is_not_written_to(tmp_path, build, how):
    """SQLite would go on and say nothing; the records would be nowhere."""
    path = tmp_path / "results.db"
    sink = SqliteSink(path)
    progress = build.after(sink.claim({"cam1": "job"})["cam1"])
    sink.commit([Commit([build.message()], progress)])
    if how == "moved":
        path.rename(tmp_path / "of-yesterday.db")
    else:
        for file in tmp_path.iterdir():
            file.unlink()
    if how == "replaced":
        SqliteSink(path).close()
    for _ in range(2):
        with pytest.raises(SinkError, match="moved or removed while it was open") as caught:
            sink.commit([Commit([build.message()], build.after(progress))])
        assert not caught.value.retryable
    sink.close()


def test_a_file_that_is_moved_under_a_commit_has_not_taken_it(tmp_path, build):
    path = tmp_path / "results.db"
    sink = SqliteSink(path)
    progress = build.after(sink.claim({"cam1": "job"})["cam1"])

    class Moving(list):
        def __iter__(self):
            path.rename(tmp_path / "of-yesterday.db")
            return super().__iter__()

    with pytest.raises(SinkError, match="moved or removed while it was open"):
        sink.commit([Commit(Moving([build.message()]), progress)])
    sink.close()


def test_two_names_of_one_place_are_one_database(tmp_path, build):
    (tmp_path / "link").symlink_to(tmp_path)
    sink = SqliteSink(tmp_path / "odd name?#%.db")
    sink.publish([build.message()])
    with closing(SqliteReader(tmp_path / "link" / "odd name?#%.db")) as reader:
        assert len(list(reader.records())) == 1
    sink.close()


@pytest.fixture
def open_folder():
    """A folder that everybody may read; pytest's own are only for their owner."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def as_nobody(script: str, *arguments: Path) -> str:
    """What a user without rights gets told."""
    drop = f"import os; os.getuid() or os.setuid({NOBODY})\n"  # after imports, which may be private
    done = subprocess.run(
        [sys.executable, "-c", TRY + drop + script, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


TRY = """
import sys
from pathlib import Path
from pipeline.errors import SinkError
from pipeline.sinks.sqlite.check import check_database
from pipeline.sinks.sqlite.reader import SqliteReader
from pipeline.sinks.sqlite.sink import SqliteSink
"""
WRITE = """
try:
    SqliteSink(Path(sys.argv[1]))
except SinkError as error:
    print(error)
"""
CHECK = WRITE.replace("SqliteSink", "check_database")


@pytest.mark.slow
def test_a_place_that_cannot_be_written_is_named(open_folder):
    if os.getuid():
        open_folder.chmod(0o555)
    new = open_folder / "new" / "results.db"
    assert f"{new}: cannot make its folder: Permission denied" in as_nobody(WRITE, new)
    new = open_folder / "results.db"
    assert f"{new}: cannot be opened" in as_nobody(WRITE, new)
    assert f"the folder {open_folder} is not writable" in as_nobody(CHECK, new)


@pytest.mark.slow
def test_a_file_that_cannot_be_written_is_named_and_can_be_read(open_folder, build):
    path = open_folder / "results.db"
    sink = SqliteSink(path)
    sink.publish([build.message()])
    sink.close()
    path.chmod(0o444)
    assert "not writable" in as_nobody(WRITE, path)
    told = as_nobody("print(len(list(SqliteReader(Path(sys.argv[1])).records())))", path)
    assert told == "1\n"


FILL = """
import resource
from dataclasses import replace
from pipeline.records.commit import Commit
from pipeline.records.record import Message
sink = SqliteSink(Path(sys.argv[1]))
progress = sink.claim({"s": "j"})["s"]
if "limit" in sys.argv:
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, -1))

def commit(n):
    messages = [Message("action", "s", {"ce_id": f"{n}.{i}"}, bytes(20_000)) for i in range(4)]
    sink.commit([Commit(messages, replace(progress, sequence=n))])

n = 1
try:
    while n < 1000:
        commit(n)
        n += 1
except SinkError as error:
    print(n, error.retryable, error, sep="|")
if "limit" in sys.argv:
    resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))
    commit(n)
"""


def committed(path: Path) -> int:
    """How many commits the file holds; whole ones only."""
    with closing(SqliteReader(path)) as reader:
        (progress,) = reader.progress()
        ids = {record.message.id for record in reader.records()}
    assert ids == {f"{n}.{i}" for n in range(1, progress.sequence + 1) for i in range(4)}
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    return progress.sequence


@pytest.mark.slow
def test_a_failed_write_leaves_whole_commits_and_can_be_done_again(tmp_path):
    path = tmp_path / "results.db"
    done = subprocess.run(
        [sys.executable, "-c", TRY + FILL, str(path), "limit"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    failed, retryable, error = done.stdout.strip().split("|")
    assert retryable == "True"
    assert "make room, what was committed stays" in error
    assert committed(path) == int(failed)  # the same commit, done again once there was room


@pytest.mark.slow
def test_a_full_disk_leaves_whole_commits(tmp_path):
    """A real small file system; needs the right to mount one in a namespace of its own."""
    small = tmp_path / "small"
    small.mkdir()
    copy = tmp_path / "copy"
    script = (
        f'mount -t tmpfs -o size=1m t {small} || exit 77; "{sys.executable}" -c "$0" '
        f"{small}/results.db && cp -r {small} {copy}"
    )
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, TRY + FILL],
        capture_output=True,
        text=True,
        timeout=120,
    )
    if "unshare" in done.stderr or done.returncode == 77:
        pytest.skip(f"no small file system here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    failed, retryable, error = done.stdout.strip().split("|")
    assert retryable == "True"
    assert f"{small}/results.db: the disk is full" in error
    assert 1 < committed(copy / "results.db") + 1 == int(failed)

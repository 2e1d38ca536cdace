"""Our SQLite file: opening, recognising and laying it out; what its errors mean.

Path -> connection, or a clear error. Knows the tables, not what is written to them.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from operators.errors import UsageError
from pipeline.errors import NoDatabase, SinkError

APPLICATION_ID = 0x64696E6F  # "dino"
VERSION = 2  # 1 kept progress by lists of streams, and looked at no other list's epochs
BUSY_S = 5.0  # how long one attempt waits for another process's transaction
LOOK_S = 0.25  # how often it looks meanwhile whether it is still wanted

TABLES = (
    """CREATE TABLE records(
        offset INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, key TEXT NOT NULL,
        headers TEXT NOT NULL, value BLOB NOT NULL, timestamp_us INTEGER NOT NULL,
        id TEXT NOT NULL, UNIQUE(topic, id))""",
    """CREATE TABLE progress(
        job TEXT NOT NULL, stream TEXT NOT NULL, epoch INTEGER NOT NULL,
        sequence INTEGER NOT NULL, position TEXT NOT NULL, status TEXT NOT NULL,
        value TEXT NOT NULL, timestamp_us INTEGER NOT NULL, PRIMARY KEY(job, stream))""",
)
INDEX = "CREATE INDEX IF NOT EXISTS progress_of_stream ON progress(stream, epoch)"


class Connection(sqlite3.Connection):
    """To our file; one that writes knows which file it has open.

    Attributes:
        file: device and inode, None as long as they are not known.
    """

    file: tuple[int, int] | None = None


def open_for_writing(path: Path, *, busy_s: float = BUSY_S) -> Connection:
    """Open or create our database, with its folder.

    Raises:
        UsageError: there is something else at `path`, or it is of a newer version.
        SinkError: it cannot be written.
    """
    with translated(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except FileExistsError as error:
            raise UsageError(f"{path}: {path.parent} is a file, not a folder") from error
        except OSError as error:
            raise SinkError(f"{path}: cannot make its folder: {error.strerror}") from error
        _refuse_folder(path)
        connection = _connect(f"{path.resolve().as_uri()}?mode=rwc", busy_s)
        try:
            _lay_out(connection, path, busy_s)
            connection.file = file_at(path)
            connection.execute(f"PRAGMA busy_timeout={int(min(busy_s, LOOK_S) * 1000)}")
        except BaseException:
            connection.close()
            raise
    return connection


def open_for_reading(path: Path, *, busy_s: float = BUSY_S) -> Connection:
    """Open our database; nothing is created or changed.

    Raises:
        NoDatabase: it is not there, or empty.
        UsageError: it is something else, or of a newer version.
        SinkError: it cannot be read.
    """
    _refuse_folder(path)
    if not path.exists():
        raise NoDatabase(
            f"{path}: no such database; `dinostream replay SOURCE --sink sqlite:{path}` writes one"
        )
    with translated(path):
        connection = _connect(f"{path.resolve().as_uri()}?mode=ro{_at_rest(path)}", busy_s)
        try:
            if not _recognised(connection, path):
                raise NoDatabase(f"{path}: this database is empty; dinostream wrote nothing to it")
        except BaseException:
            connection.close()
            raise
    return connection


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Say what an error of SQLite means for `path`.

    Raises:
        UsageError: the file is no database.
        SinkError: everything else; the transaction has no effect.
    """
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "") or type(error).__name__
        if name == "SQLITE_NOTADB":
            raise UsageError(
                f"{path}: this file is no SQLite database; name another file as the sink"
            ) from error
        raise SinkError(
            f"{path}: {_meaning(name, str(error))}", retryable=_may_pass(name)
        ) from error


@contextmanager
def transaction(
    connection: Connection,
    path: Path,
    *,
    busy_s: float = BUSY_S,
    cut: threading.Event | None = None,
) -> Iterator[None]:
    """All of the block's statements or none, with the write lock from the start.

    Args:
        connection: of `open_for_writing`.
        path: its file.
        busy_s: how long to wait for another process's transaction.
        cut: once set, by whatever thread, it is not waited for any longer.

    Raises:
        SinkError: as of `translated`; or the file lies there no more, and nobody would find what
            was written.
    """
    with translated(path):
        _lock(connection, time.monotonic() + busy_s, cut or threading.Event())
        try:
            _require_in_place(connection, path)
            yield
            connection.execute("COMMIT")
            _require_in_place(connection, path)  # SQLite goes on without a word
        except BaseException:
            with suppress(sqlite3.Error):  # a full disk has rolled back already
                connection.execute("ROLLBACK")
            raise


def _lock(connection: Connection, deadline: float, cut: threading.Event) -> None:
    """SQLite's own wait cannot be ended from outside, so it is made of short ones."""
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorname.startswith("SQLITE_BUSY")
            if not busy or cut.is_set() or time.monotonic() > deadline:
                raise
        else:
            return


def _require_in_place(connection: Connection, path: Path) -> None:
    if connection.file is not None and connection.file != file_at(path):
        raise SinkError(
            f"{path}: {MEANINGS['SQLITE_READONLY_DBMOVED']}; what is written now would be found by "
            "nobody. Run again: it begins a new file, or goes on with the one that lies there",
        )


def file_at(path: Path) -> tuple[int, int] | None:
    """Device and inode of what lies there, None for nothing."""
    with suppress(OSError):
        found = path.stat()
        return (found.st_dev, found.st_ino)
    return None


def _connect(uri: str, busy_s: float) -> Connection:
    return sqlite3.connect(
        uri,
        uri=True,
        timeout=busy_s,
        isolation_level=None,
        check_same_thread=False,
        factory=Connection,
    )


def _refuse_folder(path: Path) -> None:
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file in it, like sqlite:{path}/results.db")


def _at_rest(path: Path) -> str:
    """A finished database in a folder of somebody else's (a share, a read-only disk): SQLite would
    want to make its lock files there. With a write-ahead log beside it, it has a writer."""
    real = path.resolve()
    finished = not os.access(real.parent, os.W_OK) and not Path(f"{real}-wal").exists()
    return "&immutable=1" if finished else ""


def _lay_out(connection: Connection, path: Path, busy_s: float) -> None:
    ours = _recognised(connection, path)
    mode = _write_ahead(connection, time.monotonic() + busy_s)
    if mode != "wal":
        raise SinkError(
            f"{path}: no write-ahead log on this file system (journal mode {mode}), as on network "
            "folders; put the database on a local disk"
        )
    connection.execute("PRAGMA synchronous=FULL")
    if ours:
        with transaction(connection, path, busy_s=busy_s):  # found out now if it cannot be written
            connection.execute(INDEX)
            connection.execute(f"PRAGMA user_version={VERSION}")
        return
    with transaction(connection, path, busy_s=busy_s):
        if _is_ours(connection, path):  # another process was faster
            return
        for statement in (*TABLES, INDEX):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version={VERSION}")


def _write_ahead(connection: Connection, deadline: float) -> str:
    """SQLite's busy timeout does not cover this change: beside another opener it fails at once."""
    while True:
        try:
            mode: str = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_BUSY" or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return mode


def _recognised(connection: Connection, path: Path) -> bool:
    """`_is_ours` of one moment: between two looks another process may lay the file out."""
    connection.execute("BEGIN")
    try:
        return _is_ours(connection, path)
    finally:
        with suppress(sqlite3.Error):  # a failed read may have ended it already
            connection.execute("ROLLBACK")


def _is_ours(connection: Connection, path: Path) -> bool:
    """True for our database, false for an empty one; others are refused."""
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    if application != APPLICATION_ID:
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if application or tables:
            raise UsageError(
                f"{path}: a database of another application (application_id {application:#x}, "
                f"{tables} tables); name another file as the sink"
            )
        return False
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        raise UsageError(
            f"{path}: written by a newer dinostream (version {version} of the file, this one knows "
            f"{VERSION}); update dinostream, or name another file"
        )
    return True


MEANINGS = {
    "SQLITE_FULL": "the disk is full; make room, what was committed stays",
    "SQLITE_IOERR_WRITE": "the disk takes no more (full, or over a size limit); make room, what "
    "was committed stays",
    "SQLITE_READONLY": "not writable",
    "SQLITE_READONLY_DIRECTORY": "its folder is not writable",
    "SQLITE_READONLY_DBMOVED": "the file was moved or removed while it was open",
    "SQLITE_CANTOPEN": "cannot be opened; may its folder be read and written?",
    "SQLITE_PERM": "not allowed",
    "SQLITE_BUSY": "another process has held it for too long",
    "SQLITE_CORRUPT": "the file is damaged",
}


def _meaning(name: str, text: str) -> str:
    return f"{MEANINGS[name]} ({text})" if name in MEANINGS else f"{text} ({name})"


def _may_pass(name: str) -> bool:
    return name.startswith(("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_BUSY"))

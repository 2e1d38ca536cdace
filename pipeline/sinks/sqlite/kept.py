"""Removes what a database is to keep no longer, and remembers up to where: beside the writer, in
transactions of its own that are too small to hold anybody up."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, replace

from pipeline.records.topics import topic_named
from pipeline.sinks.sqlite.retention import OTHERS, Limit, Retention, limit_of

TABLE = """CREATE TABLE IF NOT EXISTS kept(
    topic TEXT PRIMARY KEY, max_age_us INTEGER, max_bytes INTEGER, bytes INTEGER NOT NULL,
    removed INTEGER NOT NULL, removed_to INTEGER NOT NULL, removed_us INTEGER NOT NULL)"""
INDEX = "CREATE INDEX IF NOT EXISTS records_of_topic ON records(topic)"
SIZE = "length(value) + length(headers)"
MOST_ROWS = 500  # of one topic in one transaction

Row = tuple[int, int, int]
"""Offset, publishing time in microseconds since the epoch, and size of a record."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of a topic of which not all is kept.

    Attributes:
        limit: how much is.
        bytes: of values and headers that are there.
        removed: records that are not there any more.
        removed_to: the highest offset of them; 0: none.
        removed_us: when that one was published.
    """

    limit: Limit
    bytes: int = 0
    removed: int = 0
    removed_to: int = 0
    removed_us: int = 0


def lay_out(connection: sqlite3.Connection, retention: Retention) -> None:
    """Within a writer's transaction: the limits are these now, and what is there is counted."""
    before = kept_in(connection)
    for statement in (TABLE, INDEX):
        connection.execute(statement)
    sizes = dict(connection.execute(f"SELECT topic, sum({SIZE}) FROM records GROUP BY topic"))
    for topic in {OTHERS, *retention, *sizes, *before}:
        known = before.get(topic, Kept(Limit()))
        limit = limit_of(retention, topic)
        _store(connection, topic, replace(known, limit=limit, bytes=sizes.get(topic, 0)))


def is_counted(connection: sqlite3.Connection) -> bool:
    """Whether a writer has had limits here; then all of them count what they write."""
    there = "SELECT 1 FROM sqlite_master WHERE name = 'kept'"
    return connection.execute(there).fetchone() is not None


def kept_in(connection: sqlite3.Connection) -> dict[str, Kept]:
    """Topic -> what is known of it; nothing where all was always kept."""
    if not is_counted(connection):
        return {}
    rows = connection.execute(
        "SELECT topic, max_age_us, max_bytes, bytes, removed, removed_to, removed_us FROM kept"
    )
    return {topic: Kept(Limit(age_us, size), *rest) for topic, age_us, size, *rest in rows}


def count(connection: sqlite3.Connection, sizes: Mapping[str, int]) -> None:
    """Within the transaction that writes them: topic -> bytes more."""
    for topic, size in sizes.items():
        done = connection.execute(
            "UPDATE kept SET bytes = bytes + ? WHERE topic = ?", (size, topic)
        )
        if not done.rowcount:
            others = {OTHERS: kept_in(connection)[OTHERS].limit}
            _store(connection, topic, Kept(limit_of(others, topic), size))


def sweep(connection: sqlite3.Connection, now_us: int) -> bool:
    """Within a transaction of its own: remove the oldest of what is too much; whether there may be
    more of it."""
    more = False
    for topic, kept in kept_in(connection).items():
        gone = list(_too_old(connection, topic, kept, now_us))
        if gone:
            _remove(connection, topic, gone)
        more |= len(gone) == MOST_ROWS
    return more


def shrink(connection: sqlite3.Connection, most_bytes: int) -> bool:
    """Within a transaction of its own: remove the oldest of all topics together, until they take so
    much at most; whether there may be more of it. What is kept whole stays."""
    kept = kept_in(connection)
    too_much = sum(one.bytes for one in kept.values()) - most_bytes
    if too_much <= 0:
        return False
    rows = connection.execute(
        f"SELECT offset, topic, timestamp_us, {SIZE} FROM records ORDER BY offset LIMIT ?",
        (MOST_ROWS,),
    )
    gone: dict[str, list[Row]] = {}
    for offset, topic, published_us, size in rows.fetchall():
        if too_much <= 0:
            break
        if not topic_named(topic).compacted:
            gone.setdefault(topic, []).append((offset, published_us, size))
            too_much -= size
    for topic, some in gone.items():
        _remove(connection, topic, some)
    return too_much > 0 and bool(gone)


def _remove(connection: sqlite3.Connection, topic: str, gone: Sequence[Row]) -> None:
    """The oldest of a topic, at least one."""
    offset, published_us, _ = gone[-1]
    connection.execute("DELETE FROM records WHERE topic = ? AND offset <= ?", (topic, offset))
    connection.execute(
        "UPDATE kept SET bytes = bytes - ?, removed = removed + ?, removed_to = ?, "
        "removed_us = ? WHERE topic = ?",
        (sum(size for _, _, size in gone), len(gone), offset, published_us, topic),
    )


def _too_old(connection: sqlite3.Connection, topic: str, kept: Kept, now_us: int) -> Iterator[Row]:
    """What goes, the oldest first."""
    limit, left = kept.limit, kept.bytes
    if limit == Limit():
        return
    oldest_us = 0 if limit.max_age_us is None else now_us - limit.max_age_us
    rows = connection.execute(
        f"SELECT offset, timestamp_us, {SIZE} FROM records INDEXED BY records_of_topic "
        "WHERE topic = ? ORDER BY offset LIMIT ?",
        (topic, MOST_ROWS),
    )
    for offset, published_us, size in rows.fetchall():
        if published_us >= oldest_us and (limit.max_bytes is None or left <= limit.max_bytes):
            return
        left -= size
        yield offset, published_us, size


def _store(connection: sqlite3.Connection, topic: str, kept: Kept) -> None:
    (age_us, size), known = astuple(kept.limit), astuple(kept)[1:]
    row = (topic, age_us, size, *known)
    connection.execute("INSERT OR REPLACE INTO kept VALUES(?, ?, ?, ?, ?, ?, ?)", row)

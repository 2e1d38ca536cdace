"""The log of one writer: commits go in at one end and out at the other, and survive a kill.

Bounded by bytes: beyond them the oldest segment goes, but never one that is on its way to the sink.
Knows nothing of sinks.
"""

from __future__ import annotations

import errno
import logging
import os
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from pipeline.errors import SinkError
from pipeline.records.commit import Commit
from pipeline.records.message import wall_clock_us
from pipeline.sinks.spill.backlog import Backlog, Entry, Kept
from pipeline.sinks.spill.entry import from_bytes, to_bytes
from pipeline.sinks.spill.lock import hold
from pipeline.sinks.spill.segment import framed, read, scan, sync_folder, write
from pipeline.stream.progress import Progress

log = logging.getLogger(__name__)

LOCK = "lock"
SEGMENT_BYTES = 64 << 20
SEGMENTS = 8  # of a full log, at least: what goes at a time is no more than a part of it


class Spill:
    """`append` belongs to one thread, the others to one more; but `holds`, `size_bytes` and
    `waiting` to any."""

    def __init__(
        self,
        folder: Path,
        *,
        most_bytes: int,
        clock_us: Callable[[], int] = wall_clock_us,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        """Open a log, or begin one, with all that a writer before has left in it.

        Args:
            folder: of this log alone.
            most_bytes: that it may take on disk.
            clock_us: wall clock, microseconds since the epoch.
            check: called before each segment that is read; what it raises ends that.

        Raises:
            BlockingIOError: another process has it open.
            OSError: it cannot be read or written.
        """
        self.folder = folder
        self._most = most_bytes
        self._segment_bytes = min(SEGMENT_BYTES, most_bytes // SEGMENTS)
        self._clock_us = clock_us
        self._lock = threading.Lock()
        self._shedding = threading.Lock()  # nothing is taken out of a segment that is about to go
        self._backlog = Backlog()
        self._sizes: dict[int, int] = {}  # segment -> bytes
        self._writing: int | None = None  # a descriptor, of the newest segment
        self._appending = 0  # the segment that is written to at this moment
        folder.mkdir(mode=0o700, exist_ok=True)
        self._held = hold(folder / LOCK)
        try:
            self._load_all(check)
        except BaseException:
            os.close(self._held)
            raise

    @property
    def holds(self) -> bool:
        """Something waits."""
        return bool(self._backlog)

    @property
    def size_bytes(self) -> int:
        """Of all that waits."""
        return self._backlog.size_bytes

    def waiting(self) -> Mapping[str, Kept]:
        """Stream -> what of it waits."""
        with self._lock:
            return self._backlog.waiting()

    def holders(self) -> list[Progress]:
        """Of every stream the job and epoch under which it was kept."""
        return self._backlog.holders()

    def append(self, commits: Sequence[Commit], *, sent: int = 0) -> None:
        """Keep commits: they are on disk when this returns.

        Args:
            commits: in order.
            sent: so many of them, the first, are on their way already; nothing else waits then.

        Raises:
            OSError: no room, or no disk. None of them is kept, all else stays.
        """
        kept_us = self._clock_us()
        frames = [framed(to_bytes(commit, kept_us)) for commit in commits]
        self._make_room(sum(map(len, frames)))
        new = [(commit, kept_us, frame) for commit, frame in zip(commits, frames, strict=True)]
        self._put(new)
        with self._lock:
            self._backlog.send(sent)

    def _put(self, new: Sequence[tuple[Commit, int, bytes]]) -> None:
        with self._lock:
            descriptor, segment = self._open_segment()
            self._appending = segment
        try:
            write(descriptor, b"".join(frame for *_, frame in new))
        except OSError:
            os.ftruncate(descriptor, self._sizes[segment])
            self._appending = 0
            raise
        with self._lock:
            self._appending = 0
            for commit, kept_us, frame in new:
                self._note(segment, self._sizes[segment], len(frame), commit, kept_us)
                self._sizes[segment] += len(frame)

    def take(self, most_bytes: int) -> list[Commit]:
        """The oldest that are not on their way: they are from now on. Those that cannot be read are
        told, and missed by whoever sends the others.

        Raises:
            SinkError: something cannot be read at this moment, or is the damaged end of a stream,
                which is waited for. All of it waits as before.
        """
        with self._shedding, self._lock:
            chosen = self._backlog.take(most_bytes)
        try:
            return [commit for entry in chosen if (commit := self._read(entry))]
        except SinkError:
            self.give_back()
            raise

    def give_back(self) -> None:
        """What was on its way did not arrive."""
        with self._lock:
            self._backlog.give_back()

    def release(self) -> None:
        """What was on its way is in the sink."""
        with self._lock:
            self._backlog.release()
            self._tidy()

    def forsake(self, streams: Collection[str]) -> Mapping[str, Kept]:
        """Let go of these streams' entries, none of which is on its way; what that was."""
        with self._lock:
            lost = self._backlog.drop_streams(streams)
            self._tidy()
        return lost

    def close(self) -> None:
        """Let go of the log. What waits stays; a log in which nothing does is removed."""
        self._close_segment()
        if not self._backlog:
            with suppress(OSError):  # somebody looks at it
                (self.folder / LOCK).unlink(missing_ok=True)
                self.folder.rmdir()
        os.close(self._held)

    def _load_all(self, check: Callable[[], None]) -> None:
        paths = sorted(self.folder.glob("*.log"))
        if size := sum(path.stat().st_size for path in paths):
            log.warning("%s: %.1f MiB that were kept are read", self.folder, size / (1 << 20))
        for path in paths:
            check()
            self._load(path)

    def _load(self, path: Path) -> None:
        segment, size = int(path.stem), path.stat().st_size
        for found in scan(path):
            if found.torn:
                log.warning(
                    "%s: its last %d bytes are not whole, as a kill leaves them: they are cut off",
                    *(path, found.size),
                )
                size = found.offset
                os.truncate(path, size)
            elif told := _parsed(path, found.offset, found.data):
                self._note(segment, found.offset, found.size, *told)
        self._sizes[segment] = size
        self._tidy()

    def _note(self, segment: int, offset: int, size: int, commit: Commit, kept_us: int) -> None:
        progress, records = commit.progress, len(commit.messages)
        at = (segment, offset, size, progress.stream, records, kept_us)
        self._backlog.put(Entry(*at, last=not progress.running), progress)

    def _read(self, entry: Entry) -> Commit | None:
        path = self._path(entry.segment)
        try:
            data = read(path, entry.offset)
        except OSError as error:
            raise SinkError(f"{path}: what was kept cannot be read: {error.strerror}") from error
        told = _parsed(path, entry.offset, data)
        if entry.last and not told:
            raise SinkError(f"{path}: the end of stream {entry.stream} was kept and cannot be read")
        return told[0] if told else None

    def _make_room(self, size: int) -> None:
        """
        Raises:
            OSError: there is none, whatever goes.
        """
        while sum(self._sizes.values()) + size > self._most:
            if size > self._most or not self._shed():
                raise OSError(errno.ENOSPC, f"the spill takes {self._most} bytes", self.folder)

    def _shed(self) -> bool:
        """Let the oldest segment go that may; whether that makes room."""
        with self._shedding:
            with self._lock:
                segment, here = self._sheddable()
            gone = [one for one in here if not one.last]
            if not gone:
                return False
            self._keep_anew(one for one in here if one.last)
            with self._lock:
                self._backlog.drop_segment(segment)
                self._tidy()
        log.error(
            "the spill is full: the oldest %d records, of %d streams, are LOST; it takes %d bytes "
            "(sink.spill.max_gib)",
            *(sum(one.records for one in gone), len({one.stream for one in gone}), self._most),
        )
        return True

    def _sheddable(self) -> tuple[int, list[Entry]]:
        """The oldest segment that is not written, of which nothing is on its way and that holds
        more than ends of streams, and what lies there; nothing where there is none."""
        used = self._backlog.on_way() | {max(self._sizes, default=0)}
        for segment in sorted(self._sizes.keys() - used):
            here = self._backlog.lying(segment)
            if not all(one.last for one in here):
                return segment, here
        return 0, []

    def _keep_anew(self, ends: Iterable[Entry]) -> None:
        """Ends of streams are waited for: they outlive what was before them."""
        found = [(commit, one.kept_us) for one in ends if (commit := self._read(one))]
        if found:
            self._put([(commit, us, framed(to_bytes(commit, us))) for commit, us in found])

    def _open_segment(self) -> tuple[int, int]:
        """Descriptor and number of the segment that is written."""
        newest = max(self._sizes, default=0)
        if self._writing is not None and self._sizes[newest] >= self._segment_bytes:
            self._close_segment()
        if self._writing is None:
            newest += 1
            flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND
            self._writing = os.open(self._path(newest), flags, 0o600)
            self._sizes[newest] = 0
            sync_folder(self.folder)
        return self._writing, newest

    def _close_segment(self) -> None:
        if self._writing is not None:
            os.close(self._writing)
            self._writing = None

    def _tidy(self) -> None:
        """Remove segments of which nothing waits."""
        newest = max(self._sizes, default=0)
        for segment in list(self._sizes):
            if self._backlog.uses(segment) or segment == self._appending:
                continue
            if segment == newest:
                self._close_segment()
            self._path(segment).unlink(missing_ok=True)
            del self._sizes[segment]

    def _path(self, segment: int) -> Path:
        return self.folder / f"{segment:012}.log"


def _parsed(path: Path, offset: int, data: bytes | None) -> tuple[Commit, int] | None:
    try:
        if data is not None:
            return from_bytes(data)
        why = "it cannot be read, or its checksum is wrong"
    except (KeyError, TypeError, ValueError) as error:
        why = f"another version of dinostream wrote it? {error!r}"
    log.error("%s: what was kept at byte %d is LOST: %s", path, offset, why)
    return None

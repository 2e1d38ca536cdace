"""What waits in a log, in order: where it lies, whose it is, what of it is on its way. Pure."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import islice

from pipeline.stream.progress import Progress


@dataclass(frozen=True, slots=True)
class Kept:
    """What of one stream waits.

    Attributes:
        oldest_us: since when the oldest does, microseconds since the epoch.
    """

    records: int
    size_bytes: int
    oldest_us: int


def amount(kept: Mapping[str, Kept]) -> str:
    """For a person: `4607 records of 4 streams (3.1 MiB) are`."""
    records = sum(one.records for one in kept.values())
    size = sum(one.size_bytes for one in kept.values()) / (1 << 20)
    return f"{records} records of {len(kept)} streams ({size:.1f} MiB) are"


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One commit: where it lies, and what is to be known of it there.

    Attributes:
        segment, offset, size: place, bytes.
        records: in it.
        kept_us: since when, microseconds since the epoch.
        last: it ends its stream.
    """

    segment: int
    offset: int
    size: int
    stream: str
    records: int
    kept_us: int
    last: bool


class Backlog:
    """First in, first out; but for what is let go unsent.

    Attributes:
        size_bytes: of all that waits.
    """

    def __init__(self) -> None:
        self.size_bytes = 0
        self._entries: deque[Entry] = deque()
        self._taken = 0  # of the oldest, which are on their way
        self._in_segment = Counter[int]()
        self._of_stream: dict[str, deque[Entry]] = {}
        self._size, self._records = Counter[str](), Counter[str]()  # of each stream
        self._holders: dict[str, Progress] = {}

    def __bool__(self) -> bool:
        return bool(self._entries)

    def waiting(self) -> Mapping[str, Kept]:
        """Stream -> what of it waits."""
        return {stream: self._kept(stream) for stream in self._of_stream}

    def holders(self) -> list[Progress]:
        """Of every stream the newest job and epoch."""
        return [self._holders[stream] for stream in self._of_stream]

    def uses(self, segment: int) -> bool:
        """Whether something waits in it."""
        return self._in_segment[segment] > 0

    def on_way(self) -> set[int]:
        """Segments of what is on its way."""
        return {entry.segment for entry in islice(self._entries, self._taken)}

    def put(self, entry: Entry, progress: Progress) -> None:
        """One more, the newest.

        Args:
            entry: where it lies.
            progress: of the commit.
        """
        self._entries.append(entry)
        self._in_segment[entry.segment] += 1
        self._of_stream.setdefault(entry.stream, deque()).append(entry)
        self._size[entry.stream] += entry.size
        self.size_bytes += entry.size
        self._records[entry.stream] += entry.records
        named = (progress.job, progress.stream)
        self._holders[progress.stream] = Progress(*named, epoch=progress.epoch)

    def take(self, most_bytes: int) -> list[Entry]:
        """The oldest that are not on their way, one at least if there is one: they are now."""
        chosen: list[Entry] = []
        size = 0
        for entry in islice(self._entries, self._taken, None):
            size += entry.size
            if chosen and size > most_bytes:
                break
            chosen.append(entry)
        self._taken += len(chosen)
        return chosen

    def send(self, entries: int) -> None:
        """So many more, the oldest of the others, are on their way."""
        self._taken += entries

    def give_back(self) -> None:
        """Nothing is on its way any more, and all still waits."""
        self._taken = 0

    def release(self) -> None:
        """What was on its way has arrived."""
        for _ in range(self._taken):
            self._let_go(self._entries.popleft())
        self._taken = 0

    def lying(self, segment: int) -> list[Entry]:
        """What lies in a segment."""
        return [one for one in self._entries if one.segment == segment]

    def drop_segment(self, segment: int) -> None:
        """Let go of what lies there, nothing of which is on its way."""
        gone = self.lying(segment)
        self._entries = deque(one for one in self._entries if one.segment != segment)
        for entry in gone:
            self._let_go(entry)

    def drop_streams(self, streams: Collection[str]) -> Mapping[str, Kept]:
        """Let go of these streams' entries, none of which is on its way; what that was."""
        lost = {stream: self._kept(stream) for stream in streams}
        gone = [one for one in self._entries if one.stream in lost]
        self._entries = deque(one for one in self._entries if one.stream not in lost)
        for entry in gone:
            self._let_go(entry)
        return lost

    def _kept(self, stream: str) -> Kept:
        oldest = self._of_stream[stream][0]
        return Kept(self._records[stream], self._size[stream], oldest.kept_us)

    def _let_go(self, entry: Entry) -> None:
        own = self._of_stream[entry.stream]
        own.remove(entry)  # at once, where it is the oldest
        self._in_segment[entry.segment] -= 1
        self._size[entry.stream] -= entry.size
        self.size_bytes -= entry.size
        self._records[entry.stream] -= entry.records
        if not own:
            del self._of_stream[entry.stream]

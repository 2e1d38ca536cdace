"""A tape: what a live stream brought, kept as it came, in segments of a film and its journal.

Its folder and what lies there, as plain files: knows nothing of libav, nor how they are written.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from pipeline.errors import SourceError

MARKER = "tape.json"  # which folder is a tape, and of which stream
FORMAT = 1
FILM, JOURNAL = ".nut", ".jsonl"
PTS, DTS, DURATION, FLAGS, SIZE, CAME = range(6)  # of a packet's line; came: us since the epoch
KEY, CORRUPT = 1, 2  # its flags
END = "end"  # the connection was over, and its decoder was drained
FULL = "full"  # what waited for the camera's clock took too much memory: it goes by arrival
_NAME = re.compile(r"([0-9]{16,20})-([0-9]{6})\.(nut|jsonl)")


@dataclass(frozen=True, slots=True)
class Taping:
    """How a stream is to be taped.

    Attributes:
        folder: below which it gets a folder of its own, named by its id.
        max_bytes: of all its segments; the oldest go. One that is being written is not counted.
        max_age_s: older ones go too; None: no age is too old.
        segment_s: after so long a segment is cut at the next key frame, or else much later.
    """

    folder: str
    max_bytes: int
    max_age_s: float | None = None
    segment_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Header:
    """What a segment's journal begins with; JSON values.

    Attributes:
        session: of the connection: when it was up, microseconds since the epoch.
        number: of the segment, from 1.
        clock: what event time went by, `arrival` or `capture`.
        keyframes: they alone were decoded, and alone tell of the session's time.
        kind: of the container that the packets came in, as libav calls it.
        created_us: when that says it was begun; None: it does not.
        clockless: it has no clock, and its timestamps are those of arrival.
        time_base: seconds per tick of the timestamps.
        frame_ticks: nominal duration of a frame; None: unknown.
        field_order: as libav numbers it; the film does not keep it.
        turn: it begins another stream of the same connection, and whether that has another clock;
            None: it does not.
        state: what its session remembers at its first packet; None: it has just begun, or could
            not be gone on from here.
    """

    session: str
    number: int
    clock: str
    keyframes: bool
    kind: str
    created_us: int | None
    clockless: bool
    time_base: str
    frame_ticks: int | None
    field_order: int
    turn: bool | None = None
    state: dict[str, Any] | None = None
    format: int = FORMAT

    def to_line(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self), separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Segment:
    """Two files of a tape."""

    folder: Path
    session: str
    number: int

    @property
    def name(self) -> str:
        return f"{self.session}-{self.number:06d}"

    @property
    def film(self) -> Path:
        return self.folder / f"{self.name}{FILM}"

    @property
    def journal(self) -> Path:
        return self.film.with_suffix(JOURNAL)

    @property
    def size_bytes(self) -> int:
        """Of both, as far as they are there."""
        return sum(_stat(path).st_size for path in (self.film, self.journal) if path.exists())

    @property
    def written_s(self) -> float:
        """When it was last written, seconds since the epoch."""
        return _stat(self.journal).st_mtime

    def header(self) -> Header:
        """Raises SourceError where it is none of ours."""
        first = next(self.lines(), None)
        if not isinstance(first, dict) or first.get("format") != FORMAT:
            raise SourceError(f"{self.journal.name} is no journal that this version reads")
        return Header(**first)

    def lines(self) -> Iterator[Any]:
        """Its whole lines, the header first; a broken line ends them, as `kill -9` leaves one.
        Raises SourceError where it cannot be read."""
        try:
            with self.journal.open(encoding="utf-8", errors="replace") as file:
                for line in file:
                    if not line.endswith("\n"):
                        return
                    try:
                        yield json.loads(line)
                    except ValueError:
                        return
        except OSError as error:  # retention may take it while it is read
            raise SourceError(f"{self.journal.name}: {error.strerror}") from None

    def remove(self) -> None:
        """The film first: what has a journal is found again, and removed another time."""
        for path in (self.film, self.journal):
            with suppress(FileNotFoundError):
                path.unlink()


def tape_stream(folder: str) -> str | None:
    """The stream that a folder is a tape of; None where it is none.

    Raises:
        SourceError: it is one, of a newer version.
    """
    said = _marked(folder)
    if said is None:
        return None
    if said["format"] != FORMAT:
        raise SourceError(f"{folder} is a tape of another version of dinostream than this one")
    return str(said["stream"])


def is_tape(folder: str) -> bool:
    """Whether a folder is a tape, of whatever version."""
    return _marked(folder) is not None


def _marked(folder: str) -> dict[str, Any] | None:
    """What its marker says; None where it has none: others call their files so, too."""
    try:
        said = json.loads((Path(folder) / MARKER).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    ours = (
        isinstance(said, dict)
        and isinstance(said.get("format"), int)
        and isinstance(said.get("stream"), str)
    )
    return said if ours else None


def tapes_at(place: str) -> dict[str, str]:
    """The folder of a tape, or all that lie in a folder -> their streams; nothing elsewhere.

    Raises:
        SourceError: one is of a newer version.
    """
    below: list[str] = []
    with suppress(OSError), os.scandir(place) as entries:
        below = sorted(entry.path for entry in entries if entry.is_dir())
    found = {folder: tape_stream(folder) for folder in (place, *below)}
    return {folder: stream for folder, stream in found.items() if stream is not None}


def segments_of(folder: Path) -> list[Segment]:
    """All that lie there, in order."""
    found = []
    for name in os.listdir(folder):
        match = _NAME.fullmatch(name)
        if match and name.endswith(JOURNAL):
            found.append(Segment(folder, match[1], int(match[2])))
    return sorted(found, key=lambda one: (int(one.session), one.number))


def sessions_of(folder: Path) -> list[Sequence[Segment]]:
    """The same, session by session."""
    return [list(group) for _, group in groupby(segments_of(folder), lambda one: one.session)]


def late_begin(segments: Sequence[Segment]) -> str:
    """Of a session that has lost its beginning: the segment that its frames begin with, behind the
    one that warms the decoder up; "" of a whole one."""
    first = segments[0]
    return replace(first, number=first.number + 1).name if first.number > 1 else ""


def late_begins(folder: str) -> tuple[str, ...]:
    """Of all sessions of a tape that have lost their beginning."""
    return tuple(filter(None, map(late_begin, sessions_of(Path(folder)))))


def make_folder(taping: Taping, stream: str) -> Path:
    """The stream's own folder, for its owner alone. Raises OSError."""
    folder = Path(taping.folder) / stream
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    marker = folder / MARKER
    if not marker.exists():
        part = folder / f"{MARKER}.{os.getpid()}"
        with open(part, "w", encoding="utf-8", opener=private) as file:
            json.dump({"format": FORMAT, "stream": stream}, file)
        part.replace(marker)
    return folder


def private(path: str, flags: int) -> int:
    """Opens a file that nobody else may read."""
    return os.open(path, flags, 0o600)


def trim(folder: Path, taping: Taping, now_s: float) -> list[Segment]:
    """Remove the oldest segments until the others are within the bound; which went."""
    kept = segments_of(folder)
    sizes = {one: one.size_bytes for one in kept}
    oldest_s = 0.0 if taping.max_age_s is None else now_s - taping.max_age_s
    total, gone = sum(sizes.values()), []
    for one in kept:
        if total <= taping.max_bytes and one.written_s >= oldest_s:
            break
        one.remove()
        total -= sizes[one]
        gone.append(one)
    return gone


def _stat(path: Path) -> os.stat_result:
    """Where another process has removed it meanwhile, it has no size and is as old as can be."""
    try:
        return path.stat()
    except FileNotFoundError:
        return os.stat_result([0] * 10)

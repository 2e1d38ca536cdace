"""What a decode host hands over: ordered entries of one or several streams.

Live and recorded streams speak this one protocol; the engine cannot tell them apart.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from operators.frames import FrameInfo
from pipeline.log_line import LogLine
from pipeline.stream.drift import Drift

Cursor = dict[str, Any]
"""Where decoding stands after a frame, as JSON values: opaque outside pipeline.decode, kept in the
progress store, handed back to go on after exactly that frame."""

TROUBLES = ("disconnected", "stalled", "crashed")
"""Faults of a live stream that are told at once, ahead of all that waits."""

UNTOLD = "untold"
"""Kind of the Fault that tells how many shots of a live stream were dropped while they waited."""

CAUSES = ("full", "late", "drain", "suspended", "overload", "spill")
"""Why live frames are dropped: a buffer was full, they waited for too long, the run was to end
before their turn came, or an operator alone was not given them: it kept failing, or the engine was
too slow for all of them. `spill`: their records waited for the sink, and there was no room."""

CHUNK_FRAMES = 16  # a chunk closes at this many frames, or after `chunk_ms`
MANIFEST_FRAMES = 256  # sampled frames between two manifests; a recording's chunk closes there


@dataclass(frozen=True, slots=True)
class Frames:
    """A run of sampled frames of one stream, session and size, without a known break.

    Attributes:
        infos: one per frame.
        pixels: uint8 RGB `[n, H, W, 3]` at model size.
        taken: per frame a bit mask: bit i is set where sampling rule i of the stream takes it.
        cursor: where decoding stands after the last frame.
        share: part of the recording that is decoded, 0 to 1; None where its length is not known.
        before: sampled frames of the session before the first of these; None: nobody counted.
        arrived_s: per frame when it was decoded, on this machine's monotonic clock; () where frames
            wait for as long as it takes (recordings).
        drift: live: how fast the camera's clock runs, as of the last frame; None: nobody knows.
        ahead_us: live: event time of the last frame less that by arrival; its camera's clock may
            be off.
        repeats: position of the computed frame that all of these show again; their pixels are left
            out, `[0, H, W, 3]`. "": they are to be computed.
    """

    infos: tuple[FrameInfo, ...]
    pixels: NDArray[np.uint8]
    taken: tuple[int, ...]
    cursor: Cursor
    share: float | None = None
    before: int | None = None
    arrived_s: tuple[float, ...] = ()
    drift: Drift | None = None
    ahead_us: int = 0
    repeats: str = ""

    def __post_init__(self) -> None:
        counts = (len(self.infos), len(self.taken), self.pixels.shape[0])
        pictures = 0 if self.repeats else counts[0]
        if counts != (counts[0], counts[0], pictures) or not counts[0]:
            raise ValueError(f"infos, taken and pixels must agree and not be empty, got {counts}")

    @property
    def stream(self) -> str:
        return self.infos[0].stream

    @property
    def size_hw(self) -> tuple[int, int]:
        """Of its pixels."""
        height, width = self.pixels.shape[1:3]
        return height, width

    def without(self, first: int) -> Frames:
        """The same run without its first frames; one must be left."""
        return replace(
            self,
            infos=self.infos[first:],
            pixels=self.pixels[first:],
            taken=self.taken[first:],
            before=None if self.before is None else self.before + first,
            arrived_s=self.arrived_s[first:],
        )

    def only(self, rows: Sequence[int]) -> Frames:
        """The same run of a live stream with these frames alone, in their order; at least one."""
        return replace(
            self,
            infos=tuple(self.infos[row] for row in rows),
            pixels=self.pixels if self.repeats else self.pixels[list(rows)],
            taken=tuple(self.taken[row] for row in rows),
            before=None,
            arrived_s=tuple(self.arrived_s[row] for row in rows if self.arrived_s),
        )

    def shifted(self, seconds: float) -> Frames:
        """The same run on another monotonic clock, that shows so much more."""
        return replace(self, arrived_s=tuple(moment_s + seconds for moment_s in self.arrived_s))

    def older_than(self, moment_s: float) -> int:
        """How many of its first frames arrived before that moment."""
        return bisect_left(self.arrived_s, moment_s)


@dataclass(frozen=True, slots=True)
class Gap:
    """A known break in a stream: what remembers the past must forget it.

    Attributes:
        reason: `reconnected`, `dropped`, `size`, `decode`, ...
        dropped: sampled frames that nobody will compute, counted here and nowhere else.
        by_rule: how many of them each sampling rule had taken; () where there is one rule only.
        cause: why they were dropped, one of `CAUSES`; "" where none were.
    """

    stream: str
    reason: str
    dropped: int = 0
    by_rule: tuple[int, ...] = ()
    cause: str = ""

    def dropped_of(self, rule: int | None) -> int:
        """Dropped frames that this rule had taken; None: any."""
        return self.dropped if rule is None or not self.by_rule else self.by_rule[rule]


@dataclass(frozen=True, slots=True)
class Fault:
    """Something went wrong that is worth an event; the stream goes on.

    Attributes:
        kind: `decode`, `stalled`, `disconnected`, `crashed`, ...
        detail: one line for a person, secrets masked.
        lost: frames known to be lost by it.
    """

    stream: str
    kind: str
    detail: str
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Trouble(Fault):
    """A live stream's connection is in trouble. Told at once, ahead of frames that still wait.

    Attributes:
        session, position: of the last frame that came before it; "" where none did.
    """

    session: str = ""
    position: str = ""


@dataclass(frozen=True, slots=True)
class Counts:
    """Frames as a decoder counted them.

    Attributes:
        decoded: before sampling.
        sampled: of those, the ones that at least one rule takes. Each of them is handed over, or
            dropped in a Gap, or lost with the decode process that held it.
        lost: known to be lost: they could not be decoded, or died with their process.
    """

    decoded: int = 0
    sampled: int = 0
    lost: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.decoded + other.decoded, self.sampled + other.sampled, self.lost + other.lost
        )

    def judged(self, outcome: str, *, damaged: bool) -> tuple[str, str]:
        """An outcome and why: `ok` becomes what the losses make of it, others stay.

        Args:
            outcome: of an `End`.
            damaged: something was lost, whether it was counted or not.
        """
        if outcome == "ok" and not self.decoded:
            return "rejected", "no frame can be decoded"
        if outcome == "ok" and (self.lost or damaged):
            return "degraded", f"{self.lost} frames lost"
        return outcome, ""


@dataclass(frozen=True, slots=True)
class End:
    """The last entry of a stream.

    Attributes:
        outcome: `ok`, `degraded` (frames were lost), `rejected` (nothing could be read), `stopped`.
        detail: why, for a person.
        decoded, lost, sampled: frames as `Counts` has them: of a recording's whole session, of all
            of a live stream's connections in this run. `sampled` None: nobody counted.
        memory_bytes: peak resident memory of the decode process.
        unfinished: a recording of which more may be had another day; its progress says so.
    """

    stream: str
    outcome: str
    detail: str = ""
    decoded: int = 0
    lost: int = 0
    memory_bytes: int = 0
    unfinished: bool = False
    sampled: int | None = None

    @property
    def counts(self) -> Counts:
        return Counts(self.decoded, self.sampled or 0, self.lost)


Beginning = Literal["start", "cut", "fade", "gap"]
"""How a shot began: with its session, by a cut, behind a fade, or behind a known break."""


@dataclass(frozen=True, slots=True)
class Shot:
    """Decoded frames of a stream among which nothing was cut, when they are over.

    Attributes:
        start: position and time of the first, as records name them.
        last: the last of them.
        frames: that they are, sampled or not.
        began: how.
    """

    start: Mapping[str, str]
    last: FrameInfo
    frames: int
    began: Beginning

    @property
    def stream(self) -> str:
        return self.last.stream


Entry = Frames | Gap | Fault | End | Shot


def sampled_in(entry: Entry) -> int:
    """Sampled frames that an entry brings, or tells to be dropped."""
    if isinstance(entry, Frames):
        return len(entry.infos)
    return entry.dropped if isinstance(entry, Gap) else 0


@dataclass(frozen=True, slots=True)
class Chunk:
    """Entries in order; entries of different streams may alternate.

    Attributes:
        sent_s: when it left another machine, on that one's monotonic clock; None: it did not.
        lines: that were logged there.
    """

    entries: tuple[Entry, ...]
    sent_s: float | None = None
    lines: tuple[LogLine, ...] = ()

"""What a decode host hands over: ordered entries of one or several streams.

Live and recorded streams speak this one protocol; the engine cannot tell them apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from operators.frames import FrameInfo

Cursor = dict[str, Any]
"""Where decoding stands after a frame, as JSON values: opaque outside pipeline.decode, kept in the
progress store, handed back to go on after exactly that frame."""

CHUNK_FRAMES = 16  # a chunk closes at this many frames, or after `chunk_ms`


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
    """

    infos: tuple[FrameInfo, ...]
    pixels: NDArray[np.uint8]
    taken: tuple[int, ...]
    cursor: Cursor
    share: float | None = None
    before: int | None = None

    def __post_init__(self) -> None:
        if not len(self.infos) == len(self.taken) == self.pixels.shape[0] > 0:
            counts = (len(self.infos), len(self.taken), self.pixels.shape[0])
            raise ValueError(f"infos, taken and pixels must agree and not be empty, got {counts}")

    @property
    def stream(self) -> str:
        return self.infos[0].stream


@dataclass(frozen=True, slots=True)
class Gap:
    """A known break in a stream: what remembers the past must forget it.

    Attributes:
        reason: `reconnected`, `dropped`, `size`, `decode`, ...
        dropped: sampled frames that were lost to a full buffer, counted here and nowhere else.
        by_rule: how many of them each sampling rule had taken; () where there is one rule only.
    """

    stream: str
    reason: str
    dropped: int = 0
    by_rule: tuple[int, ...] = ()

    def dropped_of(self, rule: int) -> int:
        """Dropped frames that this rule had taken."""
        return self.by_rule[rule] if self.by_rule else self.dropped


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


Entry = Frames | Gap | Fault | End


@dataclass(frozen=True, slots=True)
class Chunk:
    """Entries in order; entries of different streams may alternate."""

    entries: tuple[Entry, ...]

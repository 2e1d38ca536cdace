"""How far a stream is committed, and all that is needed to go on from there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from operators.result import canonical_json

STATUSES = ("running", "ok", "degraded", "rejected", "stopped")


@dataclass(frozen=True, slots=True)
class Progress:
    """One row of the progress store; key `job/stream`.

    Attributes:
        job: what is done with the stream: 12 hex of the hash of its session, variants and sampling.
        sequence: counts this stream's commits, so that the outcome of a commit can be looked up.
        epoch: which assignment wrote it; a writer with an older epoch is refused.
        position: the last committed frame's, "" before the first.
        cursor: where decoding goes on (`pipeline.stream.chunk.Cursor`), None before the first
            frame.
        operators: operator -> base64 of its snapshot.
        gaps: operator -> state of its gap detector, JSON values.
        ledger: operator -> counter -> frames (sampled, published, covered, dropped, ...).
        waiting: operator -> position and event time (us) of frames that it took and of which no
            record tells yet.
        status: `running` from the claim until the stream's End is committed, then its outcome.
        lost: frames known to be lost, once the End is committed.
        detail: why frames were lost or the stream failed, for a person, secrets masked.
        frames: sampled frames that are committed, in all sessions.
        untold: what no manifest tells of yet (`pipeline.records.manifest.Untold`), JSON values; {}
            before the first commit.
        still: which frame those that are not computed repeat (`pipeline.engine.still`), JSON
            values; {} and left out where all are.
    """

    job: str
    stream: str
    session: str = ""
    sequence: int = 0
    epoch: int = 0
    position: str = ""
    cursor: dict[str, Any] | None = None
    operators: dict[str, str] = field(default_factory=dict)
    gaps: dict[str, Any] = field(default_factory=dict)
    ledger: dict[str, dict[str, int]] = field(default_factory=dict)
    waiting: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    status: str = "running"
    lost: int = 0
    detail: str = ""
    frames: int = 0
    untold: dict[str, Any] = field(default_factory=dict)
    still: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise ValueError(f"status {self.status!r} is none of {', '.join(STATUSES)}")

    @property
    def done(self) -> bool:
        """Nothing is left to do. A rejected stream is tried again: it may be readable by then."""
        return self.status in ("ok", "degraded")

    @property
    def running(self) -> bool:
        """Somebody has it in work, or died over it."""
        return self.status == "running"

    def settled(self) -> Progress:
        """Without what is needed to go on, where nothing is left to do."""
        return replace(self, cursor=None, operators={}, gaps={}, still={}) if self.done else self

    def plain(self) -> dict[str, Any]:
        """What JSON says of it, as before gates where none is at work."""
        said = {name: getattr(self, name) for name in self.__slots__}
        if not self.still:
            del said["still"]
        return said

    def to_json(self) -> bytes:
        return canonical_json(self.plain())

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Progress:
        return cls(**data)

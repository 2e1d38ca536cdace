"""Marks: who holds a stream, and from where on its newest progress has to be looked for.

The progress topic grows with every commit, so nobody reads it whole. A mark is a record of the
small topic `claims` with a progress in it; what was committed after it lies within REACH offsets
behind the place that it names. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from operators.result import canonical_json
from pipeline.stream.progress import Progress

REACH = 1000  # offsets; a transaction takes two, so some 500 commits

Key = tuple[str, str]  # job, stream


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record of the progress topic lies."""

    partition: int
    offset: int

    @property
    def end(self) -> int:
        """Behind the last offset where newer progress may lie."""
        return self.offset + REACH + 1

    def reaches(self, other: Place) -> bool:
        """Whether who starts here finds what lies there."""
        return self.partition == other.partition and self.offset <= other.offset < self.end


@dataclass(frozen=True, slots=True)
class Mark:
    """One record of the topic `claims`; key `job/stream`.

    Attributes:
        progress: as far as it was then. A stream that does not run is held by nobody.
        writer: transactional id of the one producer that may commit for the stream, "" for none.
        place: of the progress record that this mark was committed with; None: nothing has been
            committed since, for the commit after such a mark brings a mark of its own.
    """

    progress: Progress
    writer: str = ""
    place: Place | None = None

    @property
    def key(self) -> Key:
        return (self.progress.job, self.progress.stream)

    @property
    def holder(self) -> str:
        """The writer that may still commit, "" where there is none."""
        return self.writer if self.progress.running else ""

    def to_json(self) -> bytes:
        place = asdict(self.place) if self.place else None
        said = {"progress": self.progress.plain(), "writer": self.writer, "place": place}
        return canonical_json(said)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Mark:
        place = data["place"]
        progress = Progress.from_json(data["progress"])
        return cls(progress, data["writer"], Place(**place) if place else None)

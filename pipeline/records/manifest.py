"""Manifests: what was committed of a stream since the manifest before, so that others can check.

A manifest goes in one transaction with the last of the records that it tells of. Until then what it
will say is kept in the stream's progress. Pure.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.records.record import Message
from pipeline.records.series import Count, Place, Series, digest, placed
from pipeline.records.topics import EVENTS
from pipeline.stream.chunk import MANIFEST_FRAMES
from pipeline.stream.progress import Progress

Counts = Mapping[Series, Count]


@dataclass(frozen=True, slots=True)
class Untold:
    """What no manifest tells of yet.

    Attributes:
        number: of the manifest that will, counted from 0 in the stream's job.
        frames: of the stream that were committed with the manifest before.
        series: its records.
        recent: places of the events that may come once more, where the stream stands or ahead of
            that. Two that are alike at one position have one id, and are one record.
    """

    number: int = 0
    frames: int = 0
    series: Counts = field(default_factory=dict)
    recent: frozenset[str] = frozenset()

    @classmethod
    def of(cls, progress: Progress) -> Untold:
        """As a stream's progress has it."""
        said = progress.untold
        if not said:
            return cls()
        series, recent = _counts(said["series"]), frozenset(said["recent"])
        return cls(said["number"], said["frames"], series, recent)

    def to_json(self) -> dict[str, Any]:
        """JSON values, for progress."""
        counts = {"number": self.number, "frames": self.frames, "series": _rows(self.series)}
        return {**counts, "recent": sorted(self.recent)}

    def after(self, messages: Iterable[Message], progress: Progress) -> Untold:
        """With the records of one more commit.

        Args:
            messages: its records.
            progress: its progress.
        """
        series, recent = dict(self.series), set(self.recent)
        added = defaultdict[Series, list[tuple[Place, int]]](list)
        for message in messages:
            key, place = placed(message)
            if key.topic == EVENTS and place.text in recent:
                continue
            if key.topic == EVENTS:
                recent.add(place.text)
            added[key].append((place, digest(message)))
        for key, records in added.items():
            one = Count.of(records)
            series[key] = series[key] + one if key in series else one
        here = Place.of(f"{progress.session or '-'}/{progress.position}")
        ahead = frozenset(text for text in recent if not Place.of(text).is_behind(here))
        return Untold(self.number, self.frames, series, ahead)

    def is_due(self, frames: int) -> bool:
        """Whether a manifest belongs behind so many frames of the stream: behind every
        `MANIFEST_FRAMES`, whenever they come, so that a resumed recording's are the same."""
        return frames // MANIFEST_FRAMES > self.frames // MANIFEST_FRAMES

    def said(self, progress: Progress) -> dict[str, Any]:
        """The manifest's value; JSON values.

        Args:
            progress: of the commit that it ends.
        """
        return {
            "stream": progress.stream,
            "session": progress.session,
            "position": progress.position,
            "number": self.number,
            "frames": progress.frames,
            "status": progress.status,
            "operators": progress.ledger,
            "series": _rows(self.series),
        }

    def next(self, frames: int) -> Untold:
        """Behind the manifest."""
        return Untold(self.number + 1, frames, recent=self.recent)


@dataclass(frozen=True, slots=True)
class Manifest:
    """One record of the topic `manifest`.

    Attributes:
        stream, job: whose records it tells of.
        number: of the job's manifests, from 0.
        ended: the stream's end is among what it tells of.
        operators: operator -> counter -> frames, of the whole job up to there.
        series: the records since the manifest before.
    """

    stream: str
    job: str
    number: int
    ended: bool
    operators: Mapping[str, Mapping[str, int]]
    series: Counts

    @classmethod
    def of(cls, message: Message) -> Manifest | None:
        """Of a record; None where its value is not the one that its id is of."""
        digest = message.id.split("/")[3].rpartition(".")[2]
        if hashlib.sha256(message.value).hexdigest()[: len(digest)] != digest:
            return None
        said = json.loads(message.value)
        ended = said["status"] != "running"
        told = (said["number"], ended, said["operators"], _counts(said["series"]))
        return cls(said["stream"], message.headers["ce_variant"], *told)


def _rows(series: Counts) -> list[dict[str, Any]]:
    return [
        {"topic": key.topic, "variant": key.variant, **series[key].to_json()}
        for key in sorted(series)
    ]


def _counts(rows: Iterable[Mapping[str, Any]]) -> dict[Series, Count]:
    counts = [(row["topic"], row["variant"], Count.from_json(row)) for row in rows]
    return {Series(topic, variant, one.first.recording): one for topic, variant, one in counts}

"""Holds what lies in a sink against what was committed: manifests in, then records, reports out.

Pure. What is kept are the claims of the manifests, and the ids of the newest records; a repeat that
comes later than that counts as one record too many where it belongs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from pipeline.audit.finding import AGAIN, CONFLICTING, DOUBLED, Report
from pipeline.audit.stream import OldestUs, StreamAudit
from pipeline.records.once import Recent
from pipeline.records.record import StoredRecord
from pipeline.records.series import Count, Series, counted
from pipeline.records.topics import EVENTS
from pipeline.stream.progress import Progress

IDS = 100_000  # that are remembered, of twice as many at most: 25 to 50 MB


class Auditor:
    """First `tell` of all manifests and `go_on` with progress, then `begin` and `see` all else."""

    def __init__(self, *, since: bool = False, ids: int = IDS) -> None:
        """
        Args:
            since: only what was published since some time is told and seen.
            ids: how many are remembered.
        """
        self._since = since
        self._streams: dict[str, StreamAudit] = {}
        self._seen: Recent[bytes, tuple[int, int]] = Recent(ids)

    def tell(self, record: StoredRecord) -> None:
        """A manifest, in order of publishing."""
        if found := _placed(record):
            self._of(record.message.key).tell(record, *found)

    def go_on(self, progress: Progress) -> None:
        """How far a job is, as it stood before its manifests were read."""
        self._of(progress.stream).go_on(progress)

    def begin(self) -> None:
        """All manifests are told."""
        for stream in self._streams.values():
            stream.begin()

    def see(self, record: StoredRecord) -> None:
        """A record of another topic, repeats among them, in its partition's order."""
        if found := _placed(record):
            stream = self._of(record.message.key)
            stream.count()
            if not self._is_repeat(record.message.id, stream, *found):
                stream.see(record.message, *found)

    def reports(self, oldest_us: OldestUs) -> Iterator[Report]:
        """Of every stream that something was heard of, by name."""
        return (self._streams[name].report(oldest_us) for name in sorted(self._streams))

    def _of(self, stream: str) -> StreamAudit:
        if stream not in self._streams:
            self._streams[stream] = StreamAudit(stream, since=self._since)
        return self._streams[stream]

    def _is_repeat(
        self, identity: str, stream: StreamAudit, series: Series, one: Count, epoch: int
    ) -> bool:
        """Whether it was here before and counts no second time. What a later epoch has written
        again does: it may be all that is left of it."""
        key = hashlib.blake2b(identity.encode(), digest_size=16).digest()
        mine = (one.digest, epoch)
        digest, before = self._seen.get(key, mine)
        known = key in self._seen
        if digest != one.digest:
            stream.meet(CONFLICTING, series, one)
            return True
        self._seen.put(key, (digest, max(before, epoch)))
        if not known:
            return False
        afresh = epoch > before
        alike = series.topic == EVENTS  # what happened twice alike at one position is one record
        stream.meet(AGAIN if afresh or alike else DOUBLED, series, one)
        return not afresh


def _placed(record: StoredRecord) -> tuple[Series, Count, int] | None:
    """Its series, the count of it alone, and its epoch; None where it is somebody else's, or a
    label set, which is no stream's."""
    try:
        return (*counted(record.message), int(record.message.headers.get("ce_epoch", 0)))
    except ValueError:
        return None

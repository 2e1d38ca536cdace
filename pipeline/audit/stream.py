"""One stream held against its manifests: its jobs, what they wrote, what is there. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace

from pipeline.audit.book import Book
from pipeline.audit.chain import Chain
from pipeline.audit.finding import (
    ALTERED,
    DISORDERED,
    EXPIRED,
    MISSING,
    UNKNOWN,
    UNTOLD,
    Finding,
    Report,
)
from pipeline.records.manifest import Manifest
from pipeline.records.record import Message, StoredRecord
from pipeline.records.series import Count, Series
from pipeline.records.topics import DEADLETTER, MANIFEST
from pipeline.stream.progress import Progress

NAMED = 20  # ids of a finding that are told

OldestUs = Callable[[str, str], int | None]
"""Topic and stream -> `Reader.oldest_us`."""


class StreamAudit:
    """What is said of one stream's records, and what is there."""

    def __init__(self, stream: str, *, since: bool) -> None:
        """
        Args:
            stream: its id.
            since: only what was published since some time is told and seen.
        """
        self._stream = stream
        self._since = since
        self._runs: dict[str, list[Chain]] = {}  # of each job, those done afresh behind the first
        self._books: dict[Series, list[Book]] = defaultdict(list)
        self._newest: dict[Series, tuple[tuple[str, int], str]] = {}  # session, epoch; time
        self._met: dict[tuple[str, Series], Finding] = {}
        self._records = 0

    def tell(self, record: StoredRecord, series: Series, one: Count, epoch: int) -> None:
        """One of its manifests, in order of publishing."""
        manifest = Manifest.of(record.message)
        runs = self._runs.setdefault(series.variant, [])
        if manifest is None:
            self.meet(ALTERED, series, one)
            return
        facts = (manifest, record.message.id, record.timestamp_us, epoch)
        if not runs or not runs[-1].takes(*facts):
            runs.append(Chain(since=self._since, afresh=bool(runs)))
            runs[-1].takes(*facts)

    def go_on(self, progress: Progress) -> None:
        """How far one of its jobs is, as it stood before its manifests were read."""
        runs = self._runs.setdefault(progress.job, [])
        if not runs:
            runs.append(Chain(since=self._since))
        runs[-1].go_on(progress)

    def begin(self) -> None:
        """All manifests are told."""
        for chain in self._chains():
            for series, book in chain.books().items():
                self._books[series].append(book)

    def see(self, message: Message, series: Series, one: Count, epoch: int) -> None:
        """A record that was not met before."""
        self._check_order(message, series, one, epoch)
        for book in self._books.get(series, ()):
            book.see(one, epoch)
        if series not in self._books:
            goes_on = any(chain.tells and not chain.ended for chain in self._chains())
            self.meet(UNTOLD if goes_on else UNKNOWN, series, one)

    def count(self) -> None:
        """One more record was read, a repeat or not."""
        self._records += 1

    def meet(self, kind: str, series: Series, one: Count) -> None:
        """A record is by itself what a finding of that kind is about."""
        name = series.id(self._stream, one.first)
        known = self._met.get((kind, series))
        if known is None:
            self._met[kind, series] = Finding(kind, 1, series, one.first, one.last, (name,))
            return
        assert known.first
        assert known.last
        self._met[kind, series] = replace(
            known,
            records=known.records + 1,
            first=min(known.first, one.first),
            last=max(known.last, one.last),
            ids=(*known.ids, name) if len(known.ids) < NAMED else known.ids,
        )

    def report(self, oldest_us: OldestUs) -> Report:
        """All records are seen."""
        chains = list(self._chains())
        findings = [*self._of_manifests(oldest_us), *self._met.values(), *self._of_books(oldest_us)]
        return Report(
            self._stream,
            ended=bool(chains) and all(chain.ended for chain in chains),
            manifests=sum(chain.manifests for chain in chains),
            records=self._records,
            operators={name: row for one in chains for name, row in one.operators.items()},
            findings=findings,
        )

    def _chains(self) -> Iterator[Chain]:
        return (chain for runs in self._runs.values() for chain in runs)

    def _check_order(self, message: Message, series: Series, one: Count, epoch: int) -> None:
        """Time never goes back within a session, as one writer has it."""
        time = message.headers.get("ce_time")
        if time is None or series.topic == DEADLETTER:  # an event, or of several operators
            return
        scope = (message.headers.get("ce_session", ""), epoch)
        before, newest = self._newest.get(series, (scope, ""))
        if scope == before and time < newest:
            self.meet(DISORDERED, series, one)
        self._newest[series] = (scope, time)

    def _of_manifests(self, oldest_us: OldestUs) -> Iterator[Finding]:
        expired = oldest_us(MANIFEST, self._stream) is not None
        for job, runs in self._runs.items():
            for chain in runs:
                for one in chain.findings(Series(MANIFEST, job, "")):
                    gone = expired and one.kind == MISSING
                    yield replace(one, kind=EXPIRED) if gone else one

    def _of_books(self, oldest_us: OldestUs) -> Iterator[Finding]:
        gapless = not any(chain.missing for chain in self._chains())
        for series, books in self._books.items():
            different = {book.said: book for book in books}
            alone = len(different) == 1
            oldest = oldest_us(series.topic, self._stream)
            for book in different.values():
                for one in book.findings(alone=alone, gapless=gapless, oldest_us=oldest):
                    yield self._beside(one) if one.kind == MISSING else one

    def _beside(self, missing: Finding) -> Finding:
        """With a series that has a record wherever one is missing, if there is one. Where all are
        missing, the places say enough."""
        if missing.records == missing.among:
            return missing
        for series, books in self._books.items():
            if any(book.shows(missing) for book in books):
                return replace(missing, sibling=series)
        return missing

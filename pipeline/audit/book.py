"""One series held against what was said of it: claims in, records by their places, findings out.

Every record is put to the claim that its place lies in, however far from its neighbours it is met,
so what is kept grows with the claims and not with the records. Pure.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import TypeVar

from pipeline.audit.finding import (
    ALTERED,
    EXPIRED,
    MISSING,
    UNEXPECTED,
    UNKNOWN,
    UNTOLD,
    Finding,
)
from pipeline.records.series import Count, Series

K = TypeVar("K")

NEVER_US = 1 << 63  # later than every publishing time


@dataclass(frozen=True, slots=True)
class Claim:
    """What a manifest says of one series, or progress of what no manifest tells of yet.

    Attributes:
        count: of its records.
        published_us: when that was; all of them were before. `NEVER_US` of progress.
        whole: all of them were asked for; else the first may be older than that.
    """

    count: Count
    published_us: int
    whole: bool = True

    def __add__(self, other: Claim) -> Claim:
        published_us = max(self.published_us, other.published_us)
        return Claim(self.count + other.count, published_us, self.whole and other.whole)


@dataclass(slots=True)
class Span:
    """A claim, or some whose places overlap, and what was found there: epoch -> count."""

    claim: Claim
    found: dict[int, Count] = field(default_factory=dict)

    @property
    def records(self) -> int:
        return sum(one.records for one in self.found.values())

    @property
    def holds(self) -> bool:
        """All that was claimed is there, and nothing else of the same writers. A job that was done
        afresh has written it again, in epochs of its own."""
        said = self.claim.count
        counts = [self.found[epoch] for epoch in sorted(self.found)]
        return any(
            (one.records, one.digest) == (said.records, said.digest)
            for first in range(len(counts))
            for one in accumulate(counts[first:])
        )


class Book:
    """One series of one job."""

    def __init__(self, series: Series, claims: Iterable[Claim], *, ended_epoch: int | None) -> None:
        """
        Args:
            series: which.
            claims: of the job, in any order.
            ended_epoch: of the manifest that tells of the stream's end, where that is the job's
                newest word; who wrote on behind it has a later one.
        """
        self.series = series
        self._ended_epoch = ended_epoch
        self.spans = [Span(claim) for claim in _apart(claims)]
        self._firsts = [span.claim.count.first for span in self.spans]
        self._outside: dict[tuple[int, bool], Count] = {}

    @property
    def said(self) -> tuple[tuple[int, int], ...]:
        """What is claimed, the same for two jobs whose records here are the same."""
        counts = [span.claim.count for span in self.spans]
        return tuple((one.records, one.digest) for one in counts)

    def shows(self, finding: Finding) -> bool:
        """Whether as many records are here, between the same places, and none is missing."""
        where = (finding.among, finding.first, finding.last)
        counts = ((span, span.claim.count) for span in self.spans)
        return any(
            (one.records, one.first, one.last) == where and span.holds for span, one in counts
        )

    def see(self, one: Count, epoch: int) -> None:
        """A record is there."""
        behind = bisect_right(self._firsts, one.first) - 1
        if behind >= 0 and one.first <= self.spans[behind].claim.count.last:
            _add(self.spans[behind].found, epoch, one)
        else:
            late = self._ended_epoch is None or epoch > self._ended_epoch
            _add(self._outside, (behind, late), one)

    def findings(self, *, alone: bool, gapless: bool, oldest_us: int | None) -> Iterator[Finding]:
        """What differs.

        Args:
            alone: no other job has other records in this series.
            gapless: no manifest of the job is missing.
            oldest_us: when the oldest record was published that a retention has left in the
                topic; None where it has removed none.
        """
        straddles = oldest_us is not None  # it may begin in the midst of the oldest claim's
        for span in self.spans:
            expired = oldest_us is not None and span.claim.published_us <= oldest_us
            yield from self._of_span(span, alone, expired or straddles)
            straddles = straddles and expired
        if alone:  # else they are the other job's, as far as anybody knows
            yield from self._of_outside(gapless)

    def _of_span(self, span: Span, alone: bool, expired: bool) -> Iterator[Finding]:
        said, found = span.claim.count, span.records
        if not span.claim.whole or span.holds:
            return
        if found < said.records:
            kind = EXPIRED if expired else MISSING
            gone = self._finding(kind, said.records - found, said)
            yield replace(gone, among=said.records)
        elif found == said.records:
            yield self._finding(ALTERED, found, said)
        elif span.claim.published_us == NEVER_US:  # the job has written on since
            yield self._finding(UNTOLD, found - said.records, said)
        elif alone:
            yield self._finding(UNEXPECTED, found - said.records, said)
        else:
            yield self._finding(UNKNOWN, said.records, said, "among records of another job")

    def _of_outside(self, gapless: bool) -> Iterator[Finding]:
        """Of records that no claim is about, by what they are behind."""
        newest = len(self.spans) - 1
        for (behind, late), count in sorted(self._outside.items()):
            if behind < 0 and not self.spans[0].claim.whole:
                continue  # older than what is asked for
            kind, why = UNTOLD if behind == newest and late else UNEXPECTED, ""
            if behind < 0:
                kind, why = UNKNOWN, "older than the oldest manifest"
            elif not gapless:
                kind, why = UNKNOWN, "a manifest is missing"
            yield self._finding(kind, count.records, count, why)

    def _finding(self, kind: str, records: int, where: Count, detail: str = "") -> Finding:
        places = (where.first, where.last)
        return Finding(kind, records, self.series, *places, detail=detail)


def _apart(claims: Iterable[Claim]) -> Sequence[Claim]:
    """Claims by place, those that overlap put together: what says of its frames late."""
    ordered = sorted(claims, key=lambda claim: claim.count.first)
    apart: list[Claim] = []
    for claim in ordered:
        if apart and claim.count.first <= apart[-1].count.last:
            apart[-1] += claim
        else:
            apart.append(claim)
    return apart


def _add(counts: dict[K, Count], key: K, one: Count) -> None:
    counts[key] = counts[key] + one if key in counts else one

"""What an audit finds: of one series of a stream, and of the stream as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.records.series import Place, Series

MISSING, ALTERED, DOUBLED = "missing", "altered", "doubled"
CONFLICTING, DISORDERED, UNEXPECTED = "conflicting", "disordered", "unexpected"
UNACCOUNTED, UNKNOWN = "unaccounted", "unknown"
EXPIRED, UNTOLD, AGAIN = "expired", "untold", "again"

FAULTS: Mapping[str, str] = {
    MISSING: "was committed and is not there",
    ALTERED: "as many as were committed, and not what was committed",
    DOUBLED: "there more than once, of one writer",
    CONFLICTING: "an id with two payloads",
    DISORDERED: "behind a later one of its session",
    UNEXPECTED: "was never committed",
    UNACCOUNTED: "frames of which the ledger says nothing",
    UNKNOWN: "cannot be checked",
}
NOTES: Mapping[str, str] = {
    EXPIRED: "not there any more: the topic's retention",
    UNTOLD: "newer than what a manifest or progress tells of",
    AGAIN: "written again: by a job that was done afresh, or an event that came twice alike",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about records of one stream.

    Attributes:
        kind: a key of `FAULTS`, which make a stream incomplete, or of `NOTES`.
        records: how many; of `unaccounted` frames.
        series: which; None where it is of the whole stream.
        first, last: between which places they are, both included.
        ids: theirs, as far as they are known.
        detail: what else there is to say.
        among: of how many that were committed between those places; 0 where that says nothing.
        sibling: a series with as many there, none of which is missing.
    """

    kind: str
    records: int
    series: Series | None = None
    first: Place | None = None
    last: Place | None = None
    ids: tuple[str, ...] = ()
    detail: str = ""
    among: int = 0
    sibling: Series | None = None

    @property
    def is_fault(self) -> bool:
        return self.kind in FAULTS

    def plain(self, stream: str) -> dict[str, Any]:
        """JSON values, ids whole."""
        said: dict[str, Any] = {"kind": self.kind, "records": self.records}
        if self.series:
            said |= {"topic": self.series.topic, "variant": self.series.variant}
            places = {"first": self.first, "last": self.last}
            said |= {name: self.series.id(stream, at) for name, at in places.items() if at}
        said |= {"among": self.among} if self.among else {}
        said |= {"ids": list(self.ids)} if self.ids else {}
        return said | ({"detail": self.detail} if self.detail else {})


@dataclass(frozen=True, slots=True)
class Report:
    """Of one stream.

    Attributes:
        ended: its end is told of.
        manifests: that tell of it.
        records: that were read.
        operators: operator -> counter -> frames, as the newest manifest or progress has them.
        findings: in order of what they are about.
    """

    stream: str
    ended: bool
    manifests: int
    records: int
    operators: Mapping[str, Mapping[str, int]]
    findings: Sequence[Finding]

    @property
    def complete(self) -> bool:
        return not any(finding.is_fault for finding in self.findings)

    def plain(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "stream": self.stream,
            "complete": self.complete,
            "ended": self.ended,
            "manifests": self.manifests,
            "records": self.records,
            "operators": {name: dict(row) for name, row in self.operators.items()},
            "findings": [finding.plain(self.stream) for finding in self.findings],
        }

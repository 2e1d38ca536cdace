"""What a sink holds, and how it differs from what it should. Records are compared as a whole, but
for what tells of the run: when it was, of which epoch, its traces."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass

from pipeline.audit.reading import audited
from pipeline.sinks.uri import open_reader

LABELS = "labels"  # published at least once
OF_THE_RUN = ("ce_ingesttime", "ce_epoch", "ce_traceparent")

TWO_PAYLOADS = "two payloads"

Key = tuple[str, str]  # topic, id


@dataclass(frozen=True, slots=True)
class Holdings:
    """Attributes:
    digests: of each record, by topic and id; of two that differ `TWO_PAYLOADS`.
    copies: how many times each is there, for who reads what was committed.
    """

    digests: Mapping[Key, str]
    copies: Mapping[Key, int]


@dataclass(frozen=True, slots=True)
class Difference:
    """How many records are lost, doubled, altered, and there though nobody should have written
    them; and how many faults an audit finds that knows only the sink."""

    records: int
    lost: int
    doubled: int
    altered: int
    invented: int
    faults: int

    @property
    def breaches(self) -> int:
        return self.lost + self.doubled + self.altered + self.invented + self.faults


def holdings(sink: str) -> Holdings:
    """All committed records of a sink."""
    digests: dict[Key, str] = {}
    copies: Counter[Key] = Counter()
    with closing(open_reader(sink)) as reader:
        for one in reader.records(repeats=True):
            message = one.message
            key = (message.topic, message.id)
            headers = {k: v for k, v in message.headers.items() if k not in OF_THE_RUN}
            digest = hashlib.sha256(repr(sorted(headers.items())).encode() + message.value)
            if digests.setdefault(key, digest.hexdigest()) != digest.hexdigest():
                digests[key] = TWO_PAYLOADS
            copies[key] += 1
    return Holdings(digests, copies)


def faults(sink: str) -> int:
    """What an audit finds, which knows nothing but the sink; a stream without an end is a fault."""
    with closing(open_reader(sink)) as reader:
        reports = list(audited(reader))
    found = sum(finding.is_fault for report in reports for finding in report.findings)
    return found + sum(not report.ended for report in reports)


def difference(there: Holdings, right: Holdings, faults: int = 0) -> Difference:
    """What is there, held to what an undisturbed job has written."""
    both = there.digests.keys() & right.digests.keys()
    return Difference(
        records=len(there.digests),
        lost=len(right.digests.keys() - both),
        doubled=sum(count > 1 for (topic, _), count in there.copies.items() if topic != LABELS),
        altered=sum(there.digests[key] != right.digests[key] for key in both),
        invented=len(there.digests.keys() - both),
        faults=faults,
    )

"""Names of missing records: where another series of the same frames is whole, its places say them.

Reads the topics concerned once more, of the streams concerned alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from pipeline.audit.finding import Finding, Report
from pipeline.audit.stream import NAMED
from pipeline.records.filter import Filter
from pipeline.records.series import Place, Series, counted
from pipeline.sinks.sink import Reader

MOST = 100  # findings of a stream whose records are looked for


def named(reader: Reader, report: Report) -> Report:
    """A report with the ids of missing records, as far as its findings have siblings."""
    wanted = [finding for finding in report.findings if finding.sibling][:MOST]
    if not wanted:
        return report
    there = _places(reader, report.stream, wanted)
    names = {finding: _named(finding, report.stream, there) for finding in wanted}
    return replace(report, findings=[names.get(one, one) for one in report.findings])


def _places(reader: Reader, stream: str, findings: Sequence[Finding]) -> dict[Series, set[Place]]:
    """Where records are, of the series concerned, between the places concerned."""
    there: dict[Series, set[Place]] = {}
    for finding in findings:
        for series in _both(finding):
            there[series] = set()
    topics = [topic for topic in reader.topics() if any(topic == one.topic for one in there)]
    for record in reader.records(topics, where=Filter((stream,)), repeats=True):
        try:
            series, one = counted(record.message)
        except ValueError:  # somebody else's
            continue
        if series in there and any(_lies_in(one.first, finding) for finding in findings):
            there[series].add(one.first)
    return there


def _named(finding: Finding, stream: str, there: dict[Series, set[Place]]) -> Finding:
    assert finding.series
    assert finding.sibling
    absent = there[finding.sibling] - there[finding.series]
    places = sorted(place for place in absent if _lies_in(place, finding))
    if len(places) != finding.records:
        return finding  # the series do not have the same frames after all
    ids = tuple(finding.series.id(stream, place) for place in places[:NAMED])
    return replace(finding, first=places[0], last=places[-1], ids=ids)


def _both(finding: Finding) -> Iterable[Series]:
    return [series for series in (finding.series, finding.sibling) if series]


def _lies_in(place: Place, finding: Finding) -> bool:
    assert finding.first
    assert finding.last
    return finding.first <= place <= finding.last

"""`dinostream audit`: whether a sink holds all that was committed to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from operators.errors import UsageError
from pipeline.cli.moment import moment_us
from pipeline.cli.sink_options import sink_config_option, sink_settings

if TYPE_CHECKING:
    from pipeline.audit.finding import Finding, Report
    from pipeline.sinks.sink import Reader

TOLD_EVERY = 1000  # records between two looks at the clock
EXIT_CODES = "Exit codes: 0 complete, 1 not complete, 2 bad usage."


@click.command(
    "audit", epilog=f"Example: dinostream audit sqlite:results.db --stream gate\n\n{EXIT_CODES}"
)
@click.argument("sink")
@click.option("--stream", metavar="NAME", show_default="every one", help="Only this stream.")
@click.option(
    "--since",
    "since_us",
    type=moment_us,
    metavar="TIME",
    show_default="the beginning",
    help="Only manifests published then or later, and what they tell of.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, one per stream.")
@sink_config_option
def command(
    sink: str, *, stream: str | None, since_us: int | None, as_json: bool, config: Path | None
) -> int:
    """Hold the records of SINK against the manifests beside them.

    Says of each stream that it is complete, or which records are missing, altered, doubled,
    conflicting, out of order or unexpected. A run may go on meanwhile.
    """
    from pipeline.sinks.uri import open_reader

    reader = open_reader(sink, settings=sink_settings(config))
    complete = True
    try:
        for report in _reports(reader, stream, since_us):
            complete &= report.complete
            click.echo(json.dumps(report.plain()) if as_json else "\n".join(_lines(report)))
    finally:
        reader.close()
    return 0 if complete else 1


def _reports(reader: Reader, stream: str | None, since_us: int | None) -> Iterator[Report]:
    from pipeline.audit.reading import audited
    from pipeline.cli.countdown import countdown
    from pipeline.sinks.reading import nobody_wrote

    narrow = stream is not None or since_us is not None
    most = 0 if narrow else sum(held.records for held in reader.holds().values())
    with countdown("reading") as tell:

        def read(records: int) -> None:
            if records % TOLD_EVERY == 0:
                tell(min(records / most, 1.0) if most else None, f"{records} records")

        streams = () if stream is None else (stream,)
        report = None
        for report in audited(reader, streams=streams, since_us=since_us, tell=read):
            yield report
    if report is None:
        nobody = "no stream was ever written there; is the sink's address right?"
        raise UsageError(nobody_wrote(streams, reader) or nobody)


def _lines(report: Report) -> Iterator[str]:
    verdict = "complete" if report.complete else "NOT COMPLETE"
    state = "ended" if report.ended else "has not ended"
    counts = f"records {report.records}, manifests {report.manifests}"
    yield f"{report.stream}: {verdict}; {counts}, {state}"
    for name, row in sorted(report.operators.items()):
        yield f"  {name}: " + ", ".join(f"{frames} {counter}" for counter, frames in row.items())
    for finding in report.findings:
        yield f"  {'' if finding.is_fault else 'no fault: '}{_told(finding, report.stream)}"


def _told(finding: Finding, stream: str) -> str:
    from pipeline.audit.finding import FAULTS, NOTES

    meaning = {**FAULTS, **NOTES}[finding.kind]
    count = f"{finding.records} of {finding.among}" if finding.among else str(finding.records)
    where = f" in {finding.series.topic}" if finding.series else ""
    told = f"{finding.kind}: {count}{where} ({finding.detail or meaning})"
    if finding.ids:
        more = finding.records - len(finding.ids)
        return f"{told}: {', '.join(finding.ids)}" + (f" and {more} more" if more else "")
    if finding.series and finding.first and finding.last:
        first, last = (finding.series.id(stream, at) for at in (finding.first, finding.last))
        return f"{told}: among {first} to {last}"
    return told

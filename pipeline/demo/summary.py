"""What a demonstration says at its end.

The job's report, and what was read back from the sink, in -> lines of text out.
"""

from __future__ import annotations

from pathlib import Path

from operators.weights.backbone_choice import DEMO
from pipeline.demo.findings import Findings, Footage
from pipeline.records.lines import record_line
from pipeline.report import Report

OWN_CLIP = "make demo CLIP=path/to/clip.mp4"


def summary_lines(
    report: Report,
    findings: Findings,
    footage: Footage,
    *,
    weights: str,
    afresh: str,
    drawn: tuple[Path, Path],
) -> list[str]:
    """The text of a job that is done.

    Args:
        report: of this run.
        findings: what the sink holds of the clip.
        footage: where that is, and whose.
        weights: as `--weights` took them.
        afresh: the command that does it again.
        drawn: where picture and film lie.
    """
    return [
        "",
        *_what_was_done(report, findings, afresh),
        *(f"{topic:>22} {count:>6} records" for topic, count in findings.counts.items()),
        f"in {footage.sink}, stream {footage.stream}",
        *_worth(findings, weights),
        "",
        *_one_record(findings, footage),
        f"the picture    {drawn[0]}",
        f"the film       {drawn[1]}",
        f"your own clip  {OWN_CLIP}",
        f"once more      {afresh}",
    ]


def _worth(findings: Findings, weights: str) -> list[str]:
    """What the numbers are worth, where that has to be said."""
    if findings.untrained:
        return ["the weights are random: the records are well-formed and mean nothing"]
    if findings.out_of_domain:
        return [
            "the weights are dinostream's own small ones, which know rendered scenes alone, and "
            "this is footage: its numbers are wrong; it wants --weights auto and heads "
            "(docs/heads.md)"
        ]
    if weights == DEMO:
        return [
            "the weights are dinostream's own small ones, trained on rendered scenes alone; real "
            "footage wants --weights auto and heads (docs/heads.md)"
        ]
    return []


def _what_was_done(report: Report, findings: Findings, afresh: str) -> list[str]:
    if not report.frames:
        return [f"complete: all {len(findings.shots)} frames were done before; afresh: {afresh}"]
    rate = report.frames / report.seconds if report.seconds else 0.0
    said = (
        f"{report.frames} frames in {report.seconds:.1f} s, {rate:.1f} frames/s from start to end"
    )
    lines = [said, *(f"{stream}: {why}" for stream, why in report.failures.items())]
    if report.repeated:
        lines.append(f"{report.repeated} records were there already, with the same payload")
    return lines


def _one_record(findings: Findings, footage: Footage) -> list[str]:
    if findings.example is None:
        return []
    topic = findings.example.message.topic
    command = f"dinostream tail {footage.sink} {topic} --stream {footage.stream} --limit 1"
    return [f"one of them, as `{command}` prints it:", record_line(findings.example), ""]

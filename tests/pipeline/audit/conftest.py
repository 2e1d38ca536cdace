"""A stream's commits, written to any sink as an engine would, and audits of what is there then."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from pipeline.audit.auditor import Auditor
from pipeline.audit.finding import Report
from pipeline.audit.reading import audited
from pipeline.engine.outbox import Outbox
from pipeline.records.message import Publisher
from pipeline.records.record import Message, StoredRecord
from pipeline.records.topics import MANIFEST
from pipeline.sinks.sink import Sink
from pipeline.sinks.uri import open_reader
from pipeline.stream.chunk import MANIFEST_FRAMES, End
from pipeline.stream.progress import Progress

JOB, STREAM, SESSION = "feedfacecafe", "cam1", "a1b2c3d4e5f6"
TOPICS = ("action", "mood")  # two records of every frame


class Footage:
    """One recording of so many frames."""

    def __init__(self, build: Any, frames: int) -> None:
        self._build, self._frames = build, frames

    def write(
        self,
        sink: Sink,
        *,
        upto: int | None = None,
        chunk: int = 16,
        fresh: bool = False,
        mute: int | None = None,
    ) -> Progress:
        """Go on where it stands, up to a frame or to its end; `mute` is a frame with no record."""
        progress = sink.claim({STREAM: JOB}, fresh=fresh)[STREAM]
        publisher = Publisher(STREAM, JOB, self._build.model, clock_us=lambda: 0)
        outbox = Outbox(progress, [], publisher)
        while progress.frames < (self._frames if upto is None else upto):
            first = progress.frames
            room = MANIFEST_FRAMES - first % MANIFEST_FRAMES
            last = min(first + chunk, first + room, self._frames)
            over = last == self._frames
            progress = replace(
                progress,
                session=SESSION,
                position=str((last - 1) * 3000),
                frames=last,
                status="ok" if over else "running",
                ledger={"echo": {"sampled": last, "published": last}},
            )
            messages = [
                self._build.message(number, STREAM, topic=topic, epoch=progress.epoch)
                for number in range(first, last)
                if number != mute
                for topic in TOPICS
            ]
            commit = outbox.send(messages, progress, End(STREAM, "ok") if over else None)
            sink.commit([commit])
            outbox.confirm()
            progress = commit.progress
        return progress


@pytest.fixture
def footage(build) -> Footage:
    """Two manifests' frames and some more."""
    return Footage(build, 2 * MANIFEST_FRAMES + 40)


def audit(uri: str, **more: Any) -> Report:
    """Of the one stream in a sink."""
    reader = open_reader(uri)
    try:
        (report,) = audited(reader, **more)
        return report
    finally:
        reader.close()


def audit_messages(messages: Iterable[Message], **more: Any) -> Report:
    """Of messages as they lie, without their progress."""
    auditor = Auditor(**more)
    records = [StoredRecord(one, number, number) for number, one in enumerate(messages, start=1)]
    for record in records:
        if record.message.topic == MANIFEST:
            auditor.tell(record)
    auditor.begin()
    for record in records:
        if record.message.topic != MANIFEST:
            auditor.see(record)
    (report,) = auditor.reports(lambda topic, stream: None)
    return report


def kinds(report: Report) -> dict[tuple[str, str], int]:
    """(kind, topic) -> records."""
    return {
        (one.kind, one.series.topic if one.series else ""): one.records for one in report.findings
    }


class Audits:
    of = staticmethod(audit)
    of_messages = staticmethod(audit_messages)
    kinds = staticmethod(kinds)


@pytest.fixture(scope="session")
def audits() -> type[Audits]:
    return Audits

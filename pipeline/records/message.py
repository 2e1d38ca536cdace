"""Results and incidents -> CloudEvents messages in binary mode.

Everything in a message but `ingesttime` and `epoch` is a function of the frame and the variant, so
a repeated run builds the same bytes. Must not know sinks, processes or where a frame came from.
"""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from operators.format import JSON, ours
from operators.frames import FrameInfo
from operators.moment import rfc3339
from operators.operator import Operator
from operators.result import Result, canonical_json, record_id
from pipeline.records.frame import FRAME, frame_attributes
from pipeline.records.headers import RecordHeaders, headers_of
from pipeline.records.mark import Mark
from pipeline.records.outage import Outage, told
from pipeline.records.record import Message, Refused
from pipeline.records.topics import CLAIMS, MANIFEST, PROGRESS, SHOTS, UNCHANGED
from pipeline.secrets import mask
from pipeline.stream.chunk import End, Fault, Gap, Shot
from pipeline.stream.progress import Progress
from pipeline.trace import DETAIL_CHARS, detail, trace


def wall_clock_us() -> int:
    """Microseconds since the epoch, now."""
    return time.time_ns() // 1000


class Publisher:
    """Builds the messages of one stream."""

    def __init__(
        self,
        stream: str,
        job: str,
        model: str,
        *,
        live: bool = False,
        clock_us: Callable[[], int] = wall_clock_us,
    ) -> None:
        """
        Args:
            stream: stream id.
            job: the stream's job, 12 hex; the variant of records that no operator made.
            model: architecture and 12 hex of the weights' sha256, `dinov2_vits14-b938bf1bc15c`.
            live: it is a camera, of which no assignment sees again what another one saw.
            clock_us: when an incident was noticed, microseconds since the epoch.
        """
        self._stream = stream
        self._job = job
        self._model = model
        self._live = live
        self._clock_us = clock_us
        self._headers = defaultdict[str, RecordHeaders](partial(RecordHeaders, model))  # by topic

    def record(self, result: Result, variant: str, operator: Operator) -> Message:
        """The record of one result.

        Raises:
            ValueError: an attribute of the result has a name or value that CloudEvents forbids, or
                it is not of the content type that the operator declares.
        """
        headers = self._headers[result.operator].of(result, variant, operator)
        return Message(result.operator, self._stream, headers, result.data)

    def started(self, first: FrameInfo) -> Message:
        """A session of the stream began with this frame."""
        height, width = first.source_hw
        what = {"clock": first.clock, "source_width": width, "source_height": height}
        where = (first.session, first.position)
        return self._event("started", where, what, frame_attributes(first))

    def announce(
        self, entry: Gap | Fault | End, progress: Progress, counts: Mapping[str, Mapping[str, int]]
    ) -> list[Message]:
        """What consumers are told of a break, a fault or the end of the stream.

        Args:
            entry: what happened.
            progress: where the stream stands.
            counts: operator -> counter -> frames, said at the end.
        """
        kind, what = _told(entry, counts)
        where = (progress.session, progress.position)
        seen_by = str(progress.epoch) if self._live else ""
        return [self._event(kind, where, what, self._noticed(progress), seen_by)]

    def outage(self, outage: Outage, progress: Progress) -> Message:
        """The sink took nothing for a while, and the stream could not wait; or it takes nothing
        since then, and the stream goes on."""
        where = (progress.session, progress.position)
        kind = "outage" if outage.over else "away"
        return self._event(kind, where, told(outage), self._noticed(progress))

    def dead_letter(self, info: FrameInfo, operator: str, error: Exception, **more: Any) -> Message:
        """An operator failed on a frame; the error as it was caught, and what else to say."""
        letter = {
            "operator": operator,
            "error": type(error).__name__,
            "detail": detail(error),
            "traceback": trace(error),
            "stream": info.stream,
            "session": info.session,
            "position": info.position,
            **more,
        }
        attributes = frame_attributes(info) | {"variant": self._job, "model": self._model}
        return self._incident("deadletter", f"{info.position}.{operator}", letter, attributes)

    def too_large(self, message: Message, operator: str, refused: Refused) -> Message:
        """A record that the sink cannot take; its value is left out."""
        limit = f"takes {refused.limit_bytes} with headers, compressed (max.message.bytes)"
        letter = {
            "operator": operator,
            "error": "RecordTooLarge",
            "detail": f"a value of {refused.size_bytes} bytes; topic {refused.topic} {limit}",
            "traceback": "",
            "stream": self._stream,
            "session": message.headers["ce_session"],
            "position": message.position,
        }
        names = [f"ce_{name}" for name in FRAME]
        attributes = {n[3:]: message.headers[n] for n in names if n in message.headers}
        attributes |= {"variant": self._job, "model": self._model}
        where = f"{letter['position']}.{operator}"
        return self._incident("deadletter", where, letter, attributes)

    def unchanged(self, last: FrameInfo, said: Mapping[str, Any], variant: str) -> Message:
        """Frames up to this one were not computed, because they show what one before them does."""
        return self._of_span(UNCHANGED, last, said, {"variant": variant, "model": self._model})

    def shot(self, shot: Shot, variant: str) -> Message:
        """A shot is over. No model has to do with it, and nothing that lies behind it: what comes
        there may be another thing in another run, so how it ended is not said."""
        said = {
            "start": shot.start,
            "end": shot.last.place,
            "frames": shot.frames,
            "began": shot.began,
        }
        return self._of_span(SHOTS, shot.last, said, {"variant": variant})

    def _of_span(
        self, topic: str, last: FrameInfo, said: Mapping[str, Any], more: dict[str, str]
    ) -> Message:
        """Of frames of which one is the last."""
        value = canonical_json(said)
        identity = record_id(Result(last, topic, JSON, value), more["variant"])
        headers = headers_of(topic, identity, ours(topic), frame_attributes(last) | more)
        return Message(topic, self._stream, headers, value)

    def manifest(self, said: Mapping[str, Any], progress: Progress) -> Message:
        """What was committed since the manifest before (`pipeline.records.manifest`)."""
        where = f"{progress.position or '-'}.{said['number']}"
        own = self._noticed(progress) | {"variant": self._job}
        return self._incident(MANIFEST, where, said, own)

    def _noticed(self, progress: Progress) -> dict[str, str]:
        attributes = {
            "streamid": self._stream,
            "ingesttime": rfc3339(self._clock_us()),
            "epoch": str(progress.epoch),
        }
        return attributes | ({"session": progress.session} if progress.session else {})

    def _event(
        self,
        kind: str,
        where: tuple[str, str],
        what: Mapping[str, Any],
        attributes: Mapping[str, str],
        seen_by: str = "",
    ) -> Message:
        session, position = where
        event = {"kind": kind, "stream": self._stream, "session": session, "position": position}
        own = {**attributes, "variant": self._job}
        place = f"{position or '-'}.{kind}"
        return self._incident("events", place, {**event, **what}, own, seen_by)

    def _incident(
        self,
        topic: str,
        where: str,
        said: Mapping[str, Any],
        attributes: Mapping[str, str],
        seen_by: str = "",
    ) -> Message:
        """The digest in the id keeps apart what happened twice at one position, or differently in
        two runs, without a counter that a resume would have to know; and what looks the same and
        was `seen_by` two assignments of a camera."""
        value = canonical_json(said)
        session = said["session"] or "-"
        digest = hashlib.sha256(value + seen_by.encode()).hexdigest()[:6]
        identity = f"{topic}/{self._stream}/{session}/{where}.{digest}/{self._job}"
        headers = headers_of(topic, identity, ours(topic), attributes)
        return Message(topic, self._stream, headers, value)


def _told(
    entry: Gap | Fault | End, counts: Mapping[str, Mapping[str, int]]
) -> tuple[str, dict[str, Any]]:
    """Kind of event and what it says; nothing that differs from run to run."""
    if isinstance(entry, Gap):
        said = {"dropped": entry.dropped, "cause": entry.cause}
        return entry.reason, {name: value for name, value in said.items() if value}
    why = {"detail": mask(entry.detail)[:DETAIL_CHARS]} if entry.detail else {}
    if isinstance(entry, Fault):
        return entry.kind, why | {"lost": entry.lost}
    return "ended", why | {"outcome": entry.outcome, "lost": entry.lost, "operators": counts}


def labels_message(name: str, labels: Sequence[Mapping[str, Any]]) -> Message:
    """A label set, for whoever reads class ids: the newest record of key `name`.

    Args:
        name: label set, as records' `labelset` attribute names it.
        labels: [{id, name, rgb}].
    """
    value = canonical_json([dict(label) for label in labels])
    identity = f"labels/{name}/{hashlib.sha256(value).hexdigest()[:12]}"
    said, source = {"labelset": name}, f"/labelsets/{name}"
    headers = headers_of("labels", identity, ours("labels"), said, source=source)
    return Message("labels", name, headers, value)


def progress_message(progress: Progress) -> Message:
    """Progress as a record of its own; key `job/stream`, so that compaction keeps the newest."""
    key = f"{progress.job}/{progress.stream}"
    identity = f"{PROGRESS}/{key}/{progress.epoch}.{progress.sequence}"
    attributes = {"streamid": progress.stream, "epoch": str(progress.epoch)}
    headers = headers_of(PROGRESS, identity, ours(PROGRESS), attributes)
    return Message(PROGRESS, key, headers, progress.to_json())


def progress_tombstone(progress: Progress) -> Message:
    """For a stream that has ended: its running progress may go at the next compaction."""
    return replace(progress_message(progress), value=b"")


def claim_message(mark: Mark) -> Message:
    """Who holds a stream and where it stood; key as of its progress."""
    progress = mark.progress
    key = f"{progress.job}/{progress.stream}"
    identity = f"{CLAIMS}/{key}/{progress.epoch}.{progress.sequence}/{mark.writer or '-'}"
    attributes = {"streamid": progress.stream, "epoch": str(progress.epoch)}
    headers = headers_of(CLAIMS, identity, ours(CLAIMS), attributes)
    return Message(CLAIMS, key, headers, mark.to_json())

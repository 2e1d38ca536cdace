"""What was computed again, held against what a sink has: equal, different, missing, and why.

Records of two readers in -> a verdict. Events, manifests and dead letters are of a run, and are not
compared: they say what the run left out.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from operators.format import operator_of
from operators.moment import microseconds
from pipeline.audit.window import is_cut_short
from pipeline.records.filter import Filter
from pipeline.records.record import Message
from pipeline.records.series import Place, digest
from pipeline.records.topics import DEADLETTER, EVENTS, MANIFEST, data_topics
from pipeline.sinks.sink import Reader
from pipeline.stream.spec import Breaks

NAMED = 20  # ids that are told of each kind
DIED = ("crashed", "stalled")  # decoders, and frames with them
GIVEN_UP = ("overload", "suspended")  # some of a stretch
SPILT = "spill"
UNKNOWN = "unknown"
REASONS = {
    "deadletter": "an operator failed on the frame there",
    "overload": "the engine was too slow there, and gave an operator or every other frame up",
    "suspended": "an operator kept failing there, and was left out for a while",
    "spill": "computed there, and lost while the sink was away: there was no room on the disk",
    "expired": "removed there by its retention",
    "configuration": "no record of this variant on the other side: another model, head or setting, "
    "or an operator that remembers, and a tape without its beginning",
    "end": "not committed there: the run, or the decoder, was killed before it",
    "tape": "not on the tape: before what is left of it, or behind its end",
    UNKNOWN: "nothing says why",
}


@dataclass(slots=True)
class Difference:
    """Records of one topic that are not on both sides alike.

    Attributes:
        kind: `different` (two payloads under one id), `missing there` or `missing here`.
        topic: theirs.
        reason: of those that are missing, one of `REASONS`; "" of different ones.
        ids: of the first ones.
    """

    kind: str
    topic: str
    reason: str
    records: int = 0
    ids: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Verdict:
    """On one stream.

    Attributes:
        equal: topic -> records that are the same on both sides.
        left_out: frames that the run had not computed, nor are they now.
    """

    stream: str
    equal: Counter[str] = field(default_factory=Counter)
    left_out: int = 0
    differences: dict[tuple[str, str, str], Difference] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        """Nothing is different, and whatever is missing has a reason; something is equal."""
        faults = [one for one in self.differences.values() if one.reason in ("", UNKNOWN)]
        return bool(self.equal) and not faults

    def meet(self, kind: str, message: Message, reason: str = "") -> None:
        """One more record that is not on both sides alike."""
        key = (kind, message.topic, reason)
        one = self.differences.setdefault(key, Difference(*key))
        one.records += 1
        if len(one.ids) < NAMED:
            one.ids.append(message.id)

    def plain(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "stream": self.stream,
            "good": self.good,
            "equal": dict(self.equal),
            "left_out": self.left_out,
            "differences": [
                {"kind": one.kind, "topic": one.topic, "reason": one.reason}
                | {"records": one.records, "ids": one.ids}
                for one in self.differences.values()
            ],
        }


def breaks_of(there: Reader, stream: str) -> Breaks:
    """Which sampled frames a live run did not compute, as its events tell: those that were dropped,
    and those that died with a decoder. Where only some of a stretch were given up (`overload`,
    `suspended`), nobody knows which; what was lost behind the operators (`spill`) was computed.

    Returns:
        Before a stream's first frame no session is known: there the time at which the break was
        noticed stands for it, and "" for the position.
    """
    found = []
    for message in _of(there, EVENTS, stream):
        event = _said(message)
        died = event["kind"] in DIED and event.get("lost", 0)
        gone = event["kind"] == "dropped" and event.get("cause") not in (*GIVEN_UP, SPILT)
        frames = died or (gone and event.get("dropped", 0))
        if frames:
            session = event["session"] or str(_noticed_us(message))
            found.append((session, event["position"], int(frames)))
    return tuple(found)


def compared(
    computed: Reader, there: Reader, stream: str, breaks: Breaks, *, whole_tape: bool
) -> Verdict:
    """Hold one stream's records against each other.

    Memory: some 0.3 KB for each record that was computed.

    Args:
        computed: reader of what was computed again.
        there: of the sink.
        stream: its id.
        breaks: what was left out.
        whole_tape: a tape was played to its end: what lies outside of it is not on it.

    Raises:
        SinkError: one of them cannot be read.
    """
    verdict = Verdict(stream, left_out=sum(frames for _, _, frames in breaks))
    outside = "tape" if whole_tape else UNKNOWN
    mine: dict[str, int] = {}
    here, hers, told = _Side(), _Side(), _Told(there, stream)
    for message in _records(computed, stream):
        here.add(message)
        mine[message.id] = digest(message)
    for message in _records(there, stream):
        if message.headers.get("ce_session", "") not in here.spans:
            continue
        hers.add(message)
        found = mine.pop(message.id, None)
        if found is None:
            reason = told.given_up(message) or here.why(message, outside)
            verdict.meet("missing here", message, reason)
        elif found == digest(message):
            verdict.equal[message.topic] += 1
        else:
            verdict.meet("different", message)
    for message in _records(computed, stream):
        if message.id in mine:
            why = told.of(message, hers.first(message)) or hers.why(message, UNKNOWN)
            verdict.meet("missing there", message, why)
    return verdict


class _Side:
    """Which variants and which stretches of sessions one side has."""

    def __init__(self) -> None:
        self.spans: dict[str, tuple[str, str]] = {}  # session -> first and last time
        self._variants: set[tuple[str, str]] = set()
        self._firsts: dict[tuple[str, ...], Place] = {}

    def add(self, message: Message) -> None:
        session, time = message.headers["ce_session"], message.headers["ce_time"]
        first, last = self.spans.get(session, (time, time))
        self.spans[session] = (min(first, time), max(last, time))
        self._variants.add((message.topic, message.headers["ce_variant"]))
        place = _place(message)
        self._firsts[_series(message)] = min(self._firsts.get(_series(message), place), place)

    def first(self, message: Message) -> Place | None:
        """Of the records of its topic, variant and session; None: there are none."""
        return self._firsts.get(_series(message))

    def why(self, message: Message, outside: str) -> str:
        """Why it does not have a record, as far as that can be seen."""
        if (message.topic, message.headers["ce_variant"]) not in self._variants:
            return "configuration"
        first, last = self.spans.get(message.headers["ce_session"], ("", ""))
        return UNKNOWN if first <= message.headers["ce_time"] <= last else outside


class _Told:
    """What the sink itself says of records that it does not have."""

    def __init__(self, there: Reader, stream: str) -> None:
        self._there, self._stream = there, stream
        self._given_up: dict[str, str] = {}  # session -> why some of its frames were
        self._spilt: set[str] = set()  # sessions of which records were lost before the sink
        self._died: set[str] = set()  # sessions that ended with their decoder
        for event in _events(there, stream):
            cause = event.get("cause", event["kind"])
            if cause in GIVEN_UP:
                self._given_up[event["session"]] = cause
            elif cause == SPILT:
                self._spilt.add(event["session"])
            elif cause in DIED:
                self._died.add(event["session"])
        letters = [_said(one) for one in _of(there, DEADLETTER, stream)]
        self._buried = {(one["operator"], one["session"], one["position"]) for one in letters}
        self._oldest: dict[str, int | None] = {}
        stands = [one for one in there.progress() if one.stream == stream and one.position]
        self._stands = {one.session: Place.of(f"{one.session}/{one.position}") for one in stands}
        self._newest: dict[str, str] = {}  # session that ended with its decoder -> last time there

    def of(self, message: Message, first: Place | None) -> str:
        """Why there is no such record; "" where nothing tells. `first`: of those of its kind."""
        place = (operator_of(message.topic), message.headers["ce_session"], message.position)
        if place in self._buried:
            return "deadletter"
        if (first is None or _place(message) < first) and self._is_expired(message):
            return "expired"
        spilt = SPILT if message.headers["ce_session"] in self._spilt else ""
        return self.given_up(message) or spilt or ("end" if self._is_behind(message) else "")

    def given_up(self, message: Message) -> str:
        """Why some frames of its session were not computed by all."""
        return self._given_up.get(message.headers["ce_session"], "")

    def _is_behind(self, message: Message) -> bool:
        """Behind what was committed of its session, or all that was before its decoder died."""
        session = message.headers["ce_session"]
        if stands := self._stands.get(session):
            # A killed run has not closed its last window; the end of what is played does.
            open_there = is_cut_short(message) and not _place(message).is_behind(stands)
            return open_there or stands.is_behind(_place(message))
        return session in self._died and message.headers["ce_time"] > self._last_time(session)

    def _last_time(self, session: str) -> str:
        if session not in self._newest:
            times = [
                one.headers["ce_time"]
                for one in _records(self._there, self._stream)
                if one.headers.get("ce_session") == session
            ]
            self._newest[session] = max(times, default="")
        return self._newest[session]

    def _is_expired(self, message: Message) -> bool:
        """It may be gone with its age: no record is published before it happened. Footage happened
        long before, so that alone says nothing of records in the midst of others."""
        topic = message.topic
        if topic not in self._oldest:
            self._oldest[topic] = self._there.oldest_us(topic, self._stream)
        oldest_us = self._oldest[topic]
        happened_us = microseconds(datetime.fromisoformat(message.headers["ce_time"]))
        return oldest_us is not None and happened_us is not None and happened_us < oldest_us


def _place(message: Message) -> Place:
    return Place.of(f"{message.headers['ce_session']}/{message.position}")


def _series(message: Message) -> tuple[str, ...]:
    return (message.topic, message.headers["ce_variant"], message.headers["ce_session"])


def _noticed_us(message: Message) -> int:
    return microseconds(datetime.fromisoformat(message.headers["ce_ingesttime"])) or 0


def _records(reader: Reader, stream: str) -> Iterator[Message]:
    """Of operators."""
    topics = [one for one in data_topics(reader.topics()) if one not in _OF_THE_RUN]
    if topics:
        for record in reader.records(topics, where=Filter((stream,))):
            yield record.message


_OF_THE_RUN = (EVENTS, DEADLETTER, MANIFEST, "labels")


def _events(reader: Reader, stream: str) -> Iterator[Mapping[str, Any]]:
    return (_said(message) for message in _of(reader, EVENTS, stream))


def _of(reader: Reader, topic: str, stream: str) -> Iterator[Message]:
    if topic in reader.topics():
        for record in reader.records([topic], where=Filter((stream,))):
            yield record.message


def _said(message: Message) -> Mapping[str, Any]:
    said: Mapping[str, Any] = json.loads(message.value)
    return said

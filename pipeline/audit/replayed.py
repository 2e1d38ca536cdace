"""What was computed again, held against what a sink has: equal, different, missing, and why.

Records of two readers in -> a verdict. Events, manifests and dead letters are of a run, and are not
compared: they say what the run left out.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from operators.moment import microseconds
from pipeline.audit.told import (
    DIED,
    GIVEN_UP,
    SPILT,
    Told,
    messages_of,
    operator_records,
    place_of,
    said_of,
)
from pipeline.records.record import Message
from pipeline.records.series import Place, digest
from pipeline.records.topics import EVENTS, SHOTS
from pipeline.sinks.sink import Reader
from pipeline.stream.spec import Breaks

NAMED = 20  # ids that are told of each kind
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
    "stopped": "a shot in which the run was stopped; the tape has some frames more of it",
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
    for message in messages_of(there, EVENTS, stream):
        event = said_of(message)
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
    here, hers, told = _Side(), _Side(), Told(there, stream)
    for message in operator_records(computed, stream):
        here.add(message)
        mine[message.id] = digest(message)
    for message in operator_records(there, stream):
        if message.headers.get("ce_session", "") not in here.spans:
            continue
        hers.add(message)
        found = mine.pop(message.id, None)
        if found is None:
            stopped = whole_tape and told.is_last_shot(message) and here.goes_on(message)
            reason = "stopped" if stopped else here.why(message, outside)
            verdict.meet("missing here", message, told.given_up(message) or reason)
        elif found == digest(message):
            verdict.equal[message.topic] += 1
        else:
            verdict.meet("different", message)
    for message in operator_records(computed, stream):
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
        self._shots: dict[tuple[str, ...], Place] = {}  # series and first frame -> last frame

    def add(self, message: Message) -> None:
        session, time = message.headers["ce_session"], message.headers["ce_time"]
        first, last = self.spans.get(session, (time, time))
        self.spans[session] = (min(first, time), max(last, time))
        self._variants.add((message.topic, message.headers["ce_variant"]))
        place = place_of(message)
        self._firsts[_series(message)] = min(self._firsts.get(_series(message), place), place)
        if message.topic == SHOTS:
            self._shots[_shot(message)] = place

    def first(self, message: Message) -> Place | None:
        """Of the records of its topic, variant and session; None: there are none."""
        return self._firsts.get(_series(message))

    def goes_on(self, message: Message) -> bool:
        """The shot that a record tells of is longer here."""
        last = self._shots.get(_shot(message))
        return last is not None and place_of(message) < last

    def why(self, message: Message, outside: str) -> str:
        """Why it does not have a record, as far as that can be seen."""
        if (message.topic, message.headers["ce_variant"]) not in self._variants:
            return "configuration"
        first, last = self.spans.get(message.headers["ce_session"], ("", ""))
        return UNKNOWN if first <= message.headers["ce_time"] <= last else outside


def _series(message: Message) -> tuple[str, ...]:
    return (message.topic, message.headers["ce_variant"], message.headers["ce_session"])


def _shot(message: Message) -> tuple[str, ...]:
    return (*_series(message), said_of(message)["start"]["position"])


def _noticed_us(message: Message) -> int:
    return microseconds(datetime.fromisoformat(message.headers["ce_ingesttime"])) or 0

"""What a sink itself says of records that it does not have."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from operators.format import operator_of
from operators.moment import microseconds
from pipeline.audit.window import is_cut_short
from pipeline.records.filter import Filter
from pipeline.records.record import Message
from pipeline.records.series import Place
from pipeline.records.topics import DEADLETTER, EVENTS, MANIFEST, SHOTS, data_topics
from pipeline.sinks.sink import Reader

DIED = ("crashed", "stalled")  # decoders, and frames with them
GIVEN_UP = ("overload", "suspended")  # some of a stretch
SPILT = "spill"
_OF_THE_RUN = (EVENTS, DEADLETTER, MANIFEST, "labels")


class Told:
    """Of one stream."""

    def __init__(self, there: Reader, stream: str) -> None:
        self._there, self._stream = there, stream
        self._given_up: dict[str, str] = {}  # session -> why some of its frames were
        self._spilt: set[str] = set()  # sessions of which records were lost before the sink
        self._died: set[str] = set()  # sessions that ended with their decoder
        for event in (said_of(one) for one in messages_of(there, EVENTS, stream)):
            cause = event.get("cause", event["kind"])
            if cause in GIVEN_UP:
                self._given_up[event["session"]] = cause
            elif cause == SPILT:
                self._spilt.add(event["session"])
            elif cause in DIED:
                self._died.add(event["session"])
        letters = [said_of(one) for one in messages_of(there, DEADLETTER, stream)]
        self._buried = {(one["operator"], one["session"], one["position"]) for one in letters}
        self._oldest: dict[str, int | None] = {}
        stands = [one for one in there.progress() if one.stream == stream and one.position]
        self._stands = {one.session: Place.of(f"{one.session}/{one.position}") for one in stands}
        self._newest: dict[str, str] = {}  # session that ended with its decoder -> last time there
        self._last_shots: dict[str, Place | None] = {}  # session -> where the last one told ends

    def of(self, message: Message, first: Place | None) -> str:
        """Why there is no such record; "" where nothing tells. `first`: of those of its kind."""
        place = (operator_of(message.topic), message.headers["ce_session"], message.position)
        if place in self._buried:
            return "deadletter"
        if (first is None or place_of(message) < first) and self._is_expired(message):
            return "expired"
        spilt = SPILT if message.headers["ce_session"] in self._spilt else ""
        return self.given_up(message) or spilt or ("end" if self._is_behind(message) else "")

    def given_up(self, message: Message) -> str:
        """Why some frames of its session were not computed by all."""
        return self._given_up.get(message.headers["ce_session"], "")

    def is_last_shot(self, message: Message) -> bool:
        """It tells of the last shot of its session that was told: a camera's that was stopped in
        it, and whose tape has some frames more."""
        if message.topic != SHOTS:
            return False
        return place_of(message) == self._last_shot(message.headers["ce_session"])

    def _is_behind(self, message: Message) -> bool:
        """Behind what was committed of its session, or all that was before its decoder died."""
        session = message.headers["ce_session"]
        if stands := self._stands.get(session):
            place = place_of(message)
            return stands.is_behind(place) or self._was_open(message, place, stands)
        return session in self._died and message.headers["ce_time"] > self._last_time(session)

    def _was_open(self, message: Message, place: Place, stands: Place) -> bool:
        """A killed run has not closed its last window, nor told its last shots, and a camera that
        is stopped tells its last one without the frames that its decoder held; the end of what is
        played does both."""
        if message.topic == SHOTS:  # which come in order, some frames behind their ends
            last = self._last_shot(message.headers["ce_session"])
            return last is None or last.is_behind(place)
        return is_cut_short(message) and not place.is_behind(stands)

    def _last_shot(self, session: str) -> Place | None:
        if session not in self._last_shots:
            ends = (
                place_of(one)
                for one in operator_records(self._there, self._stream)
                if one.topic == SHOTS and one.headers.get("ce_session") == session
            )
            self._last_shots[session] = max(ends, default=None)
        return self._last_shots[session]

    def _last_time(self, session: str) -> str:
        if session not in self._newest:
            times = [
                one.headers["ce_time"]
                for one in operator_records(self._there, self._stream)
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


def place_of(message: Message) -> Place:
    """Where in its stream a record is."""
    return Place.of(f"{message.headers['ce_session']}/{message.position}")


def operator_records(reader: Reader, stream: str) -> Iterator[Message]:
    """Of operators."""
    topics = [one for one in data_topics(reader.topics()) if one not in _OF_THE_RUN]
    if topics:
        for record in reader.records(topics, where=Filter((stream,))):
            yield record.message


def messages_of(reader: Reader, topic: str, stream: str) -> Iterator[Message]:
    """Of one topic."""
    if topic in reader.topics():
        for record in reader.records([topic], where=Filter((stream,))):
            yield record.message


def said_of(message: Message) -> Mapping[str, Any]:
    """The value of a record of JSON."""
    said: Mapping[str, Any] = json.loads(message.value)
    return said

"""The pictures of a wall, as its socket sends them: a head of JSON, and a JPEG or a record's PNG.

A record that came -> the message. Decoding footage takes its time, so until it is there a map
stands for it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from pipeline.client.fault import FAULTS
from pipeline.records.payloads import time_us
from pipeline.records.record import Message
from pipeline.view.follower import Follower
from pipeline.view.layers import KINDS, Layers, described
from pipeline.view.series import Axis, Shelf, session_of
from pipeline.view.slots import PICTURES, Due

SIDE = 180  # pixels, the short side of a decoded picture

Json = dict[str, Any]


class Still(Protocol):
    """Pictures of footage."""

    def __call__(
        self, stream: str, session: str, position: str, time_us: int, side: int, region: str, /
    ) -> bytes | None:
        """A JPEG of that very frame; None where there is none."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a wall takes things from.

    Attributes:
        states: every stream's.
        sink: what is told of the sink.
        still: a frame's picture, out of footage.
    """

    shelf: Shelf
    layers: Layers
    follower: Follower
    states: Callable[[], list[Json]]
    sink: Callable[[], Json]
    still: Still


class Tiles:
    """For one browser."""

    def __init__(self, sources: Sources) -> None:
        self._from = sources
        self._decoded: set[str] = set()  # streams whose footage was shown

    def quick(self, due: Due) -> bytes | None:
        """What lies there: a picture that the job published, or a map; None where the record is
        gone or somebody else's, and where footage stood in its place before."""
        if due.stream in self._decoded and due.topic != "frames":
            return None
        message = self._message(due)
        with suppress(*FAULTS):
            return None if message is None else self._published(due, message)
        return None

    def decoded(self, due: Due) -> bytes | None:
        """The same frame out of footage; None where there is none."""
        message = self._message(due)
        if message is None or due.topic == "frames":
            self._decoded.discard(due.stream)
            return None
        with suppress(*FAULTS):
            head = _head(due, message)
            where = (due.stream, head["session"], head["position"], head["time_us"])
            still = self._from.still(*where, SIDE, message.headers.get("ce_region", ""))
            if still is not None:
                self._decoded.add(due.stream)
                return framed(head | {"topic": "footage", "kind": "photo"}, still)
        self._decoded.discard(due.stream)
        return None

    def _message(self, due: Due) -> Message | None:
        records = self._from.shelf.index.records([due.offset])
        return records[0].message if records else None

    def _published(self, due: Due, message: Message) -> bytes:
        head = _head(due, message)
        if due.topic == "frames":
            return framed(head | {"kind": "photo"}, message.value)
        axis = Axis.of(due.stream, head["session"])
        low, high = self._from.layers.scale(axis, due.topic) or (None, None)
        scaled = described(due.topic, message.headers) | {"low": low, "high": high}
        return framed(head | scaled, message.value)


def _head(due: Due, message: Message) -> Json:
    return {
        "stream": due.stream,
        "session": session_of(message.headers),
        "position": message.position,
        "time_us": time_us(message.headers["ce_time"]),
        "topic": due.topic,
    }


def framed(head: Json, body: bytes) -> bytes:
    """Two bytes that say how long the head is, the head, the picture."""
    text = json.dumps(head, allow_nan=False, separators=(",", ":")).encode()
    return len(text).to_bytes(2) + text + body


assert {*KINDS, "frames"} == set(PICTURES)

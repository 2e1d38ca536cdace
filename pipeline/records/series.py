"""How much there is of a series: what a manifest says of it, and what an audit counts. Pure.

A series is the records of one stream in one topic and of one variant; of a recording, of one
session. Counts add up, whatever the order of the records.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from pipeline.records.record import Message
from pipeline.stream.session import is_connection

OF_THE_RUN = ("ce_ingesttime", "ce_epoch", "ce_traceparent")
"""Headers that may differ between two records of one id."""

_DIGEST_BYTES = 16
_MODULUS = 1 << 8 * _DIGEST_BYTES
_POSITION = re.compile(r"(-?[0-9]+)?(?:\+([0-9]+))?")
_BEFORE_ALL = -(1 << 64)


class Place(NamedTuple):
    """Where in its series a record belongs; places compare as the stream went on.

    Attributes:
        connection: the session's number where it is one of a live stream; 0 of a recording.
        position: the frame's; before all others where there was none yet.
        later: n of a position `P+n`.
        text: `session/position`, as the record's id has them.
    """

    connection: int
    position: int
    later: int
    text: str

    @classmethod
    @lru_cache(maxsize=512)  # records of a frame come operator by operator
    def of(cls, text: str) -> Place:
        """Of an id's third and fourth part."""
        session, _, position = text.partition("/")
        connection = int(session) if is_connection(session) else 0 if session != "-" else -1
        found = _POSITION.match(position)
        pts, later = found.groups() if found else (None, None)
        return cls(connection, int(pts) if pts else _BEFORE_ALL, int(later or 0), text)

    def is_behind(self, other: Place) -> bool:
        """Whether the stream was here before it was there."""
        return self[:-1] < other[:-1]

    @property
    def recording(self) -> str:
        """The session where it is one of a recording, "" elsewhere."""
        return "" if self.connection else self.text.partition("/")[0]


class Series(NamedTuple):
    """One series of a stream.

    Attributes:
        topic: without the prefix.
        variant: the last part of its records' ids.
        recording: session of a recording; "" of a live stream, whose sessions follow each other.
    """

    topic: str
    variant: str
    recording: str

    def id(self, stream: str, place: Place) -> str:
        """Of its record there."""
        return f"{self.topic}/{stream}/{place.text}/{self.variant}"


@dataclass(frozen=True, slots=True)
class Count:
    """Some records of one series.

    Attributes:
        records: how many.
        first, last: the lowest and the highest of their places.
        digest: sum of their digests, modulo 2^128.
    """

    records: int
    first: Place
    last: Place
    digest: int

    @classmethod
    def of(cls, records: Sequence[tuple[Place, int]]) -> Count:
        """Of records by their places and digests, one or more, in any order."""
        places, digests = zip(*records, strict=True)
        return cls(len(records), min(places), max(places), sum(digests) % _MODULUS)

    def __add__(self, other: Count) -> Count:
        return Count(
            self.records + other.records,
            min(self.first, other.first),
            max(self.last, other.last),
            (self.digest + other.digest) % _MODULUS,
        )

    def to_json(self) -> dict[str, Any]:
        """JSON values; the digest in hex."""
        places = {"first": self.first.text, "last": self.last.text}
        digest = f"{self.digest:0{2 * _DIGEST_BYTES}x}"
        return {"records": self.records, **places, "digest": digest}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Count:
        """What `to_json` gave."""
        places = (Place.of(said["first"]), Place.of(said["last"]))
        return cls(said["records"], *places, int(said["digest"], 16))


def placed(message: Message) -> tuple[Series, Place]:
    """A record's series, and where in it the record belongs.

    Raises:
        ValueError: its id is none of dinostream's.
    """
    topic, _, session, position, variant = message.id.split("/")
    place = Place.of(f"{session}/{position}")
    return Series(topic, variant, place.recording), place


def counted(message: Message) -> tuple[Series, Count]:
    """A record's series, and the count of it alone.

    Raises:
        ValueError: its id is none of dinostream's.
    """
    series, place = placed(message)
    return series, Count.of([(place, digest(message))])


def digest(message: Message) -> int:
    """Of all that two records of one id have in common: the first 16 bytes of the SHA-256 of a line
    `name:value` for each header but `OF_THE_RUN`, by name, an empty line, and the value."""
    values, lines = _told(tuple(message.headers))
    hashed = hashlib.sha256((lines % values(message.headers)).encode())
    hashed.update(message.value)
    return int.from_bytes(hashed.digest()[:_DIGEST_BYTES])


@lru_cache(maxsize=256)  # all records of a topic have the same names
def _told(names: tuple[str, ...]) -> tuple[Callable[[Mapping[str, str]], object], str]:
    """What takes the values that a digest is of out of headers of these names, and its lines."""
    told = sorted(name for name in names if name not in OF_THE_RUN)
    lines = [f"{name.replace('%', '%%')}:%s\n" for name in told]
    return itemgetter(*told), "".join([*lines, "\n"])

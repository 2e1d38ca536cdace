"""What is written: records of some streams, as operators' results become them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from types import MappingProxyType

from operators.format import BUILT_IN
from operators.frames import FrameInfo
from operators.operator import Operator
from operators.result import Result, canonical_json
from pipeline.records.commit import Commit
from pipeline.records.message import Publisher
from pipeline.records.record import Message
from pipeline.stream.progress import Progress

VARIANT = "0123456789ab"
CHUNK = 16  # frames of a commit, each with one record
STREAMS = 10


class Writer(Operator):
    """An operator only for its name and topics."""

    name = "writer"
    topics = MappingProxyType({**BUILT_IN["segmentation"], **BUILT_IN["embedding"]})

    def __call__(self, features: object) -> list[Result]:
        return []


@dataclass(frozen=True, slots=True)
class Load:
    """So many records of one size.

    Attributes:
        topic: they go to; a vector's bytes are noise to a compressor, JSON's are not.
        value_bytes: of each.
        records: of one round.
        faster: the compiled client gets so many times as many.
    """

    topic: str
    value_bytes: int
    records: int
    faster: int = 1

    @property
    def _own(self) -> dict[str, str]:
        if self.topic == "embedding":
            return {"dim": str(self.value_bytes // 4)}
        return {"labelset": "ade20k"}

    @property
    def name(self) -> str:
        return f"{self.value_bytes // 1000} kB"

    def value(self, number: int) -> bytes:
        """JSON is written anew for each, as operators do; a vector is there."""
        if self.topic == "embedding":
            return noise(self.value_bytes)
        classes = [
            {
                "id": part,
                "name": f"class {part}",
                "share": (number + part) % 997 / 1000,
                "regions": [{"box": [part, 0, number % 640, 360], "share": number % 997 / 1000}],
            }
            for part in range(self.value_bytes // 98)
        ]
        return canonical_json({"classes": classes})

    def commits(
        self, standing: dict[str, Progress], count: int, *, begin: int = 0
    ) -> Iterator[Commit]:
        """Chunks of the streams in turns, built as they are asked for; `standing` moves on.

        Args:
            standing: where the streams stand.
            count: of records.
            begin: number of the first one. Numbers make ids: who writes twice goes on behind.
        """
        end = begin + count
        operator = Writer()
        publishers = {one: Publisher(one, "job", "dinov2_vits14-b938bf1bc15c") for one in standing}
        for first in range(begin, end, CHUNK):
            stream = list(standing)[first // CHUNK % len(standing)]
            messages = [
                publishers[stream].record(self._result(stream, number), VARIANT, operator)
                for number in range(first, min(end, first + CHUNK))
            ]
            before = standing[stream]
            after = replace(before, sequence=before.sequence + 1, position=str(first))
            standing[stream] = after
            yield Commit(tuple(messages), after)

    def messages(self, count: int) -> list[Message]:
        """The same records, built."""
        streams = {name: Progress("job", name) for name in streams_of(STREAMS)}
        return [one for commit in self.commits(streams, count) for one in commit.messages]

    def _result(self, stream: str, number: int) -> Result:
        info = FrameInfo(
            stream=stream,
            session="a1b2c3d4e5f6",
            position=str(number * 3000),
            pts=number * 3000,
            time_base=Fraction(1, 90000),
            event_time_us=number * 33_333,
            ingest_time_us=1_700_000_000_000_000,
            source_hw=(360, 640),
        )
        content_type = Writer.topics[self.topic].content_type
        return Result(info, self.topic, content_type, self.value(number), self._own)


@cache
def noise(count: int) -> bytes:
    return hashlib.shake_128(b"noise").digest(count)


def streams_of(count: int) -> list[str]:
    """Names of streams."""
    return [f"camera-{number}" for number in range(count)]


LOADS = (
    Load("segmentation.summary", 1_000, 6_400, faster=5),
    Load("embedding", 100_000, 480),
)

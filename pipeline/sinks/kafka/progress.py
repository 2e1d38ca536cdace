"""Where streams stand, read from the topics `claims` and `progress` as far as they are written.

What is read grows with the number of streams that were ever written, not with that of commits: the
newest mark of each, and the few records of the progress topic that may lie behind it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

from kafka import TopicPartition

from pipeline.errors import SinkError
from pipeline.records.mark import Key, Mark
from pipeline.records.topics import CLAIMS, PROGRESS
from pipeline.sinks.kafka.client import consumer
from pipeline.sinks.kafka.deadline import Deadline, Stalled
from pipeline.sinks.kafka.settings import KafkaSettings
from pipeline.stream.progress import Progress

log = logging.getLogger(__name__)

T = TypeVar("T")

POLL_MS = 200

Span = tuple[TopicPartition, int, int]  # from one offset up to another


class Standing:
    """Where some streams stand; it may be read on."""

    def __init__(
        self, settings: KafkaSettings, client: Any, real_ends: Any, jobs: Mapping[str, str] | None
    ) -> None:
        """
        Args:
            settings: the cluster.
            client: a consumer that reads what is committed.
            real_ends: one that says where a partition ends, open transactions included.
            jobs: stream -> the job that is asked for; None: all of all streams.
        """
        self._settings = settings
        self._client = client
        self._ends = client
        self._real_ends = real_ends
        self._jobs = jobs
        self._read_to: dict[TopicPartition, int] = {}
        self._marks: dict[Key, Mark] = {}
        self._newest: dict[str, Mark] = {}
        self._marked = False  # as long as no claim was ever made by a version that leaves marks

    def read_claims(self, deadline: Deadline, *, to_the_end: bool = False) -> None:
        """Who holds the streams now.

        Args:
            deadline: for a read that brings nothing; it begins anew whenever records come.
            to_the_end: everything written before now counts. A transaction of another writer that
                is still open hides what was committed after it, so this waits until that one is
                over, at most until the broker gives it up. Without, what is readable has to do.

        Raises:
            Stalled, KafkaError: the cluster does not answer, or an open transaction hides the end.
        """
        self._ends = self._real_ends if to_the_end else self._client
        if not self._marked:
            self._marks, self._newest = {}, {}
        for partition, end in self._ends_of(self._partitions(CLAIMS, deadline), deadline).items():
            span = (partition, self._read_to.get(partition, 0), end)
            self._marked |= self._read([span], Mark.from_json, self._take, deadline)
            self._read_to[partition] = end
        if not self._marked:
            self._read_unmarked(deadline)

    def read_progress(self, deadline: Deadline) -> None:
        """How far the streams are, to the end if the claims were; errors as of `read_claims`."""
        self._read(self._spans(deadline), Progress.from_json, self._advance, deadline)

    def progress(self, job: str, stream: str) -> Progress | None:
        mark = self._marks.get((job, stream))
        return mark.progress if mark else None

    def epoch(self, stream: str) -> int:
        """The newest one of a stream, whatever the job; 0 where it was never claimed."""
        mark = self._newest.get(stream)
        return mark.progress.epoch if mark else 0

    def holders(self, decided: Mapping[str, Progress]) -> set[str]:
        """Writers that hold those of the streams that are to run; "" where nobody does."""
        streams = [stream for stream, progress in decided.items() if progress.running]
        return {mark.holder for stream in streams if (mark := self._newest.get(stream))}

    def unmarked(self) -> list[Mark]:
        """What has no mark yet, of all streams; it must get one together with the first claim."""
        return [] if self._marked else [self._marks[key] for key in sorted(self._marks)]

    def __iter__(self) -> Iterator[Progress]:
        return (self._marks[key].progress for key in sorted(self._marks))

    def _partitions(self, topic: str, deadline: Deadline) -> list[TopicPartition]:
        name = self._settings.topic(topic)
        if name not in deadline.run(self._client.topics):
            if self._jobs is not None:  # whoever claims has seen to it that the topics are there
                raise Stalled(f"the broker does not list {name} at the moment")
            return []
        numbers = deadline.run(lambda: self._client.partitions_for_topic(name))
        return [TopicPartition(name, number) for number in sorted(numbers)]

    def _ends_of(
        self, partitions: Sequence[TopicPartition], deadline: Deadline
    ) -> dict[TopicPartition, int]:
        return deadline.run(lambda: self._ends.end_offsets(partitions)) if partitions else {}

    def _read_unmarked(self, deadline: Deadline) -> None:
        """The whole progress topic, once: its writers were of a version without marks."""
        ends = self._ends_of(self._partitions(PROGRESS, deadline), deadline)
        spans = [(partition, 0, end) for partition, end in ends.items()]
        self._read(spans, Progress.from_json, lambda one: self._take(Mark(one)), deadline)

    def _spans(self, deadline: Deadline) -> list[Span]:
        """Where newer progress than the marks' may lie; those that overlap are one."""
        topic = self._settings.topic(PROGRESS)
        places = sorted(
            (mark.place.partition, mark.place.offset, mark.place.end)
            for mark in self._marks.values()
            if mark.place and mark.progress.running and self._asks_for(mark.key)
        )
        partitions = {number: TopicPartition(topic, number) for number, *_ in places}
        ends = self._ends_of(list(partitions.values()), deadline)
        spans: list[Span] = []
        for number, offset, reach in places:
            partition = partitions[number]
            end = min(reach, ends[partition])
            if spans and spans[-1][0] == partition and offset < spans[-1][2]:
                spans[-1] = (partition, spans[-1][1], max(end, spans[-1][2]))
            else:
                spans.append((partition, offset + 1, end))
        return spans

    def _read(
        self,
        spans: Iterable[Span],
        parse: Callable[[dict[str, Any]], T],
        take: Callable[[T], None],
        deadline: Deadline,
    ) -> bool:
        """Whether there was anything, of whatever stream."""
        found = False
        for record in committed_records(self._client, spans, deadline):
            found = True
            if record.value is None or not self._concerns(record.key):
                continue
            try:
                take(parse(json.loads(record.value)))
            except (KeyError, TypeError, ValueError) as error:
                self._pass_over(record, error)
        return found

    def _concerns(self, key: bytes | None) -> bool:
        return self._jobs is None or not self._marked or _stream_of(key) in self._jobs

    def _pass_over(self, record: Any, error: Exception) -> None:
        """A record that cannot be read counts for nobody but whoever claims its stream.

        Raises:
            SinkError: it may say who holds a stream that is asked for.
        """
        what = f"{record.topic}: offset {record.offset} cannot be read: {error!r}"
        if (stream := _stream_of(record.key)) in (self._jobs or {}):
            raise SinkError(
                f"{what}, and it is of stream {stream}; a newer dinostream wrote it? Update "
                "dinostream, or use another topic_prefix"
            )
        log.warning("%s", what)

    def _asks_for(self, key: Key) -> bool:
        return self._jobs is None or self._jobs.get(key[1]) == key[0]

    def _take(self, mark: Mark) -> None:
        stream = mark.progress.stream
        _keep_newer(self._marks, mark.key, mark)
        _keep_newer(self._newest, stream, mark)

    def _advance(self, progress: Progress) -> None:
        mark = self._marks.get((progress.job, progress.stream))
        if mark and _age(mark.progress) < _age(progress):
            self._marks[mark.key] = replace(mark, progress=progress)


@contextmanager
def standing(
    settings: KafkaSettings, jobs: Mapping[str, str] | None, deadline: Deadline
) -> Iterator[Standing]:
    """`Standing` for a block, nothing read yet."""
    with (
        consumer(settings, deadline) as client,
        consumer(settings, deadline, committed=False) as real_ends,
    ):
        yield Standing(settings, client, real_ends, jobs)


def committed_records(client: Any, spans: Iterable[Span], deadline: Deadline) -> Iterator[Any]:
    """Records of some spans, and maybe a few behind them.

    Raises:
        Stalled: nothing came for as long as the deadline allows.
    """
    for partition, start, end in spans:
        if start >= end:
            continue
        client.assign([partition])
        client.seek(partition, start)
        while deadline.run(lambda: client.position(partition)) < end:  # noqa: B023
            if not deadline.left_s:
                raise Stalled(f"an open transaction hides the end of {partition.topic}")
            polled = deadline.run(lambda: client.poll(timeout_ms=POLL_MS))
            for records in polled.values():
                deadline.restart()
                yield from records


def _stream_of(key: bytes | None) -> str:
    """Of a record in `claims` or `progress`, whose key is `job/stream`."""
    return (key or b"").decode(errors="replace").partition("/")[2]


def _age(progress: Progress) -> tuple[int, int]:
    return (progress.epoch, progress.sequence)


def _keep_newer(kept: dict[Any, Mark], key: Any, mark: Mark) -> None:
    """The later one among equals: a writer that took its streams back."""
    known = kept.get(key)
    if not known or _age(known.progress) <= _age(mark.progress):
        kept[key] = mark

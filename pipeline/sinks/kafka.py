"""The Kafka sink: records and progress in one transaction, by one writer, in bounded time.

The client is never trusted: every attempt has a deadline of ours, and after any failure the client
is replaced and the progress topic asked what really happened (a commit that raised may have been
carried out). Nothing is redone from memory. Outages are not borne here: see `patient`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from operators.errors import DinostreamError, UsageError
from pipeline.errors import SinkError
from pipeline.message import progress_message
from pipeline.progress import Progress
from pipeline.sinks.deadline import Deadline
from pipeline.sinks.fence import fenced, is_done
from pipeline.sinks.kafka_admin import ensure_topics
from pipeline.sinks.kafka_errors import (
    BatchRefused,
    explained,
    hopeless,
    progress_too_large,
    too_large,
)
from pipeline.sinks.kafka_limits import Limits
from pipeline.sinks.kafka_producer import Transactor, append
from pipeline.sinks.kafka_progress import read_progress
from pipeline.sinks.kafka_settings import KafkaSettings
from pipeline.sinks.reach import Unreachable
from pipeline.sinks.sink import Message, Receipt
from pipeline.sinks.topics import TOPICS

log = logging.getLogger(__name__)

T = TypeVar("T")

PAUSE_S = 0.2  # between attempts
LEAST_S = 1.0  # an attempt with less time than this would only hide why the last one failed
ABORT_S = 2.0


class KafkaSink:
    """Writes to one cluster. See `pipeline.sinks.sink.Sink`.

    A receipt tells of this run's writes: records that an earlier run wrote under the same ids are
    told apart by readers, not here.
    """

    def __init__(self, settings: KafkaSettings, *, shard: int = 0) -> None:
        """Connects at the first call.

        Args:
            settings: the cluster.
            shard: which part of a job writes; who claims the same shard of the same job takes over.
        """
        self._settings = settings
        self._shard = shard
        self._name = ""
        self._writer: Transactor | None = None
        self._standing: dict[str, Progress] = {}
        self._topics: set[str] = set()
        arguments = settings.producer(Deadline(1))
        self._limits = Limits(
            request_bytes=arguments["max_request_size"],
            compression=arguments["compression_type"],
            batch_bytes=arguments["batch_size"],
        )
        self._interrupted = threading.Event()

    def claim(self, jobs: Mapping[str, str], *, fresh: bool = False) -> dict[str, Progress]:
        if not self._topics:  # a wrong address is told sooner than a claim that takes its time
            self._until("connecting", lambda deadline: self._ensure([], deadline))
        return self._until(
            f"claiming {len(jobs)} streams",
            lambda deadline: self._claim(jobs, fresh, deadline),
            within_s=self._settings.operation_s,
        )

    def commit(self, messages: Sequence[Message], progress: Progress) -> Receipt:
        if is_done(self._standing.get(progress.stream), progress):
            return Receipt(repeated=len(messages))

        def attempt(deadline: Deadline) -> None:
            self._ensure(messages, deadline)
            writer = self._writer or self._take_back(deadline)
            if is_done(self._standing.get(progress.stream), progress):
                return  # the last attempt raised, and was carried out all the same
            self._require_small(messages, progress)
            writer.write([messages, [progress_message(progress)]], deadline)
            self._standing[progress.stream] = progress

        self._until(f"commit {progress.sequence} of stream {progress.stream}", attempt)
        return Receipt(written=len(messages))

    def publish(self, messages: Sequence[Message]) -> Receipt:
        def attempt(deadline: Deadline) -> None:
            self._ensure(messages, deadline)
            self._require_small(messages)
            append(self._settings, messages, deadline)

        if messages:
            self._until(f"publishing {len(messages)} records", attempt)
        return Receipt(written=len(messages))

    def interrupt(self) -> None:
        self._interrupted.set()

    def close(self) -> None:
        if self._writer:
            self._writer.close()
            self._writer = None

    def _claim(
        self, jobs: Mapping[str, str], fresh: bool, deadline: Deadline
    ) -> dict[str, Progress]:
        self._name = self._name or min(jobs.values())
        writer = self._writer or self._open_writer(deadline)
        stored = read_progress(self._settings, deadline, to_the_end=True)
        claimed = {}
        for stream, job in jobs.items():
            known = None if fresh else stored.get((job, stream))
            # over all jobs: readers compare the epochs of a stream's records whatever their job
            epochs = [progress.epoch for progress in stored.values() if progress.stream == stream]
            claimed[stream] = replace(
                known or Progress(job, stream), epoch=max(epochs, default=0) + 1
            )
        writer.write([[progress_message(progress) for progress in claimed.values()]], deadline)
        self._standing |= claimed
        return dict(claimed)

    def _open_writer(self, deadline: Deadline) -> Transactor:
        transactional_id = f"{self._settings.prefix}-{self._name}-{self._shard}"
        self._writer = Transactor(self._settings, transactional_id, deadline)
        return self._writer

    def _take_back(self, deadline: Deadline) -> Transactor:
        """A new client, and what the store says of our streams.

        The store is asked before as well: if somebody else has claimed them, this writer must go
        without fencing the other one.
        """
        self._learn(deadline, to_the_end=False)
        writer = self._open_writer(deadline)
        self._learn(deadline, to_the_end=True)
        return writer

    def _learn(self, deadline: Deadline, *, to_the_end: bool) -> None:
        stored = read_progress(self._settings, deadline, to_the_end=to_the_end)
        for stream, standing in self._standing.items():
            found = stored.get((standing.job, stream))
            if found and found.epoch > standing.epoch:
                raise fenced(stream, found.epoch, standing.epoch)
            if found and to_the_end:
                self._standing[stream] = found

    def _ensure(self, messages: Sequence[Message], deadline: Deadline) -> None:
        wanted = {*TOPICS, *(message.topic for message in messages)}
        if wanted - self._topics:
            self._limits.learn(ensure_topics(self._settings, wanted, deadline))
            self._topics |= wanted
            self._fit_batches()

    def _fit_batches(self) -> None:
        fitting = self._limits.batch_bytes
        if self._settings.producer(Deadline(1))["batch_size"] > fitting:
            self._settings = replace(self._settings, batch_bytes=fitting)
            self._give_up_writer(abort=True)  # its batches are too large

    def _require_small(self, messages: Sequence[Message], progress: Progress | None = None) -> None:
        """
        Raises:
            RecordsTooLarge: some messages are too large for their topics.
            SinkError: `progress` is, and nothing can be committed without.
        """
        if refused := self._limits.too_large(messages):
            raise too_large(self._settings, refused)
        if progress and (refused := self._limits.too_large([progress_message(progress)])):
            raise progress_too_large(self._settings, refused[0], progress)

    def _until(
        self, what: str, attempt: Callable[[Deadline], T], *, within_s: float | None = None
    ) -> T:
        """Attempt until it succeeds, cannot, or time is up; every attempt after a failure has a
        client of its own.

        Args:
            what: is done, for a person.
            attempt: is given its own deadline.
            within_s: for all attempts; what one may take where it is not given. So a broker that
                answers and refuses for the moment is asked again, one that is silent is not.
        """
        deadline = Deadline(within_s or self._settings.attempt_s, cut=self._interrupted)
        while True:
            try:
                return attempt(deadline.within(self._settings.attempt_s))
            except BatchRefused as error:
                self._give_up_writer(abort=True)
                if not self._limits.refused(error.messages):
                    raise self._explained(error, what, deadline) from error
                self._fit_batches()
            except Exception as error:
                if isinstance(error, DinostreamError) and not self._is_confused(error):
                    raise
                self._give_up_writer(abort=hopeless(error))
                if hopeless(error) or self._is_away(error) or deadline.left_s <= LEAST_S:
                    raise self._explained(error, what, deadline) from error
                log.warning("%s failed and is tried again: %r", what, error)
            self._interrupted.wait(PAUSE_S)

    def _explained(self, error: Exception, what: str, deadline: Deadline) -> SinkError:
        worked = bool(self._topics)
        return explained(error, self._settings, what, deadline.elapsed_s, worked=worked)

    def _is_confused(self, error: Exception) -> bool:
        """The client blames settings with which it has worked."""
        return isinstance(error, UsageError) and bool(self._topics)

    def _is_away(self, error: Exception) -> bool:
        """Nobody listens where somebody did; at the start a broker may still be on its way."""
        return isinstance(error, Unreachable) and bool(self._topics)

    def _give_up_writer(self, *, abort: bool) -> None:
        writer, self._writer = self._writer, None
        if writer and abort:
            with suppress(Exception):
                writer.abort(Deadline(ABORT_S))
        if writer:
            writer.drop()

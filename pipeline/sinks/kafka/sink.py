"""The Kafka sink: records and progress in one transaction, by one writer, in bounded time.

The client is never trusted: every attempt has a deadline of ours, and after any failure the client
is replaced and the progress topic asked what really happened (a commit that raised may have been
carried out). Nothing is redone from memory. Outages are not borne here: see `patient`.
"""

from __future__ import annotations

import logging
import random
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar

from operators.errors import DinostreamError, UsageError
from pipeline.errors import SinkError
from pipeline.records.commit import Commit
from pipeline.records.mark import Mark
from pipeline.records.message import claim_message, progress_message
from pipeline.records.record import Message
from pipeline.records.topics import CLAIMS, OF_EVERY_RUN, PROGRESS
from pipeline.sinks.fence import not_done
from pipeline.sinks.kafka.admin import ensure_topics
from pipeline.sinks.kafka.claims import Contention, take
from pipeline.sinks.kafka.deadline import Deadline
from pipeline.sinks.kafka.errors import (
    BatchRefused,
    explained,
    progress_too_large,
    too_large,
)
from pipeline.sinks.kafka.holding import Holding, Plan
from pipeline.sinks.kafka.limits import Limits
from pipeline.sinks.kafka.marks import Marks
from pipeline.sinks.kafka.options import TRANSACTIONS
from pipeline.sinks.kafka.producer import append
from pipeline.sinks.kafka.reach import Unreachable
from pipeline.sinks.kafka.refused import hopeless, telling
from pipeline.sinks.kafka.settings import KafkaSettings
from pipeline.sinks.kafka.watch import Watch
from pipeline.sinks.kafka.writer import Writer, open_writer, usable
from pipeline.sinks.sink import Receipt
from pipeline.stream.progress import Progress

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

    def __init__(self, settings: KafkaSettings) -> None:
        """Connects at the first call. Raises `UsageError` where the settings cannot be used."""
        self._settings = usable(settings)
        self._writer: Writer | None = None
        self._holding = Holding()
        self._marks = Marks()
        self._watch = Watch(settings)
        self._contention = Contention(random.Random())
        self._topics: dict[str, bool] = {}  # that were there -> nothing has failed since
        self._worked = False  # the settings are good, the broker was there
        arguments = settings.producer(Deadline(1))
        self._limits = Limits(
            request_bytes=arguments["max_request_size"],
            compression=settings.compression,
            batch_bytes=arguments["batch_size"],
        )
        self._interrupted = threading.Event()

    def claim(self, jobs: Mapping[str, str], *, fresh: bool = False) -> dict[str, Progress]:
        if not self._worked:  # a wrong address is told sooner than a claim that takes its time
            self._until("connecting", lambda deadline: self._ensure(OF_EVERY_RUN, deadline))

        def attempt(deadline: Deadline) -> dict[str, Progress]:
            self._ensure(OF_EVERY_RUN, deadline)
            decided = self._take(self._holding.claim(jobs, fresh=fresh), deadline)
            return {stream: decided[stream] for stream in jobs}

        return self._until(
            f"claiming {len(jobs)} streams", attempt, within_s=self._settings.claim_s
        )

    def resume(self, held: Sequence[Progress]) -> dict[str, Progress]:
        def attempt(deadline: Deadline) -> dict[str, Progress]:
            self._ensure(OF_EVERY_RUN, deadline)
            return dict(self._take(self._holding.resume(held), deadline))

        what = f"taking {len(held)} streams back"
        return self._until(what, attempt, within_s=self._settings.claim_s)

    def commit(self, commits: Sequence[Commit]) -> Receipt:
        new = not_done(self._holding.standing, commits)
        messages = [message for commit in new for message in commit.messages]
        topics = {message.topic for message in messages}

        def attempt(deadline: Deadline) -> None:
            self._ensure((PROGRESS, CLAIMS, *topics), deadline)
            if not self._writer:
                self._take(self._holding.take_back(), deadline)
            left = not_done(self._holding.standing, new)
            if not left:
                return  # the last attempt raised, and was carried out all the same
            assert self._writer
            self._watch.look(self._holding.held, deadline)
            self._require_small(messages, [commit.progress for commit in left])
            self._marks.write(self._writer, left, deadline)
            written = {commit.progress.stream: commit.progress for commit in left}
            self._holding.standing |= written

        if new:
            first = new[0].progress
            more = f" and {len(new) - 1} more" if new[1:] else ""
            self._until(f"commit {first.sequence} of stream {first.stream}{more}", attempt)
        repeated = sum(len(commit.messages) for commit in commits) - len(messages)
        return Receipt(written=len(messages), repeated=repeated)

    def publish(self, messages: Sequence[Message]) -> Receipt:
        def attempt(deadline: Deadline) -> None:
            self._ensure({message.topic for message in messages}, deadline)
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

    def _take(self, plan: Plan, deadline: Deadline) -> Mapping[str, Progress]:
        def own_writer() -> str:
            return (self._writer or self._open_writer(deadline)).name

        try:
            decided = take(self._settings, *plan, own_writer, deadline, self._contention)
        except BaseException:
            self._give_up_writer(abort=False)  # the claims may not name it
            raise
        self._holding.standing |= decided
        self._marks.forget()
        return decided

    def _open_writer(self, deadline: Deadline) -> Writer:
        """Under an id of its own: one that was fenced must never write again."""
        writer_id = f"{self._settings.prefix}-{secrets.token_hex(6)}"
        transactional = self._settings.delivery == TRANSACTIONS
        self._writer = open_writer(self._settings, writer_id, deadline, transactional=transactional)
        return self._writer

    def _ensure(self, topics: Iterable[str], deadline: Deadline) -> None:
        """See that these topics are there. Nobody needs those that nothing is written to."""
        wanted = dict.fromkeys(topics, True)
        if wanted.items() - self._topics.items():
            self._limits.learn(ensure_topics(self._settings, wanted, self._topics, deadline))
            self._topics |= wanted
            self._worked = True
            self._fit_batches()

    def _fit_batches(self) -> None:
        fitting = self._limits.batch_bytes
        if self._settings.producer(Deadline(1))["batch_size"] > fitting:
            self._settings = replace(self._settings, batch_bytes=fitting)
            self._give_up_writer(abort=True)  # its batches are too large

    def _require_small(
        self, messages: Sequence[Message], progresses: Sequence[Progress] = ()
    ) -> None:
        """
        Raises:
            RecordsTooLarge: some messages are too large for their topics.
            SinkError: a progress is, and nothing can be committed without.
        """
        if refused := self._limits.too_large(messages):
            raise too_large(self._settings, refused)
        for progress in progresses:
            kept = [progress_message(progress), claim_message(Mark(progress))]
            if refused := self._limits.too_large(kept):
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
        trouble = self._settings.trouble
        trouble.clear()
        worst: Exception | None = None
        while True:
            trouble.begin_attempt()
            try:
                return attempt(deadline.within(self._settings.attempt_s, lost=self._is_deserted))
            except BatchRefused as error:
                self._give_up_writer(abort=True)
                if not self._limits.refused(error.messages):
                    raise self._explained(error, what, deadline) from error
                self._fit_batches()
            except Exception as error:
                if isinstance(error, DinostreamError) and not self._is_confused(error):
                    raise
                self._give_up_writer(abort=hopeless(error))
                self._topics = dict.fromkeys(self._topics, False)  # one may be there no more
                worst = error if not worst or telling(error) >= telling(worst) else worst
                if self._is_final(error) or deadline.left_s <= LEAST_S:
                    raise self._explained(worst, what, deadline) from worst
                log.warning("%s failed and is tried again: %r", what, error)
            self._interrupted.wait(PAUSE_S)

    def _explained(self, error: Exception, what: str, deadline: Deadline) -> SinkError:
        elapsed_s = deadline.elapsed_s
        return explained(error, self._settings, what, elapsed_s, worked=self._worked)

    def _is_final(self, error: Exception) -> bool:
        """No other attempt of this call would help."""
        return hopeless(error) or self._is_away(error) or self._settings.trouble.final

    def _is_deserted(self) -> bool:
        """The broker is gone in the midst of it; who was never reached is given all the time."""
        return self._worked and self._settings.trouble.deserted

    def _is_confused(self, error: Exception) -> bool:
        """The client blames settings with which it has worked."""
        return isinstance(error, UsageError) and self._worked

    def _is_away(self, error: Exception) -> bool:
        """Nobody listens where somebody did; at the start a broker may still be on its way."""
        return isinstance(error, Unreachable) and self._worked

    def _give_up_writer(self, *, abort: bool) -> None:
        writer, self._writer = self._writer, None
        if writer and abort:
            with suppress(Exception):
                writer.abort(Deadline(ABORT_S))
        if writer:
            writer.drop()

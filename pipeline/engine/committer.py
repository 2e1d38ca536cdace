"""Commits beside the engine's loop: a thread calls the sink, the loop goes on computing.

The loop puts commits in and takes out what became of them. Whatever waits when the sink is free
goes in one transaction: a slow sink gets larger ones, not more of them. Knows nothing of streams.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pipeline.engine.observer import COMMIT, Observer
from pipeline.errors import RecordsTooLarge, SinkAway, SinkError
from pipeline.records.commit import Commit
from pipeline.records.outage import Outage
from pipeline.sinks.patient import PatientSink
from pipeline.sinks.sink import Receipt
from pipeline.stream.progress import Progress

# Of payloads in one transaction, but for a single commit that is larger: after an outage, what
# waits must fit into one attempt over a slow line.
MOST_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Committed:
    """Commits that are in the sink.

    Attributes:
        at_s: since when, on the committer's clock.
        outages: of the sink, that ended meanwhile.
    """

    commits: tuple[Commit, ...]
    receipt: Receipt
    at_s: float
    outages: tuple[Outage, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Commits of which none is in the sink, because some of their records are too large for it."""

    commits: tuple[Commit, ...]
    error: RecordsTooLarge


@dataclass(frozen=True, slots=True)
class Claim:
    """Streams to take over: stream -> job."""

    jobs: Mapping[str, str]
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Claimed:
    """Where the streams of a claim stand, or why it was refused; then none is ours."""

    claim: Claim
    progresses: Mapping[str, Progress]
    error: SinkError | None = None


News = Committed | Refusal | Claimed


class Committer:
    """A sink's thread. `put`, `take`, `wait` and `close` belong to one other thread."""

    def __init__(
        self, sink: PatientSink, observer: Observer, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """
        Args:
            sink: its outages are borne here, for as long as it bears them itself.
            observer: hears of every transaction.
            clock: seconds, monotonic.
        """
        self._sink = sink
        self._observer = observer
        self._clock = clock
        self._changed = threading.Condition()
        self._queue: deque[Commit | Claim] = deque()
        self._news: list[News] = []
        self._error: BaseException | None = None
        self._unsettled = 0
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)
        self._thread.start()

    @property
    def busy(self) -> bool:
        """Something was put in, and nobody has taken out yet what became of it."""
        return self._unsettled > 0

    def put(self, work: Commit | Claim) -> None:
        """Have it done, after all that was put in before."""
        self._unsettled += 1
        with self._changed:
            self._queue.append(work)
            self._changed.notify_all()

    def take(self) -> list[News]:
        """What was done since the last time, in order. Never waits.

        Raises:
            SinkAway: an outage was given up.
            Exception: whatever else the sink raised. Nothing is done after an error.
        """
        with self._changed:
            news, self._news = self._news, []
            if self._error and not news:
                raise self._error
        self._unsettled -= sum(1 if isinstance(one, Claimed) else len(one.commits) for one in news)
        return news

    def wait(self, timeout_s: float) -> None:
        """Until there is something to take, or time is up."""
        with self._changed:
            self._changed.wait_for(lambda: self._news or self._error, timeout_s)

    def close(self) -> None:
        """Wait for the transaction that runs; what waits behind it is not begun any more."""
        with self._changed:
            self._closed = True
            self._queue.clear()
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        try:
            while work := self._next():
                news = self._do(work)
                with self._changed:
                    self._news.append(news)
                    self._changed.notify_all()
        except BaseException as error:  # the loop raises it; a thread that dies tells nobody
            with self._changed:
                self._error = error
                self._changed.notify_all()

    def _next(self) -> tuple[Commit, ...] | Claim | None:
        """Waits for work; None when there will be none any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closed)
            if self._closed:
                return None
            first = self._queue.popleft()
            if isinstance(first, Claim):
                return first
            commits, size = [first], first.size_bytes
            while self._queue and isinstance(following := self._queue[0], Commit):
                size += following.size_bytes
                if size > MOST_BYTES:
                    break
                commits.append(following)
                self._queue.popleft()
            return tuple(commits)

    def _claim(self, claim: Claim) -> Claimed:
        try:
            return Claimed(claim, self._sink.claim(claim.jobs, fresh=claim.fresh))
        except SinkAway:
            raise
        except SinkError as error:  # of these streams; the others go on
            return Claimed(claim, {}, error)

    def _do(self, work: tuple[Commit, ...] | Claim) -> News:
        if isinstance(work, Claim):
            return self._claim(work)
        try:
            with self._observer.stage(COMMIT):
                receipt = self._sink.commit(work)
        except RecordsTooLarge as error:
            return Refusal(work, error)
        return Committed(work, receipt, self._clock(), tuple(self._sink.take_ended()))

"""Commits beside the engine's loop: a thread calls the sink, the loop goes on computing.

The loop puts commits in and takes out what became of them. Whatever waits when the sink is free
goes in one transaction: a slow sink gets larger ones, not more of them. What of a live stream
waits for too long is kept on disk by a second thread, and goes from there in its order; as long as
anything is kept, all that is new of live streams goes behind it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.engine.keeper import Keeper
from pipeline.engine.line import MOST_BYTES, Claim, Line
from pipeline.engine.mending import Buried, Mending
from pipeline.engine.observer import COMMIT, Observer
from pipeline.errors import RecordsTooLarge, SinkAway, SinkError
from pipeline.records.commit import Commit
from pipeline.records.outage import Outage
from pipeline.sinks.patient import PatientSink
from pipeline.sinks.sink import Receipt
from pipeline.sinks.spill.backlog import Kept
from pipeline.sinks.spill.spill import Spill
from pipeline.stream.progress import Progress

KEEP_AFTER_S = 1.0  # more than a commit takes, less than a decoder holds


@dataclass(frozen=True, slots=True)
class Committed:
    """Commits that are in the sink.

    Attributes:
        at_s: since when, on the committer's clock.
        outages: of the sink, that ended meanwhile.
        kept: so many of them were told to be kept before.
    """

    commits: tuple[Commit, ...]
    receipt: Receipt
    at_s: float
    outages: tuple[Outage, ...] = ()
    kept: int = 0


@dataclass(frozen=True, slots=True)
class OnDisk:
    """Commits that are kept until the sink takes them.

    Attributes:
        at_s: since when, on the committer's clock.
        outage: of the sink, if that is why.
    """

    commits: tuple[Commit, ...]
    at_s: float
    outage: Outage | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Commits of which none is in the sink, because some of their records are too large for it."""

    commits: tuple[Commit, ...]
    error: RecordsTooLarge


@dataclass(frozen=True, slots=True)
class Claimed:
    """Where the streams of a claim stand, or why it was refused; then none is ours."""

    claim: Claim
    progresses: Mapping[str, Progress]
    error: SinkError | None = None


News = Committed | OnDisk | Refusal | Claimed


class Committer:
    """A sink's threads. `put`, `take`, `wait` and `close` belong to one other thread."""

    def __init__(
        self,
        sink: PatientSink,
        observer: Observer,
        clock: Callable[[], float] = time.monotonic,
        *,
        mending: Mending | None = None,
        spill: Spill | None = None,
        keep_after_s: float = KEEP_AFTER_S,
    ) -> None:
        """
        Args:
            sink: its outages are borne here, for as long as it bears them itself.
            observer: hears of every transaction.
            clock: seconds, monotonic.
            mending: knows where streams stand that were claimed before.
            spill: where commits of live streams are kept; None: they wait.
            keep_after_s: how long they wait before that.
        """
        self._sink = sink
        self._observer = observer
        self._clock = clock
        self._mending = mending or Mending()
        self._spill = spill
        self._line = Line(lambda: spill is not None and spill.holds, self._soon_empty)
        self._changed = threading.Condition()
        self._news: list[News] = []
        self._error: BaseException | None = None
        self._unsettled = 0
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)
        self._thread.start()
        told = (self._tell_kept, self._fail)
        self._keeper = Keeper(self._line, spill, *told, keep_after_s) if spill else None

    @property
    def busy(self) -> bool:
        """Something was put in, and nobody has taken out yet what became of it."""
        return self._unsettled > 0

    def waiting(self) -> Mapping[str, Kept]:
        """Stream -> what of it is kept and not in the sink."""
        return self._spill.waiting() if self._spill else {}

    def put(self, work: Commit | Claim) -> None:
        """Have it done, after all that was put in before."""
        self._unsettled += 1
        self._line.put(work)

    def take(self) -> list[News]:
        """What was done since the last time, in order. Never waits.

        Raises:
            SinkAway: an outage was given up.
            Exception: whatever else the sink raised. Nothing is done after an error.
        """
        news = self.take_left()
        if self._error and not news:
            raise self._error
        return news

    def take_left(self) -> list[News]:
        """The same, whatever was raised; after `close`."""
        with self._changed:
            news, self._news = self._news, []
        self._unsettled -= sum(_settled(one) for one in news)
        return news

    def wait(self, timeout_s: float) -> None:
        """Until there is something to take, or time is up."""
        with self._changed:
            self._changed.wait_for(lambda: self._news or self._error, timeout_s)

    def close(self) -> None:
        """Wait for the transaction that runs; what waits behind it is not begun any more, but what
        can be kept of it is."""
        self._line.close()
        self._thread.join()
        if self._keeper:
            self._keeper.close()

    def _run(self) -> None:
        try:
            while (work := self._line.next()) is not None:
                if isinstance(work, Claim):
                    self._tell(self._claim(work))
                elif work:
                    self._send(work)
                else:
                    self._send_kept()
        except BaseException as error:  # the loop raises it; a thread that dies tells nobody
            self._fail(error)

    def _soon_empty(self) -> bool:
        if self._sink.outage or not self._spill:
            return False
        return self._spill.size_bytes <= MOST_BYTES

    def _fail(self, error: BaseException) -> None:
        with self._changed:
            self._error = self._error or error
            self._changed.notify_all()

    def _tell(self, news: News) -> None:
        with self._changed:
            self._news.append(news)
            self._changed.notify_all()

    def _tell_kept(self, commits: tuple[Commit, ...]) -> None:
        self._tell(OnDisk(commits, self._clock(), self._sink.outage))

    def _claim(self, claim: Claim) -> Claimed:
        try:
            claimed = self._sink.claim(claim.jobs, fresh=claim.fresh)
        except SinkAway:
            raise
        except SinkError as error:  # of these streams; the others go on
            return Claimed(claim, {}, error)
        self._mending.begin(claimed)
        return Claimed(claim, claimed)

    def _send(self, work: tuple[Commit, ...]) -> None:
        mended = self._mending.mended(work)
        try:
            receipt = self._commit(mended)
        except RecordsTooLarge as error:
            self._refuse(error)
            return
        kept = self._line.arrived()
        if self._spill and kept:
            self._spill.release()
        self._tell_committed(mended, receipt, kept)

    def _refuse(self, error: RecordsTooLarge) -> None:
        """What is kept is sent from there; the others' lanes do without what was refused."""
        left = self._line.refused()
        if self._spill:
            self._spill.give_back()
        refused = {(one.topic, one.id) for one in error.refused}
        if not refused or any((m.topic, m.id) in refused for one in left for m in one.messages):
            self._tell(Refusal(tuple(left), error))
        else:
            self._line.put_back(left)

    def _send_kept(self) -> None:
        assert self._spill
        require_time(self._sink, self._spill)
        commits = self._spill.take(MOST_BYTES)
        mended, receipt = send_kept(commits, self._mending, self._commit)
        self._spill.release()
        self._tell_committed(mended, receipt, len(mended))

    def _commit(self, commits: Sequence[Commit]) -> Receipt:
        with self._observer.stage(COMMIT):
            return self._sink.commit(commits)

    def _tell_committed(self, commits: Sequence[Commit], receipt: Receipt, kept: int) -> None:
        self._mending.note(commits)
        ended = tuple(self._sink.take_ended())
        self._tell(Committed(tuple(commits), receipt, self._clock(), ended, kept))


def send_kept(
    commits: Sequence[Commit], mending: Mending, commit: Callable[[Sequence[Commit]], Receipt]
) -> tuple[Sequence[Commit], Receipt]:
    """Commits that were kept, as they are sent, and what the sink did.

    Raises:
        RecordsTooLarge: it cannot take what no stream can do without.
        SinkError: as of any commit.
    """
    buried: Buried = set()
    while True:
        mended = mending.mended(commits)
        try:
            return mended, commit(mended)
        except RecordsTooLarge as error:
            commits = mending.lettered(commits, error, buried)


def require_time(sink: PatientSink, spill: Spill) -> None:
    """
    Raises:
        SinkAway: the run is to end, and what is kept will take longer than one transaction.
    """
    if sink.interrupted and spill.size_bytes > MOST_BYTES:
        raise SinkAway("the run is to end before all that was kept is sent")


def _settled(news: News) -> int:
    """How many that were put in it settles."""
    if isinstance(news, Claimed):
        return 1
    return len(news.commits) - (news.kept if isinstance(news, Committed) else 0)

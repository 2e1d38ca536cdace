"""What of one stream is on its way to the sink: one commit at a time, and news that wait behind it.

Knows the order of a stream's commits. Knows nothing of frames, operators' memories or the sink.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pipeline.engine.placement import Placement
from pipeline.engine.refusals import with_letters
from pipeline.engine.sealing import sealed
from pipeline.engine.still import struck
from pipeline.errors import RecordsTooLarge
from pipeline.records.commit import Commit, Link
from pipeline.records.manifest import Untold
from pipeline.records.message import Publisher
from pipeline.records.outage import Outage
from pipeline.records.record import Message
from pipeline.stream.chunk import End, Trouble
from pipeline.stream.ledger import Ledger
from pipeline.stream.progress import Progress


class Outbox:
    """Gives out the next commit only when the one before is in the sink: its progress, and what of
    it the sink refused, are then known to all that follow."""

    def __init__(
        self,
        progress: Progress,
        placements: Sequence[Placement],
        publisher: Publisher,
        *,
        live: bool = False,
    ) -> None:
        """Go on behind `progress`, the last that was committed; commits of a `live` stream may be
        kept."""
        self._newest = progress
        self._untold = Untold.of(progress)  # behind the newest commit
        self._untold_before = self._untold
        self._operators = {topic: one.name for one in placements for topic in one.variants}
        self._live = live
        self._link: Link | None = None  # of the commit on its way
        self._publisher = publisher
        self._news: list[Trouble | Outage] = []
        self._in_flight: Commit | None = None
        self._is_chunk = False
        self._end: End | None = None  # in the commit on its way
        self._own: list[Message] = []  # of that commit, but for what is said of it as a whole
        self._buried: set[tuple[str, ...]] = set()  # frames of the newest chunk, by operator

    @property
    def busy(self) -> bool:
        """A commit is on its way."""
        return self._in_flight is not None

    @property
    def waiting(self) -> bool:
        """There is news that is not on its way yet."""
        return bool(self._news)

    def report(self, trouble: Trouble) -> None:
        """Tell of trouble, ahead of all chunks that follow, by a commit that moves nothing."""
        self._news.append(trouble)

    def tell(self, news: Trouble | Outage) -> None:
        """Tell of what is no fault of the stream's in the same way; not after the stream's own end,
        which no commit follows."""
        if self._newest.running:
            self._news.append(news)

    def next_news(self, progress: Progress) -> Commit | None:
        """A commit of all news, if none is on its way; `progress`: how far the stream is with what
        is not committed yet."""
        if self.busy or not self._news:
            return None
        messages: list[Message] = []
        for news in self._news:
            if isinstance(news, Outage):
                messages.append(self._publisher.outage(news, progress))
            else:
                messages += self._publisher.announce(news, self._place_of(news), {})
        self._news.clear()
        return self._send(messages, self._newest)

    def _place_of(self, trouble: Trouble) -> Progress:
        if not trouble.position:
            return self._newest
        return replace(self._newest, session=trouble.session, position=trouble.position)

    def send(
        self, messages: Sequence[Message], progress: Progress, end: End | None = None
    ) -> Commit:
        """The commit of a chunk; none may be on its way.

        Args:
            messages: of its frames.
            progress: behind it.
            end: the stream's, where it has come and consumers are told of it.
        """
        assert not self.busy
        self._is_chunk = True
        self._buried = set()
        return self._send(messages, progress, end)

    def awaits(self, commit: Commit) -> bool:
        """It is on its way; false where what follows it may be."""
        on_way = self._in_flight
        return on_way is not None and on_way.progress.sequence == commit.progress.sequence

    def keep(self) -> bool:
        """The commit is kept on disk, so the next one may go; but none follows an end, which is
        over when it is in the sink. Whether it was a chunk's."""
        assert self.busy
        if self._end is None:
            return self.confirm()
        was_chunk, self._is_chunk = self._is_chunk, False
        return was_chunk

    def confirm(self) -> bool:
        """The commit is in the sink; whether it was a chunk's."""
        assert self.busy
        self._in_flight = None
        was_chunk, self._is_chunk = self._is_chunk, False
        return was_chunk

    def refuse(self, error: RecordsTooLarge) -> tuple[Commit, list[str]]:
        """The same commit with dead letters for what the sink cannot take, and the operators of the
        frames that became such letters.

        Raises:
            RecordsTooLarge: one of the records is of no operator.
        """
        assert self._in_flight is not None
        progress = self._in_flight.progress
        messages, buried = with_letters(self._own, error, self._operators, self._publisher)
        operators = [operator for operator, *_ in buried - self._buried]
        self._buried |= buried
        ledger = Ledger(progress.ledger)
        for operator in operators:
            ledger.bury(operator)
        still = struck(progress.still, {one.id for one in error.refused})
        told = replace(progress, ledger=ledger.counts(), still=still)
        return self._put(messages, told), operators

    def _send(
        self, messages: Sequence[Message], progress: Progress, end: End | None = None
    ) -> Commit:
        self._end, self._untold_before = end, self._untold
        if self._live:
            self._link = Link(self._newest.frames, self._newest.ledger, self._operators)
        return self._put(messages, replace(progress, sequence=self._newest.sequence + 1))

    def _put(self, messages: Sequence[Message], progress: Progress) -> Commit:
        """The commit on its way."""
        self._own = list(messages)
        before, publisher = self._untold_before, self._publisher
        commit, self._untold = sealed(messages, progress, self._end, before, publisher)
        self._in_flight = replace(commit, link=self._link)
        self._newest = self._in_flight.progress
        return self._in_flight

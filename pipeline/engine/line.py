"""What waits for the sink, and what the sink has in its hands: two threads take from here, the one
that sends and the one that keeps. Knows neither sink nor disk."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from pipeline.records.commit import Commit

# Of payloads in one transaction, but for a single commit that is larger: after an outage, what
# waits must fit into one attempt over a slow line.
MOST_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Claim:
    """Streams to take over: stream -> job."""

    jobs: Mapping[str, str]
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class ToKeep:
    """Commits that are about to be kept, in order; the first `sent` are in the sink's hands."""

    commits: tuple[Commit, ...]
    sent: int


class Line:
    """First come, first served; but live commits go behind those that are kept, where any are.

    Attributes:
        closed: nothing more is sent.
    """

    def __init__(self, holds: Callable[[], bool], soon_empty: Callable[[], bool]) -> None:
        """
        Args:
            holds: whether anything is kept.
            soon_empty: whether the sink is there, and takes all that is in one transaction.
        """
        self._holds = holds
        self._soon_empty = soon_empty
        self._changed = threading.Condition()
        self._waiting: deque[Commit | Claim] = deque()
        self._oldest_s = 0.0  # when the oldest live one of those came
        self._sent: tuple[Commit, ...] = ()  # in the sink's hands, from here
        self._kept = 0  # of the live ones among those
        self._choice: ToKeep | None = None  # that is being written to the disk
        self._since_s: float | None = None  # when the sink was given what it has
        self._turn = False  # of what waits here, where something is kept as well
        self.closed = False
        self._over = False

    def put(self, work: Commit | Claim) -> None:
        """One more, from whoever computes."""
        with self._changed:
            if not self._live():
                self._oldest_s = time.monotonic()
            self._waiting.append(work)
            self._changed.notify_all()

    def next(self) -> tuple[Commit, ...] | Claim | None:
        """Waits for something to send; nothing but () where it is the turn of what is kept, None
        when there will be no more."""
        with self._changed:
            self._since_s = None
            self._changed.wait_for(lambda: self.closed or self._holds() or self._eligible())
            if self.closed:
                return None
            self._since_s = time.monotonic()
            self._turn = not self._turn
            work = self._choose() if self._turn or not self._holds() else ()
            if not isinstance(work, Claim):
                self._sent, self._kept = work, 0
            self._changed.notify_all()
            return work

    def arrived(self) -> int:
        """The sink has what `next` gave; how many of that were kept meanwhile."""
        with self._changed:
            self._changed.wait_for(lambda: self._choice is None)
            self._sent = ()
            return self._kept

    def refused(self) -> list[Commit]:
        """The sink has nothing of what `next` gave and will not; those that were not kept."""
        with self._changed:
            self._changed.wait_for(lambda: self._choice is None)
            live = [commit for commit in self._sent if commit.link]
            kept = {id(commit) for commit in live[: self._kept]}
            left = [commit for commit in self._sent if id(commit) not in kept]
            self._sent = ()
            return left

    def put_back(self, commits: Iterable[Commit]) -> None:
        """These go first again."""
        with self._changed:
            self._waiting.extendleft(reversed(list(commits)))

    def close(self) -> None:
        """Nothing more is sent; what the sink has is waited for elsewhere."""
        with self._changed:
            self.closed = True
            self._changed.notify_all()

    def end(self) -> None:
        """Nothing more will come: what is left of live streams is to be kept at once."""
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def to_keep(self, after_s: float, not_before_s: float) -> ToKeep | None:
        """Waits for something to keep; None when there will be no more.

        Args:
            after_s: how long the sink may have what it was given, and a commit wait for a log that
                is soon empty.
            not_before_s: on the clock of `time.monotonic`.
        """
        with self._changed:
            while True:
                choice = self._to_keep()
                due_s = self._due_s(after_s, not_before_s) if choice.commits else None
                if self._over and not choice.commits:
                    return None
                if self._over or (due_s is not None and due_s <= 0):
                    gone = {id(commit) for commit in choice.commits}
                    self._waiting = deque(one for one in self._waiting if id(one) not in gone)
                    self._choice = choice
                    return choice
                self._changed.wait(due_s)

    def was_kept(self, *, kept: bool) -> None:
        """What `to_keep` gave last is on disk, or is not and waits as before."""
        with self._changed:
            assert self._choice
            if kept:
                self._kept += self._choice.sent
            else:
                self._waiting.extendleft(reversed(self._choice.commits[self._choice.sent :]))
            self._choice = None
            self._changed.notify_all()

    def _due_s(self, after_s: float, not_before_s: float) -> float | None:
        """In how long what could be kept is to be; None: it is about to be sent."""
        since_s = self._since_s
        if self._holds():
            since_s = self._waiting_since_s()
        if since_s is None:
            return None
        return max(since_s + after_s, not_before_s) - time.monotonic()

    def _waiting_since_s(self) -> float:
        """Since when a commit waits behind what is kept: were each kept at once, one that comes
        during a transaction would do, and the log would never be empty again."""
        if not self._soon_empty():
            return -math.inf
        return self._oldest_s if self._since_s is None else min(self._oldest_s, self._since_s)

    def _to_keep(self) -> ToKeep:
        sent = [commit for commit in self._sent if commit.link][self._kept :]
        return ToKeep((*sent, *self._live()), len(sent))

    def _live(self) -> list[Commit]:
        return [one for one in self._waiting if isinstance(one, Commit) and one.link]

    def _eligible(self) -> bool:
        """Something waits that may go straight to the sink."""
        return any(isinstance(one, Claim) or self._is_free(one) for one in self._waiting)

    def _is_free(self, commit: Commit) -> bool:
        return not (commit.link and (self._holds() or self._choice))

    def _choose(self) -> tuple[Commit, ...] | Claim:
        chosen: list[Commit] = []
        left: deque[Commit | Claim] = deque()
        size = 0
        while self._waiting:
            one = self._waiting.popleft()
            if isinstance(one, Claim):
                if not chosen:
                    self._waiting.extendleft(reversed(left))
                    return one
                left.append(one)
                break
            if not self._is_free(one):
                left.append(one)
                continue
            size += one.size_bytes
            if chosen and size > MOST_BYTES:
                left.append(one)
                break
            chosen.append(one)
        self._waiting.extendleft(reversed(left))
        return tuple(chosen)

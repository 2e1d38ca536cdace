"""Takes streams over: at most one writer can commit for a stream, and it is the last that claimed.

The broker fences transactional ids, not streams. So every writer has an id that is used once and
never opened again by its owner, and marks say which id holds a stream. Whoever claims opens the
ids of those that hold its streams, which ends them and their transactions for good, and then writes
its marks with an id that all claimants share: a second claimant ends the transaction of the first,
so between what a claimant read and what it wrote nobody else has claimed.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from kafka import errors

from pipeline.records.mark import Mark
from pipeline.records.message import claim_message
from pipeline.sinks.kafka.deadline import Deadline
from pipeline.sinks.kafka.progress import Standing, standing
from pipeline.sinks.kafka.settings import KafkaSettings
from pipeline.sinks.kafka.writer import Writer, open_writer
from pipeline.stream.progress import Progress

MARKS = 1000  # in one transaction, which has to end before the broker gives it up
DOUBLINGS = 10
LONGEST_PAUSE_S = 120.0
FENCED = (errors.ProducerFencedError, errors.InvalidProducerEpochError)


class Contention:
    """How long a claimant waits that another one was faster than.

    Claimants end each other, so those that come back together (a broker that was started again, a
    cluster full of engines) get through only if they try less and less often: each waits up to as
    long as its last try took, times two for every time that it has lost, until it wins.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._lost = 0

    def next_s(self, took_s: float) -> float:
        """The wait after one more try, which took so long and was lost."""
        self._lost += 1
        longest_s = min(LONGEST_PAUSE_S, took_s * 2 ** min(self._lost, DOUBLINGS))
        return self._rng.uniform(0, longest_s)

    def won(self) -> None:
        self._lost = 0


Decision = Callable[[Standing], Mapping[str, Progress]]  # stream -> how it is to stand from now on


def take(
    settings: KafkaSettings,
    jobs: Mapping[str, str],
    decide: Decision,
    own_writer: Callable[[], str],
    deadline: Deadline,
    contention: Contention,
) -> Mapping[str, Progress]:
    """Make a writer the only one of some streams.

    Args:
        settings: the cluster.
        jobs: stream -> job, what `decide` has to know.
        decide: is asked twice or more, first before anybody is fenced; the last answer counts.
            Streams that are not to run are left as they are.
        own_writer: opens the writer where it is not open; its transactional id.
        deadline: for each step; what is achieved sets it back, by other claimants too.
        contention: of whoever claims, over all claims.

    Returns:
        What `decide` said last: it is written.

    Raises:
        Stalled, KafkaError: the cluster does not answer. What is written then counts, and another
            attempt goes over it.
        Whatever `decide` raises.
    """
    with standing(settings, jobs, deadline) as found:
        deadline.restart()
        found.read_claims(deadline)
        ended = {""}  # writers that never commit again
        while True:
            decided = decide(found)
            if not any(progress.running for progress in decided.values()):
                return decided
            writer = own_writer()
            deadline.restart()
            for other in found.holders(decided) - ended - {writer}:
                open_writer(settings, other, deadline).drop()
                ended.add(other)
                deadline.restart()
            began_s = time.monotonic()
            try:
                with _alone(settings, deadline) as claimant:
                    found.read_claims(deadline, to_the_end=True)
                    found.read_progress(deadline)
                    decided = decide(found)
                    if found.holders(decided) <= ended | {writer}:
                        _write(claimant, found, decided, writer, deadline)
                        contention.won()
                        return decided
            except FENCED:  # by another claimant
                deadline.pause(contention.next_s(time.monotonic() - began_s))
                deadline.restart()
                found.read_claims(deadline)


@contextmanager
def _alone(settings: KafkaSettings, deadline: Deadline) -> Iterator[Writer]:
    """What is written in the block is committed only if no other claimant begins meanwhile."""
    claimant = open_writer(settings, f"{settings.prefix}-claims", deadline)
    deadline.restart()
    try:
        yield claimant
    except BaseException:
        claimant.drop()
        raise
    claimant.close()


def _write(
    claimant: Writer,
    found: Standing,
    decided: Mapping[str, Progress],
    writer: str,
    deadline: Deadline,
) -> None:
    marks = [Mark(progress, writer) for progress in decided.values() if progress.running]
    parts = [marks[start : start + MARKS] for start in range(0, len(marks), MARKS)] or [[]]
    parts[0] = [*found.unmarked(), *parts[0]]  # all at once: from then on nobody looks for them
    for part in filter(None, parts):
        claimant.write([[claim_message(mark) for mark in part]], deadline)
        deadline.restart()

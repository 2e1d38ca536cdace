"""Pieces of work of any kind, done by some actors of a Ray cluster: whoever is free has the next.

What makes a worker and pieces in -> what each gave, as it is done. Knows nothing of the work.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar, cast

import ray
from ray.exceptions import RayError, RayTaskError

from operators.errors import DinostreamError
from pipeline.errors import RuntimeFailure
from pipeline.runtime.ray_cluster import cluster

Piece = TypeVar("Piece")
Done = TypeVar("Done")


class _Worker:
    """Holds what does the work, in a process of its own; made with the first piece, so that what
    cannot be made is an error as any other."""

    def __init__(self, make: Callable[[], Callable[[Any], Any]]) -> None:
        self._make = make
        self._work: Callable[[Any], Any] | None = None

    def do(self, piece: Any) -> Any:
        if self._work is None:
            self._work = self._make()
        return self._work(piece)


def ray_map(
    make: Callable[[], Callable[[Piece], Done]],
    pieces: Sequence[Piece],
    *,
    workers: int,
    address: str | None = None,
) -> Iterator[Done]:
    """Do all of it.

    Args:
        make: gives what does a piece; called once in each worker. It and pieces are pickled.
        pieces: in the order in which they are begun.
        workers: at most; a CPU each.
        address: of the cluster, as `cluster` takes it.

    Yields:
        What each piece gave, in the order in which they are done.

    Raises:
        DinostreamError: a worker raised it.
        RuntimeFailure: a worker died or what it gave is lost, or there is no cluster.
    """
    with cluster(address):
        actors = [
            ray.remote(num_cpus=1)(_Worker).remote(make) for _ in range(min(workers, len(pieces)))
        ]
        left, busy = deque(pieces), {}
        for actor in actors:
            busy[actor.do.remote(left.popleft())] = actor
        while busy:
            (ready, *_), _ = ray.wait(list(busy))
            done, actor = _result(ready), busy.pop(ready)
            if left:
                busy[actor.do.remote(left.popleft())] = actor
            else:
                ray.kill(actor)  # one that waits for a CPU gets it, and it has a piece
            yield cast(Done, done)


def _result(ready: ray.ObjectRef[Any]) -> Any:
    """What a worker gave.

    Raises:
        DinostreamError, RuntimeFailure: as of `ray_map`.
    """
    try:
        return ray.get(ready)
    except RayTaskError as error:
        if isinstance(error.cause, DinostreamError):
            raise error.cause from None
        raise
    except RayError as error:  # dead, killed for memory, its node gone, its result gone with that
        why = str(error).strip().partition("\n")[0]
        raise RuntimeFailure(
            f"a worker died, or what it gave is lost: {why}; what is done is kept, the same "
            "command goes on"
        ) from error

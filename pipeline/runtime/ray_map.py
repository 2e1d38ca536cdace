"""Pieces of work of any kind, done by some actors of a Ray cluster: whoever is free has the next.

What makes a worker and pieces in -> what each gave, as it is done. Knows nothing of the work.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar, cast

import ray
from ray.actor import ActorHandle
from ray.exceptions import RayError, RayTaskError

from operators.errors import DinostreamError
from pipeline.errors import RuntimeFailure
from pipeline.runtime.ray_cluster import cluster
from pipeline.runtime.ray_watch import Lost

log = logging.getLogger(__name__)

Piece = TypeVar("Piece")
Done = TypeVar("Done")

LIVES = 3  # workers that one piece may cost; it may be what kills them


@dataclass(slots=True)
class _Task(Generic[Piece]):
    """A piece, and the workers that have died with it."""

    piece: Piece
    deaths: int = 0

    def die(self, name: str, why: str) -> None:
        """Another one has.

        Raises:
            RuntimeFailure: that is the last one.
        """
        self.deaths += 1
        if self.deaths == LIVES:
            raise RuntimeFailure(
                f"{LIVES} workers died with {name}, or what they gave is lost: {why}; what is done "
                "is kept, the same command goes on"
            )
        log.warning("a worker died with %s: %s; another one takes it", name, why)


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
    name: Callable[[Piece], str] = str,
) -> Iterator[Done]:
    """Do all of it. The piece of a worker that dies is done by another one, which is told.

    Args:
        make: gives what does a piece; called once in each worker. It and pieces are pickled.
        pieces: in the order in which they are begun.
        workers: at most; a CPU each.
        address: of the cluster, as `cluster` takes it.
        name: what a piece is called, in logs.

    Yields:
        What each piece gave, in the order in which they are done.

    Raises:
        DinostreamError: a worker raised it.
        RuntimeFailure: a piece has cost `LIVES` workers, or there is no cluster.
    """
    with cluster(address):
        hire = partial(ray.remote(num_cpus=1)(_Worker).remote, make)
        left = deque(map(_Task, pieces))
        busy: dict[Any, tuple[ActorHandle, _Task[Piece]]] = {}

        def begin(task: _Task[Piece], actor: ActorHandle) -> None:
            busy[actor.do.remote(task.piece)] = actor, task

        for _ in range(min(workers, len(pieces))):
            begin(left.popleft(), hire())
        while busy:
            (ready, *_), _ = ray.wait(list(busy))
            actor, task = busy.pop(ready)
            try:
                done = result(ready)
            except Lost as error:
                task.die(name(task.piece), str(error))
                ray.kill(actor)  # it lives where only what it gave is lost
                begin(task, hire())
                continue
            if left:
                begin(left.popleft(), actor)
            else:
                ray.kill(actor)  # one that waits for a CPU gets it, and it has a piece
            yield cast(Done, done)


def result(ready: ray.ObjectRef[Any]) -> Any:
    """What a worker gave.

    Raises:
        DinostreamError: it raised that.
        Lost: it is dead, killed for memory, its node gone, or its result gone with that.
    """
    try:
        return ray.get(ready)
    except RayTaskError as error:
        if isinstance(error.cause, DinostreamError):
            raise error.cause from None
        raise
    except RayError as error:
        why = str(error).strip().partition("\n")[0]
        raise Lost(why or type(error).__name__) from error

"""The actor that writes: a thin shell over a sink, and that sink as an engine sees it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import ray
from ray.actor import ActorHandle
from ray.exceptions import RayTaskError

from pipeline.doctor import check_layout
from pipeline.errors import SinkError
from pipeline.logs import set_up_kept_logging
from pipeline.records.commit import Commit
from pipeline.records.record import Message
from pipeline.runtime.ray_watch import (
    BESIDE,
    Beat,
    Patience,
    Pulse,
    SinkLost,
    answer,
    is_lost,
    why_lost,
)
from pipeline.sinks.sink import Receipt, Sink
from pipeline.sinks.uri import open_sink
from pipeline.stream.progress import Progress


class SinkActor:
    """Owns the one writer of an engine, or of all engines where the sink is a single file."""

    def __init__(self, uri: str, settings: Mapping[str, Any], name: str, level: str) -> None:
        """
        Args:
            uri, settings: of the sink.
            name: of this actor, in logs.
            level: that it logs from.
        """
        self._logs = set_up_kept_logging(level, name)
        check_layout()
        # Opened by `claim`, whose errors arrive as what they are; those of an actor's start do not.
        self._open: Callable[[], Sink] = partial(open_sink, uri, settings=settings)
        self._sink: Sink | None = None

    def claim(self, jobs: Mapping[str, str], fresh: bool) -> dict[str, Progress]:
        self._sink = self._sink or self._open()
        return self._sink.claim(jobs, fresh=fresh)

    def resume(self, held: Sequence[Progress]) -> dict[str, Progress]:
        self._sink = self._sink or self._open()
        return self._sink.resume(held)

    def commit(self, commits: Sequence[Commit]) -> Receipt:
        assert self._sink  # whoever commits has claimed
        return self._sink.commit(commits)

    def publish(self, messages: Sequence[Message]) -> Receipt:
        assert self._sink
        return self._sink.publish(messages)

    def close(self) -> None:
        if self._sink:
            self._sink.close()

    @ray.method(concurrency_group=BESIDE)  # type: ignore[untyped-decorator]
    def beat(self) -> Beat[bool]:
        return Beat(True, self._logs.take())


class RemoteSink:
    """Implements `pipeline.sinks.sink.Sink` over a `SinkActor`, as long as that shows signs of
    life: a call may take long, as when its broker is away."""

    def __init__(self, actor: ActorHandle, patience: Patience) -> None:
        self._actor = actor
        self._pulse: Pulse[bool] = Pulse(actor.beat.remote, patience)
        self._interrupted = threading.Event()
        self.claimed = False

    def claim(self, jobs: Mapping[str, str], *, fresh: bool = False) -> dict[str, Progress]:
        claimed: dict[str, Progress] = self._get(self._actor.claim.remote(jobs, fresh))
        self.claimed = True
        return claimed

    def resume(self, held: Sequence[Progress]) -> dict[str, Progress]:
        resumed: dict[str, Progress] = self._get(self._actor.resume.remote(held))
        return resumed

    def commit(self, commits: Sequence[Commit]) -> Receipt:
        receipt: Receipt = self._get(self._actor.commit.remote(commits))
        return receipt

    def publish(self, messages: Sequence[Message]) -> Receipt:
        receipt: Receipt = self._get(self._actor.publish.remote(messages))
        return receipt

    def interrupt(self) -> None:
        """The actor, which is in the middle of an attempt, is left behind with it."""
        self._interrupted.set()

    def close(self) -> None:
        """The driver does, when all are done: others may write through the same actor."""

    def _get(self, call: ray.ObjectRef[Any]) -> Any:
        try:
            return answer(call, self._pulse, self._look)
        except RayTaskError as error:
            if isinstance(error.cause, SinkError):
                raise error.cause from None
            raise
        except Exception as error:
            if is_lost(error):
                raise SinkLost(why_lost(error)) from error
            raise

    def _look(self) -> None:
        if self._interrupted.is_set():
            raise SinkError("the sink was given up in mid-attempt", retryable=True)

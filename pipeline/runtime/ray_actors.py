"""The actors that compute and that write: thin shells over Shard and the sinks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import ray
from ray.actor import ActorHandle
from ray.exceptions import RayTaskError

from pipeline.configuration.config import Config
from pipeline.doctor import check_layout
from pipeline.engine.identity import Identity
from pipeline.engine.shard import Shard
from pipeline.engine.tally import Tally
from pipeline.errors import RuntimeFailure, SinkError
from pipeline.logs import set_up_kept_logging
from pipeline.records.commit import Commit
from pipeline.records.record import Message
from pipeline.runtime.lease import Lease
from pipeline.runtime.ray_decoder import DecodeActor, decoders
from pipeline.runtime.ray_feed import RayFeed
from pipeline.runtime.ray_files import Carrier
from pipeline.runtime.ray_room import Ask, Need
from pipeline.runtime.ray_watch import Beat, Lost, Patience, Pulse, answer
from pipeline.sinks.sink import Receipt, Sink
from pipeline.sinks.uri import open_sink
from pipeline.stream.progress import Progress
from pipeline.stream.spec import StreamSpec

if TYPE_CHECKING:
    from pipeline.engine.assembly import Assembly

BESIDE = "beside"  # the calls that are answered while another one works
GROUPS = {BESIDE: 1}


class SinkActor:
    """Owns the one writer of a shard, or of all shards where the sink is a single file.

    Ray starts it again when it dies, without what it knew: so whoever claimed with one life of it
    is refused by the next.
    """

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
        self._life = uuid4().hex

    def claim(self, jobs: Mapping[str, str], fresh: bool) -> tuple[str, dict[str, Progress]]:
        """Also this life, for what follows."""
        self._sink = self._sink or self._open()
        return self._life, self._sink.claim(jobs, fresh=fresh)

    def commit(self, life: str, commits: Sequence[Commit]) -> Receipt:
        return self._claimed(life).commit(commits)

    def publish(self, life: str, messages: Sequence[Message]) -> Receipt:
        return self._claimed(life).publish(messages)

    def close(self) -> None:
        if self._sink:
            self._sink.close()

    @ray.method(concurrency_group=BESIDE)  # type: ignore[untyped-decorator]
    def beat(self) -> Beat[str]:
        return Beat(self._life, self._logs.take())

    def _claimed(self, life: str) -> Sink:
        if self._sink is None or life != self._life:
            raise Lost("its sink actor died and was started again")
        return self._sink


class RemoteSink:
    """Implements `pipeline.sinks.sink.Sink` over a `SinkActor`, as long as that shows signs of
    life: a call may take long, as when its broker is away."""

    def __init__(self, actor: ActorHandle, patience: Patience) -> None:
        self._actor = actor
        self._pulse: Pulse[str] = Pulse(actor.beat.remote, patience)
        self._life = ""
        self._interrupted = threading.Event()

    @property
    def claimed(self) -> bool:
        return bool(self._life)

    def claim(self, jobs: Mapping[str, str], *, fresh: bool = False) -> dict[str, Progress]:
        claimed: dict[str, Progress]
        life, claimed = self._get(self._actor.claim.remote(jobs, fresh))
        if self._life not in ("", life):
            raise Lost("its sink actor died and was started again")
        self._life = life
        return claimed

    def commit(self, commits: Sequence[Commit]) -> Receipt:
        receipt: Receipt = self._get(self._actor.commit.remote(self._life, commits))
        return receipt

    def publish(self, messages: Sequence[Message]) -> Receipt:
        receipt: Receipt = self._get(self._actor.publish.remote(self._life, messages))
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

    def _look(self) -> None:
        if self._interrupted.is_set():
            raise SinkError("the sink was given up in mid-attempt", retryable=True)


class EngineActor:
    """Runs a shard. The decode actors are its own and die with it, and it does without a driver."""

    decode_actor: type[DecodeActor] = DecodeActor

    def __init__(
        self,
        config: Config,
        carrier: Carrier | None,
        need: Need,
        asked: Ask,
        patience: Patience,
        name: str,
        level: str,
    ) -> None:
        """
        Args:
            config: what to run.
            carrier: of the driver's files; None where the configuration names none of them.
            need: of its decoders, which start while the weights load.
            asked: what it has asked Ray for.
            patience: with those it needs, and how long it goes on without its driver.
            name: of this actor, in logs.
            level: that it and its decode actors log from.
        """
        self._logs = set_up_kept_logging(level, name)
        check_layout()
        self._config = config
        self._carrier = carrier
        self._patience = patience
        self._lease = Lease(patience.lease_s)
        kind, wait = self.decode_actor, config.wait_for_room
        start = decoders(kind, need, asked, name, level, wait=wait)
        self._feed = RayFeed(start, need.decoders, patience)
        self._assembly: Assembly | None = None
        self._shard: Shard | None = None
        self._sink: RemoteSink | None = None
        self._lock = threading.Lock()
        self._added: list[tuple[Mapping[str, str], Sequence[StreamSpec]]] = []  # before the shard
        self._stopped = False

    def assemble(self) -> Identity:
        """Build the engine. No part of `__init__`, whose errors reach the driver as text only."""
        self._assembly = self._build()
        return self._assembly.identity

    def _build(self) -> Assembly:
        # Not at the top: driver, sink and decode actors need no torch, which costs each of them
        # 1.5 s of CPU time and 480 MiB (2 cores, 2026-11-22).
        from pipeline.engine.assembly import assemble

        config = self._carrier.deliver(self._config) if self._carrier else self._config
        return assemble(config)

    def run(
        self,
        jobs: Mapping[str, str],
        specs: Sequence[StreamSpec],
        sink: ActorHandle,
        labels: Sequence[Message],
        fresh: bool,
        again: bool,
        stay: bool,
    ) -> Tally:
        """See `pipeline.engine.shard.Shard.run`.

        Raises:
            Lost: another engine can go on, this one cannot.
        """
        if self._assembly is None:  # this engine replaces one that died
            self.assemble()
        assert self._assembly
        if (found := self._assembly.identity.jobs(specs)) != {one: jobs[one] for one in found}:
            raise RuntimeFailure(
                "this engine computes otherwise than the one before it: its machine is of another "
                "kind; give the job nodes of one kind"
            )
        self._sink = RemoteSink(sink, self._patience)
        if not specs:  # it waits for some; whoever writes has claimed, be it nothing
            self._sink.claim({})
        shard = self._assembly.shard(self._config, self._feed, self._sink)
        with self._lock:
            shard.add(jobs, specs, fresh=fresh)
            self._shard = shard
            for more in self._added:
                self._take(*more)
        if self._stopped:
            shard.stop()
        try:
            return shard.run({}, (), labels=labels, again=again, stay=stay)
        except OSError as error:  # how Ray's calls fail where the Ray of this node has died
            raise Lost(f"its node is going down: {error}") from error
        finally:
            self._feed.close()

    @ray.method(concurrency_group=BESIDE)  # type: ignore[untyped-decorator]
    def beat(self) -> Beat[Tally]:
        """What has been done so far; None until the streams are claimed."""
        self._lease.renew()
        tally = None
        if self._shard and self._sink and self._sink.claimed:
            tally = self._shard.tally.snapshot()
            tally.here = frozenset(self._shard.streams())
        return Beat(tally, self._logs.take())

    @ray.method(concurrency_group=BESIDE)  # type: ignore[untyped-decorator]
    def add(self, jobs: Mapping[str, str], specs: Sequence[StreamSpec]) -> None:
        """Take in streams; those that it has already stay as they are."""
        with self._lock:
            if self._shard:
                self._take(jobs, specs)
            else:
                self._added.append((jobs, specs))

    @ray.method(concurrency_group=BESIDE)  # type: ignore[untyped-decorator]
    def remove(self, stream: str) -> None:
        """Have a stream leave, where it is here."""
        with self._lock:
            if self._shard and stream in self._shard.streams():
                self._shard.remove(stream)
            self._added = [
                (jobs, [spec for spec in specs if spec.stream != stream])
                for jobs, specs in self._added
            ]

    def _take(self, jobs: Mapping[str, str], specs: Sequence[StreamSpec]) -> None:
        assert self._shard
        here = self._shard.streams()
        self._shard.add(jobs, [spec for spec in specs if spec.stream not in here])

    @ray.method(concurrency_group=BESIDE)  # type: ignore[untyped-decorator]
    def stop(self) -> None:
        self._stopped = True
        if self._shard:
            self._shard.stop()

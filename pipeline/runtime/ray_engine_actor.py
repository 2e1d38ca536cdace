"""The actor that computes: a thin shell over Shard."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import ray
from ray.actor import ActorHandle

from pipeline.configuration.config import Config
from pipeline.doctor import check_layout
from pipeline.engine.identity import Identity
from pipeline.engine.shard import Shard
from pipeline.engine.tally import Tally
from pipeline.errors import RuntimeFailure
from pipeline.logs import set_up_kept_logging
from pipeline.records.record import Message
from pipeline.runtime.lease import Lease
from pipeline.runtime.ray_decoder import DecodeActor, decoders
from pipeline.runtime.ray_feed import RayFeed
from pipeline.runtime.ray_files import Carrier
from pipeline.runtime.ray_room import Ask, Need
from pipeline.runtime.ray_sink import RemoteSink
from pipeline.runtime.ray_watch import BESIDE, Beat, Lost, Patience
from pipeline.stream.spec import StreamSpec

if TYPE_CHECKING:
    from pipeline.engine.assembly import Assembly


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
        self._new_feed = partial(
            RayFeed, start, need.decoders, patience, most=config.decoders_max or 0
        )
        self._feed: RayFeed | None = self._new_feed()  # of the next run
        self._assembly: Assembly | None = None
        self._shard: Shard | None = None
        self._sink: RemoteSink | None = None
        self._lock = threading.Lock()
        self._added: list[tuple[Mapping[str, str], Sequence[StreamSpec]]] = []  # before the shard
        self._stopped = False
        self._told = Tally()  # to the driver

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
            SinkLost: it can be run again, with another sink.
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
        feed, self._feed = self._feed or self._new_feed(), None
        shard = self._assembly.shard(self._config, feed, self._sink)
        with self._lock:
            shard.add(jobs, specs, fresh=fresh)
            self._shard = shard
            added, self._added = self._added, []
            for more in added:
                self._take(*more)
        if self._stopped:
            shard.stop()
        try:
            return shard.run({}, (), labels=labels, again=again, stay=stay)
        except OSError as error:  # how Ray's calls fail where the Ray of this node has died
            raise Lost(f"its node is going down: {error}") from error
        finally:
            with self._lock:
                self._shard = None  # until it is run again, it has no streams
            feed.close()

    @ray.method(concurrency_group=BESIDE)  # type: ignore[untyped-decorator]
    def beat(self) -> Beat[Tally]:
        """What has been done since the last one (`Tally.upon`); None until the streams are
        claimed."""
        self._lease.renew()
        news, shard = None, self._shard
        if shard and self._sink and self._sink.claimed:
            tally = shard.tally.snapshot()
            tally.here = frozenset(shard.streams())
            news, self._told = tally.since(self._told), tally
        return Beat(news, self._logs.take())

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
        with self._lock:
            if self._shard:
                self._shard.stop()

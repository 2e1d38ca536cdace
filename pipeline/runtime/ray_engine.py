"""One engine of a job on Ray, as its driver knows it, and how engines are started."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import ray
from ray.actor import ActorHandle

from operators.backbones.architectures import architecture
from pipeline.configuration.config import Config
from pipeline.engine.tally import Tally
from pipeline.logs import level_in_use
from pipeline.runtime.ray_engine_actor import EngineActor
from pipeline.runtime.ray_files import Carrier, carrier
from pipeline.runtime.ray_nodes import Nodes
from pipeline.runtime.ray_room import Ask, Need, ask, gpu_share, has_room, needs
from pipeline.runtime.ray_watch import GROUPS, Lost, Patience, Pulse

log = logging.getLogger(__name__)

ROOM_S = 15.0  # until an engine is taken for one that waits for room
GIVEN_UP_S = 90.0  # by then Ray has given up a node that is lost; it takes a minute


@dataclass(slots=True, eq=False)
class Engine:
    """An actor that was started, and what is known of it.

    Attributes:
        begun_s: when it was started.
        node: where it is; empty until it is up.
        up: it has claimed its streams.
        told: to stop.
        waits: for room, and that has been said.
        killed: by this driver.
    """

    actor: ActorHandle
    asked: Ask
    pulse: Pulse[Tally]
    begun_s: float
    node: str = ""
    up: bool = False
    told: bool = False
    waits: bool = False
    killed: bool = False

    @property
    def coming(self) -> bool:
        """It is to start, and nobody has heard of it yet."""
        return not (self.pulse.heard or self.killed)

    def kill(self) -> None:
        """It may live: stopped, cut off, or only its sink was lost; its device is free for others
        from now on."""
        self.killed = True
        ray.kill(self.actor)

    def again(self) -> Engine:
        """It has nothing to do any more, and is to be given something."""
        self.up = False
        self.pulse.begin_again()
        return self

    def stop(self) -> None:
        """Have it end, once."""
        if not self.told:
            self.told = True
            self.actor.stop.remote()


class Starter:
    """Starts the engines of one job, all alike."""

    def __init__(
        self,
        kind: type[EngineActor],
        config: Config,
        nodes: Nodes,
        patience: Patience,
        clock: Callable[[], float],
    ) -> None:
        """
        Args:
            kind: what an engine is.
            config: what they run.
            nodes: of the cluster.
            patience: how long actors may be silent.
            clock: seconds, monotonic.
        """
        self._config = config
        self._nodes = nodes
        self._patience = patience
        self._clock = clock
        # Made once: Ray tells the head of every new one, which may be away when an engine is lost.
        self._kind = ray.remote(concurrency_groups=GROUPS)(kind)
        self._own = False
        self._begun: list[Engine] = []  # and not heard of yet, as of the last start
        self._lost_s: dict[str, float] = {}  # node -> when an engine was lost there
        self._need: Need | None = None
        self._carrier: Carrier | None = None

    def begin(self, streams: int, *, own: bool, stay: bool) -> list[Engine]:
        """Look at the cluster and start the engines of the job.

        Args:
            streams: how many there are.
            own: the cluster is the job's own.
            stay: more streams may come.

        Raises:
            DinostreamError: a cluster of the job's own has too few GPUs, or a file of the
                configuration cannot be read.
        """
        config, self._own = self._config, own
        count = config.engines if stay else min(config.engines, streams)
        beside = count + config.spare_engines
        gpus = gpu_share(config.gpus_per_engine, beside, self._nodes.now, own=own)
        each = -(-streams // count)
        decoders = config.decoders if stay else min(config.decoders, each)
        self._need = Need.of(architecture(config.model), gpus, decoders, each)
        self._carrier = None if own else carrier(config)
        return self._start(self._room(count), [f"engine {index + 1}" for index in range(count)])

    def start(self, name: str, after: Engine | None = None) -> Engine:
        """Another one, beside others where there is no room.

        Args:
            name: of it, in logs.
            after: that is lost. What it had is free again, on a node that is not lost too, before
                the cluster knows.
        """
        frees = after is not None and bool(after.node) and self.trusts(after.node)
        return self._start(after.asked if after and frees else self._room(1), [name])[0]

    def avoid(self, node: str) -> None:
        """An engine was lost on this node, which may be lost too: Ray takes it for one like any
        other until it has given it up. Nobody is sent there meanwhile who can go elsewhere."""
        self._lost_s[node] = self._clock()

    def trusts(self, node: str) -> bool:
        """Whether no engine was lost there lately."""
        return self._clock() - self._lost_s.get(node, -math.inf) >= GIVEN_UP_S

    def home(self, engine: Engine) -> str:
        """The node where it is."""
        return self._nodes.of(engine.actor)

    def one_more(self, name: str) -> Engine | None:
        """An engine in a new place, if there is room for it or room is waited for; else None."""
        asked = self._room(1)
        return self._start(asked, [name])[0] if asked.cpus else None

    def _room(self, count: int) -> Ask:
        assert self._need
        self._begun = [engine for engine in self._begun if engine.coming]
        count += len(self._begun)  # who may not have taken yet what it asked for
        return ask(self._need, self._nodes.now, count, wait=self._config.wait_for_room)

    def _start(self, asked: Ask, names: Iterable[str]) -> list[Engine]:
        lost = {node for node in self._lost_s if not self.trusts(node)}
        new = self._kind.options(**asked.options(self._nodes.now, lost))
        told = (self._config, self._carrier, self._need, asked, self._patience)
        engines = []
        for name in names:
            actor = new.remote(*told, name, level_in_use())
            pulse: Pulse[Tally] = Pulse(actor.beat.remote, self._patience, self._clock)
            engines.append(Engine(actor, asked, pulse, self._clock()))
        self._begun += engines
        return engines

    def see_that_it_starts(self, engine: Engine) -> None:
        """Ray places an actor when there is room, and says nothing until then.

        Raises:
            Lost: somebody else was quicker, and it would wait for CPUs or memory.
        """
        late = not engine.pulse.heard and self._clock() - engine.begun_s >= ROOM_S
        if not late or self._own or engine.waits or has_room(engine.asked, self._nodes.now):
            return
        if engine.asked.cpus and not self._config.wait_for_room:
            raise Lost("there is no room for it any more")
        engine.waits = True
        log.warning("an engine has not started and waits for room: %s", self.needs(engine))

    def needs(self, engine: Engine) -> str:
        """What it asks for and what the cluster has of it, for a person."""
        return needs(engine.asked, self._nodes.now)

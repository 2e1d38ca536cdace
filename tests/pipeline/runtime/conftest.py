"""One small Ray cluster for all tests of a run: a head, and nodes that tests add and kill. And a
double of Ray without processes or time of its own, for what no cluster does on command."""

from __future__ import annotations

import os
import secrets
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import ray
from ray._private.authentication.authentication_token_setup import enable_token_auth_by_default
from ray._raylet import GcsClient
from ray.cluster_utils import Cluster
from ray.core.generated import autoscaler_pb2, gcs_pb2
from ray.exceptions import RayActorError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from pipeline.errors import RuntimeFailure
from pipeline.runtime.ray_nodes import Snapshot
from pipeline.testing import ManualClock

WAIT_S = 200
# A node that is killed refuses connections, which is found out in two seconds; one that is merely
# busy has as long as ever to answer.
LOOKS = {"health_check_initial_delay_ms": 500, "health_check_period_ms": 300}


class Nodes:
    """A cluster that only this test process and what it starts have the token of."""

    def __init__(self) -> None:
        self._cluster = Cluster(
            initialize_head=True,
            head_node_args={"num_cpus": 2, "include_dashboard": False, "_system_config": LOOKS},
        )
        self.address = self._cluster.address

    def add(self, **resources: Any) -> Any:
        return self._cluster.add_node(**resources)

    def kill(self, node: Any) -> None:
        """As when its machine loses power. Back when Ray knows: whoever comes next is not sent
        there, who works meanwhile is."""
        self._cluster.remove_node(node, allow_graceful=False)
        gcs = GcsClient(address=self.address)
        dead = gcs_pb2.GcsNodeInfo.GcsNodeState.Value("DEAD")
        wait_until(
            lambda: all(
                info.state == dead
                for known, info in gcs.get_all_node_info().items()
                if known.hex() == node.node_id
            )
        )

    def drain(self, node: Any, seconds: float) -> None:
        """As when its provider wants it back; Ray takes notice, and leaves it to others to end."""
        deadline_ms = int((time.time() + seconds) * 1000)
        reason = autoscaler_pb2.DrainNodeReason.Value("DRAIN_NODE_REASON_PREEMPTION")
        accepted, why = GcsClient(address=self.address).drain_node(
            node.node_id, reason, "wanted back", deadline_ms
        )
        assert accepted, why

    def actors(self, kind: str, node: Any = None) -> list[int]:
        """Process ids of the actors of one class, on one node or on the head."""
        raylet = (node or self._cluster.head_node).all_processes["raylet"][0].process.pid
        return [pid for pid in children(raylet) if f"ray::{kind}" in title(pid)]

    @staticmethod
    def here(actor: type, **options: Any) -> Any:
        """To start such actors on the head: other tests kill their nodes, and for a while Ray takes
        a dead one for a place like any other."""
        head = ray.get_runtime_context().get_node_id()
        strategy = NodeAffinitySchedulingStrategy(head, soft=False)
        return ray.remote(num_cpus=0, scheduling_strategy=strategy, **options)(actor)

    def shut_down(self) -> None:
        self._cluster.shutdown()


def children(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            if int(stat.rpartition(")")[2].split()[1]) == pid:
                found.append(int(entry.name))
    return found


def title(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def wait_until(condition: Callable[[], Any]) -> Any:
    """Look again and again; what it says once that is true."""
    deadline_s = time.monotonic() + WAIT_S
    while not (found := condition()):
        assert time.monotonic() < deadline_s, "waited in vain"
        time.sleep(0.02)
    return found


class Processes:
    """What tests do to processes, and how they wait for them."""

    wait_until = staticmethod(wait_until)

    @staticmethod
    def stop(pid: int) -> None:
        os.kill(pid, signal.SIGSTOP)

    @staticmethod
    def go_on(pid: int) -> None:
        os.kill(pid, signal.SIGCONT)


@pytest.fixture(scope="session")
def processes() -> type[Processes]:
    return Processes


@pytest.fixture(scope="session", autouse=True)
def token() -> Iterator[None]:
    """Before any test: Ray looks for its token once in a process, whatever first needs it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(16))
        enable_token_auth_by_default()  # as `ray.init` does where it starts a cluster
        yield


@pytest.fixture(scope="session")
def nodes(token: None) -> Iterator[Nodes]:
    nodes = Nodes()
    yield nodes
    nodes.shut_down()


@pytest.fixture
def connected(nodes: Nodes) -> Iterator[Nodes]:
    """This process as a driver."""
    ray.init(nodes.address, configure_logging=False, log_to_driver=False)
    yield nodes
    ray.shutdown()


class Ref:
    """The result of a call, which may never come, or lie on another node."""

    def __init__(self, value: object = None, *, ready: bool = True, local: bool = True) -> None:
        self.value, self.ready, self.local = value, ready, local


class FakeActor:
    """Calls its body at once; what that raises, or that it was killed, is what the call gives."""

    def __init__(self, body: object) -> None:
        self.body = body
        self.killed = False
        self._calls: list[Ref] = []

    def __getattr__(self, name: str) -> Any:
        return SimpleNamespace(remote=lambda *args, **named: self._call(name, args, named))

    def _call(self, name: str, args: tuple, named: dict) -> Ref:
        try:
            if self.killed:
                raise RayActorError
            value = getattr(self.body, name)(*args, **named)
        except Exception as error:
            value = error
        self._calls.append(value if isinstance(value, Ref) else Ref(value))
        return self._calls[-1]

    def kill(self) -> None:
        self.killed = True
        for call in self._calls:
            if not call.ready:
                call.ready, call.value = True, RayActorError()


class FakeNodes:
    """What the cluster has, and whose node is to go, as the fake says at every look."""

    def __init__(self, fake: FakeRay) -> None:
        self._fake = fake

    @property
    def now(self) -> Snapshot:
        return Snapshot(self._fake.nodes, self._fake.nodes)

    def begin(self) -> None:
        """Nobody has to look."""

    close = begin

    def of(self, actor: FakeActor) -> str:
        return self._fake.home

    def are_leaving(self, *homes: FakeActor) -> bool:
        return any(actor in self._fake.leaving for actor in homes)

    def require_own(self) -> None:
        if self._fake.given_up:
            raise RuntimeFailure("the driver's node was given up")


class FakeRay:
    """What the runtime asks of the module `ray`. Whoever waits in vain lets its time pass.

    Attributes:
        bodies: class of an actor -> makes the body of each new one.
        actors: all that were started.
        options: what each of them asked for.
        nodes: what is free on each, which is all that they have.
        leaving: actors whose node is to go.
        home: the node where every actor is.
        given_up: the driver's node is.
    """

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.bodies: dict[str, Callable[[], object]] = {}
        self.actors: list[FakeActor] = []
        self.options: list[dict[str, Any]] = []
        self.leaving: list[FakeActor] = []
        self.home = ""
        self.given_up = False
        self.nodes: dict[str, dict[str, float]] = {"head": {"CPU": 2.0, "memory": 64.0 * (1 << 30)}}

    def remote(self, **first: Any) -> Callable[[type], Any]:
        def made(kind: type, options: dict[str, Any]) -> SimpleNamespace:
            def start(*_: object) -> FakeActor:
                self.options.append(options)
                return self.start(self.bodies[kind.__name__]())

            return SimpleNamespace(
                remote=start, options=lambda **more: made(kind, {**options, **more})
            )

        return lambda kind: made(kind, first)

    def start(self, body: object) -> FakeActor:
        self.actors.append(FakeActor(body))
        return self.actors[-1]

    def wait(
        self, refs: list[Ref], *, num_returns: int = 1, timeout: float, fetch_local: bool = True
    ) -> tuple[list[Ref], list[Ref]]:
        ready = [ref for ref in refs if ref.ready and (ref.local or not fetch_local)]
        if not ready:
            self.clock.advance(timeout)
        return ready, [ref for ref in refs if ref not in ready]

    def get(self, ref: Ref, timeout: float | None = None) -> object:
        if isinstance(ref.value, Exception):
            raise ref.value
        return ref.value

    def get_runtime_context(self) -> SimpleNamespace:
        return SimpleNamespace(get_node_id=lambda: "a" * 56)

    def kill(self, actor: FakeActor, no_restart: bool = True) -> None:
        actor.kill()


@pytest.fixture
def fake_ray(monkeypatch: pytest.MonkeyPatch) -> FakeRay:
    fake = FakeRay()
    for module in ("run", "engine", "sinks", "prepared", "feed", "watch"):
        monkeypatch.setattr(f"pipeline.runtime.ray_{module}.ray", fake)
    monkeypatch.setattr("pipeline.runtime.ray_run.Nodes", lambda: FakeNodes(fake))
    monkeypatch.setattr("pipeline.runtime.ray_run.cluster", lambda _: nullcontext())
    return fake


@pytest.fixture(scope="session")
def answered() -> type[Ref]:
    """The result of a call."""
    return Ref


@pytest.fixture(scope="session")
def never() -> Callable[[], Ref]:
    """Makes the result of a call that is never answered."""
    return lambda: Ref(ready=False)

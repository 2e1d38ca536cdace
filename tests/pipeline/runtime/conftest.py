"""One small Ray cluster for all tests of a run: a head, and nodes that tests add and kill."""

from __future__ import annotations

import os
import secrets
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import ray
from ray._private.authentication.authentication_token_setup import enable_token_auth_by_default
from ray.cluster_utils import Cluster

WAIT_S = 120


class Nodes:
    """A cluster that only this test process and what it starts have the token of."""

    def __init__(self) -> None:
        self._cluster = Cluster(
            initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False}
        )
        self.address = self._cluster.address

    def add(self, **resources: Any) -> Any:
        return self._cluster.add_node(**resources)

    def kill(self, node: Any) -> None:
        """As when its machine loses power."""
        self._cluster.remove_node(node, allow_graceful=False)

    def actors(self, kind: str, node: Any = None) -> list[int]:
        """Process ids of the actors of one class, on one node or on the head."""
        raylet = (node or self._cluster.head_node).all_processes["raylet"][0].process.pid
        return [pid for pid in children(raylet) if f"ray::{kind}" in title(pid)]

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


@pytest.fixture(scope="session")
def nodes() -> Iterator[Nodes]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(16))
        enable_token_auth_by_default()  # as `ray.init` does where it starts a cluster
        nodes = Nodes()
        yield nodes
        nodes.shut_down()


@pytest.fixture
def connected(nodes: Nodes) -> Iterator[Nodes]:
    """This process as a driver."""
    ray.init(nodes.address, configure_logging=False, log_to_driver=False)
    yield nodes
    ray.shutdown()

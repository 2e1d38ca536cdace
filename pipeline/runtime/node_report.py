"""The nouns of a look at a cluster: a node, its answers, the driver, and what is said of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.runtime.examination import Examination, FoundFile
from pipeline.runtime.visitor import Versions

State = Literal["wrong", "warning", "ok", "told"]


@dataclass(frozen=True, slots=True)
class Node:
    """A node as Ray knows it; resources are what its Ray was told or found."""

    id: str
    address: str
    host: str
    cpus: float
    gpus: float
    object_store_bytes: float


@dataclass(frozen=True, slots=True)
class Clock:
    """A node's clock less the driver's, seconds, and by how much that may be wrong."""

    ahead_s: float
    uncertain_s: float

    @property
    def wrong_s(self) -> float:
        """So much at least."""
        return max(0.0, abs(self.ahead_s) - self.uncertain_s)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a node answered.

    Attributes:
        node: which one.
        failure: why it said no more than what is here; "" where it said all.
        versions: of what is installed there.
        clock: how it goes.
        examination: only of a node with the driver's own dinostream.
    """

    node: Node
    failure: str = ""
    versions: Versions | None = None
    clock: Clock | None = None
    examination: Examination | None = None


@dataclass(frozen=True, slots=True)
class Driver:
    """What nodes are held to.

    Attributes:
        versions: of what is installed here.
        files: those of the configuration, as they lie here; None: there is no configuration.
        engines_on_gpus: engines take GPUs where the cluster has some.
        sink: what was reached from here.
        sink_trouble: why it was not.
    """

    versions: Versions
    files: Mapping[str, FoundFile] | None = None
    engines_on_gpus: bool = True
    sink: str = ""
    sink_trouble: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line about a node; `remedy` says what to do where something is to be done."""

    name: str
    state: State
    value: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class NodeReport:
    """A node and its findings, the worst first."""

    node: Node
    findings: Sequence[Finding]

    @property
    def worst(self) -> State:
        return self.findings[0].state


@dataclass(frozen=True, slots=True)
class ClusterReport:
    """What is said of the driver, and of every node, those that would not do first."""

    driver: Sequence[Finding]
    nodes: Sequence[NodeReport]

    @property
    def wrong(self) -> bool:
        """The driver or a node would not do."""
        return "wrong" in {one.state for one in self.driver} | {one.worst for one in self.nodes}

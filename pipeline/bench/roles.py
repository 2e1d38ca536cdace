"""Who of a job's processes does what: process ids -> CPU time and memory by role. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from pipeline.bench.tree import Usage

Role = Literal["driver", "engine", "decode", "sink", "store", "ray", "cameras"]
ROLES: tuple[Role, ...] = get_args(Role)
"""`decode`: decode actors, the hosts of decode processes. `store`: Ray's object store and raylet.
`ray`: what else Ray runs. `cameras`: what stands for cameras and their decoding, and is no part of
a job. Inline one process is `engine`, but for its committer's thread, which is `sink`; other
threads, such as those of Kafka's client, are not."""

_SIGNS: dict[str, Role] = {
    "pipeline.bench.switchboard": "cameras",
    "EngineActor": "engine",
    "DecodeActor": "decode",
    "SinkActor": "sink",
    "/raylet/raylet": "store",
}


def role_of(command: str) -> Role:
    """Of a process beside the job's first, by its command line."""
    return next((role for sign, role in _SIGNS.items() if sign in command), "ray")


def roles_of(usages: Mapping[int, Usage], first: int, runtime: str) -> dict[int, Role]:
    """Process id -> its role.

    Args:
        usages: the job's processes.
        first: the one that the job was started as.
        runtime: inline or ray.
    """
    of_first: Role = "engine" if runtime == "inline" else "driver"
    return {
        pid: of_first if pid == first else role_of(usage.command) for pid, usage in usages.items()
    }


def cpu_by_role(
    before: Mapping[int, Usage], after: Mapping[int, Usage], roles: Mapping[int, Role]
) -> dict[str, float]:
    """CPU time between two looks, seconds; of those that live at the second one."""
    spent: dict[str, float] = {}
    for pid, usage in after.items():
        earlier_s = before[pid].cpu_s if pid in before else 0.0
        spent[roles[pid]] = spent.get(roles[pid], 0.0) + usage.cpu_s - earlier_s
    return spent


def memory_by_role(usages: Mapping[int, Usage], roles: Mapping[int, Role]) -> dict[str, int]:
    """Resident memory that nobody else shares, bytes."""
    held: dict[str, int] = {}
    for pid, usage in usages.items():
        held[roles[pid]] = held.get(roles[pid], 0) + usage.own_bytes
    return held


def store_bytes(usages: Mapping[int, Usage], roles: Mapping[int, Role]) -> int:
    """Most that Ray's object store has held: pages that it has touched stay with it."""
    return sum(one.shared_bytes for pid, one in usages.items() if roles[pid] == "store")

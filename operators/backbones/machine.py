"""What this machine is: processor, its features, cores, memory.

Nothing in -> plain values out, from /proc where it exists. Knows nothing of torch or of dinostream.
"""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

# Flags that decide which matrix code there can be, in the order of their age.
FEATURES = (
    *("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "avx_vnni"),
    *("amx_tile", "amx_bf16", "amx_int8"),
)


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine.

    Attributes:
        system: operating system and architecture.
        cpu: the processor's name, as it says itself.
        vendor: its maker, as it says itself, such as `AuthenticAMD`; empty where it does not.
        features: those of `FEATURES` that it has.
        cores: that this process may use.
        memory_bytes: in all, None where it cannot be told.
    """

    system: str
    cpu: str
    vendor: str
    features: tuple[str, ...]
    cores: int
    memory_bytes: int | None


def this_machine(proc: Path = Path("/proc")) -> Machine:
    """Look at the machine.

    Args:
        proc: Linux's process file system; another folder in tests.
    """
    facts = _fields(proc / "cpuinfo")
    flags = set(facts.get("flags", "").split())
    return Machine(
        system=f"{platform.system()} {platform.machine()}",
        cpu=facts.get("model name") or platform.processor() or "unknown",
        vendor=facts.get("vendor_id", ""),
        features=tuple(name for name in FEATURES if name in flags),
        cores=_cores(),
        memory_bytes=_memory_bytes(_fields(proc / "meminfo")),
    )


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _fields(path: Path) -> dict[str, str]:
    """The first `name : value` of every name in such a file; empty where there is none."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return {}
    facts: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        facts.setdefault(name.strip(), value.strip())
    return facts


def _memory_bytes(facts: dict[str, str]) -> int | None:
    kibibytes = facts.get("MemTotal", "").removesuffix("kB").strip()
    return int(kibibytes) * 1024 if kibibytes.isdigit() else None

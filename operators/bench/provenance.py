"""Where figures come from: commit, moment, machine, versions, load. A figure without it is none."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from kernels.bench.origin import commit
from operators.backbones.machine import this_machine

LIBRARIES = ("torch", "av", "ray", "transformers", "numpy", "pillow")


def provenance() -> dict[str, Any]:
    """JSON values; taken when a benchmark begins."""
    return {
        "commit": commit(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": asdict(this_machine()),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in LIBRARIES},
        "load": load(),
    }


def load() -> list[float]:
    """Mean number of running processes over the last 1, 5 and 15 minutes, everybody's."""
    return [round(value, 2) for value in os.getloadavg()]


def _version(library: str) -> str:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return "absent"

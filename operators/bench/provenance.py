"""Where figures come from: commit, moment, machine, versions, load. A figure without it is none."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from operators.machine import this_machine

ROOT = Path(__file__).parents[2]
LIBRARIES = ("torch", "av", "ray", "transformers", "numpy", "pillow")


def provenance() -> dict[str, Any]:
    """JSON values; taken when a benchmark begins."""
    return {
        "commit": _commit(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": asdict(this_machine()),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in LIBRARIES},
        "load": load(),
    }


def load() -> list[float]:
    """Mean number of running processes over the last 1, 5 and 15 minutes, everybody's."""
    return [round(value, 2) for value in os.getloadavg()]


def _commit() -> str:
    """The checkout's commit, with `+` where files differ from it; `unknown` outside of one."""
    if not (ROOT / ".git").exists():
        return "unknown"
    commit = _git("rev-parse", "--short=12", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no")
    return f"{commit}+" if commit and changed else commit or "unknown"


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _version(library: str) -> str:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return "absent"

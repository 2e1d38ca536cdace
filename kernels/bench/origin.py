"""Where figures come from: commit, moment, chip, driver, clocks, versions.

In: a CUDA device, or None where there is none. Out: JSON values. Reads settings of the card and
never changes one.
"""

import hashlib
import importlib.metadata
import platform
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

ROOT = Path(__file__).parents[2]
CARD = ("driver_version", "power.limit", "clocks.max.sm", "clocks.max.memory", "persistence_mode")
NOW = ("clocks.sm", "clocks.mem", "power.draw", "temperature.gpu")


def origin(device: torch.device | None) -> dict[str, Any]:
    """What a figure must be read with; taken when a benchmark begins.

    Args:
        device: the CUDA device that is measured; None without one.

    Returns:
        JSON values. `sources` is a digest of the package's files, for copies without a history.
    """
    said: dict[str, Any] = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "sources": sources(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "triton": _version("triton"),
        "gpu": None,
    }
    return said if device is None else said | _hardware(device)


def commit() -> str:
    """The checkout's commit, with `+` where files differ from it; `unknown` outside of one."""
    if not (ROOT / ".git").exists():
        return "unknown"
    head = _output("git", "-C", str(ROOT), "rev-parse", "--short=12", "HEAD")
    changed = _output("git", "-C", str(ROOT), "status", "--porcelain", "--untracked-files=no")
    return f"{head}+" if head and changed else head or "unknown"


def sources() -> str:
    """Twelve hexadecimal digits of a digest over the names and bytes of this package's code."""
    package = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def clocks() -> dict[str, str] | None:
    """Clocks, power and temperature of the first card at this moment.

    Returns:
        Values with their units by nvidia-smi's names for them; None where it does not answer.
    """
    return _ask_card(NOW)


def _hardware(device: torch.device) -> dict[str, Any]:
    properties = torch.cuda.get_device_properties(device)
    return {
        "gpu": properties.name,
        "compute_capability": f"{properties.major}.{properties.minor}",
        "multiprocessors": properties.multi_processor_count,
        "memory_gib": round(properties.total_memory / 2**30, 1),
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
        "card": _ask_card(CARD),
        "clocks_idle": clocks(),
    }


def _ask_card(fields: tuple[str, ...]) -> dict[str, str] | None:
    said = _output("nvidia-smi", f"--query-gpu={','.join(fields)}", "--format=csv,noheader")
    values = [value.strip() for value in said.partition("\n")[0].split(",")]
    return dict(zip(fields, values, strict=True)) if len(values) == len(fields) else None


def _output(*command: str) -> str:
    """What a command prints; nothing where it is missing or fails."""
    if shutil.which(command[0]) is None:
        return ""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def _version(library: str) -> str:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return "absent"

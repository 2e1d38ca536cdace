"""What a node says of itself, whatever is installed there: this code travels to it as it is.

Nothing in -> plain values out. May use the standard library alone; anything else is for the
dinostream that lies on the node, and asked only of one that is the driver's own.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import platform
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pipeline.doctor import PACKAGES

Versions = dict[str, str | None]

CODE = "its code"  # behind dinostream's version
DISTRIBUTIONS = ("ray", "torch", "av", "kafka-python")
INSTALLED = (".py", ".json", ".yaml", ".safetensors")
_HEX = 12


class Visitor:
    """Looks at one node, from a process like those that run a job there."""

    def introduce(self) -> Versions:
        return versions()

    def now_s(self) -> float:
        """The node's clock, seconds since the epoch."""
        return time.time()

    def examine(self, *arguments: object) -> Any:
        """What the node's own `pipeline.runtime.examination` finds."""
        return importlib.import_module("pipeline.runtime.examination").examine(*arguments)


def versions() -> Versions:
    """Name -> version of what is installed here, None where it is not."""
    return {
        "dinostream": _version("dinostream"),
        CODE: code_hash(PACKAGES),
        "Python": platform.python_version(),
        **{name: _version(name) for name in DISTRIBUTIONS},
    }


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def code_hash(packages: Sequence[str]) -> str | None:
    """12 hex of the sha256 of all that is installed of the packages: two images of one version
    number need not be the same. None where one of them is not there."""
    digest = hashlib.sha256()
    for name in packages:
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            return None
        folder = Path(spec.origin).parent
        for path in sorted(one for one in folder.rglob("*") if one.suffix in INSTALLED):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{path.relative_to(folder.parent)} {content}\n".encode())
    return digest.hexdigest()[:_HEX]

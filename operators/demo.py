"""Weights of our own, `--weights demo`: a small backbone with its heads in one file that ships.

Trained on rendered footage alone; docs/demo-weights.md says how, and what they are good for.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from operators.checkpoint import sha256_tensors
from operators.errors import WeightsError
from operators.header import HEADER_KEY

SHIPPED = Path(__file__).with_name("demo.safetensors")
_BACKBONE = "backbone"


@dataclass(frozen=True, slots=True)
class DemoHead:
    """One operator's head: its tensors, float32, and the header that `fit` gave it."""

    tensors: Mapping[str, Tensor]
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Demo:
    """What the file holds.

    Attributes:
        backbone: tensors of `DEMO_MODEL`, float32, by upstream's names.
        sha256: of those tensors; the heads were trained on them.
        heads: by operator.
    """

    backbone: Mapping[str, Tensor]
    sha256: str
    heads: Mapping[str, DemoHead]


def read_demo(path: Path = SHIPPED) -> Demo:
    """Open the file.

    Raises:
        WeightsError: it is missing or is not such a file.
    """
    if not path.is_file():
        raise WeightsError(f"{path}: the demo weights are missing; install dinostream again")
    header, tensors = _read(path)
    if "heads" not in header:
        raise WeightsError(f"{path}: not a file of demo weights")
    backbone = _part(tensors, _BACKBONE)
    heads = {name: DemoHead(_part(tensors, name), facts) for name, facts in header["heads"].items()}
    return Demo(backbone, sha256_tensors(backbone), heads)


def write_demo(path: Path, backbone: Path, heads: Sequence[Path]) -> None:
    """Put a backbone and heads that were trained on it into one file, float16.

    Args:
        path: where to.
        backbone: safetensors, by upstream's names.
        heads: files of `dinostream fit`.
    """
    tensors = {f"{_BACKBONE}.{name}": own for name, own in _read(backbone)[1].items()}
    headers = {}
    for head in heads:
        facts, own = _read(head)
        headers[facts["operator"]] = facts
        tensors |= {f"{facts['operator']}.{name}": tensor for name, tensor in own.items()}
    halves = {name: own.half().contiguous() for name, own in tensors.items()}
    text = json.dumps({"format": 1, "heads": headers}, sort_keys=True)
    partial = path.with_suffix(".part")
    save_file(halves, partial, metadata={"format": "pt", HEADER_KEY: text})
    os.replace(partial, path)


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Header and tensors, float32."""
    with safe_open(path, framework="pt") as file:
        header = json.loads((file.metadata() or {}).get(HEADER_KEY, "{}"))
        return header, {name: file.get_tensor(name).float() for name in list(file.keys())}


def _part(tensors: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    start = f"{part}."
    own = (name for name in tensors if name.startswith(start))
    return {name.removeprefix(start): tensors[name] for name in own}

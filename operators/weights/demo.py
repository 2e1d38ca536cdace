"""Weights of our own, `--weights demo`: a small backbone with its heads in one file that ships.

Trained on rendered footage alone; docs/demo-weights.md says how, and what they are good for.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import Tensor

from operators.errors import WeightsError
from operators.weights.checkpoint import read_tensors, sha256_tensors
from operators.weights.digest import sha256_file
from operators.weights.header import HEADER_KEY, SHIPPED, read_header
from operators.whole_file import whole_file

_BACKBONE = "backbone"


@dataclass(frozen=True, slots=True)
class DemoHead:
    """One operator's head: its tensors, float32, and the header that `fit` gave it."""

    tensors: Mapping[str, Tensor]
    facts: Mapping[str, Any]

    @property
    def sha256(self) -> str:
        """Of tensors and header: labels and thresholds change what it says as weights do."""
        whole = sha256_tensors(self.tensors) + json.dumps(self.facts, sort_keys=True)
        return hashlib.sha256(whole.encode()).hexdigest()


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
        WeightsError: it is missing, damaged, or is not such a file.
    """
    if not path.is_file():
        raise WeightsError(f"{path}: the demo weights are missing; install dinostream again")
    header, tensors = read_header(path) or {}, _floats(path)
    if "heads" not in header:
        raise WeightsError(f"{path}: not a file of demo weights")
    backbone = backbone_part(tensors)
    heads = {name: DemoHead(_part(tensors, name), facts) for name, facts in header["heads"].items()}
    return Demo(backbone, sha256_tensors(backbone), heads)


def write_demo(path: Path, backbone: Path, heads: Sequence[Path]) -> None:
    """Put a backbone and heads that were trained on it into one file, float16.

    Args:
        path: where to.
        backbone: safetensors, by upstream's names.
        heads: files of `dinostream fit`, one for each operator.

    Raises:
        WeightsError: a head of another backbone, a second one for an operator, or a damaged file.
    """
    tensors = {f"{_BACKBONE}.{name}": own for name, own in _floats(backbone).items()}
    _write(path, tensors, {}, heads, trained_on=sha256_file(backbone))


def add_heads(path: Path, heads: Sequence[Path]) -> None:
    """Put further heads into such a file; what is in it stays as it is, to the bit.

    Args:
        path: of the file, which is replaced.
        heads: files of `dinostream fit --weights demo`, with this file's backbone.

    Raises:
        WeightsError: a head of another backbone, a second one for an operator, or a damaged file.
    """
    demo, header = read_demo(path), read_header(path) or {}
    _write(path, read_tensors(path), header["heads"], heads, trained_on=demo.sha256)


def _write(
    path: Path,
    tensors: Mapping[str, Tensor],
    headers: Mapping[str, Mapping[str, Any]],
    heads: Sequence[Path],
    *,
    trained_on: str,
) -> None:
    """What is given, and heads of the backbone with that hash, whole or not at all."""
    tensors, headers = dict(tensors), dict(headers)
    for head in heads:
        facts = read_header(head) or {}
        if facts.get("backbone") != trained_on:
            raise WeightsError(f"{head}: was not trained on sha256 {trained_on}, this backbone")
        operator = facts["operator"]
        if operator in headers:
            raise WeightsError(f"{head}: a second head for {operator}")
        headers[operator] = facts
        tensors |= {f"{operator}.{name}": own for name, own in _floats(head).items()}
    halves = {name: own.half().contiguous() for name, own in tensors.items()}
    text = json.dumps({"format": 1, "heads": headers}, sort_keys=True)
    with whole_file(path) as draft:
        save_file(halves, draft, metadata={"format": "pt", HEADER_KEY: text})


def backbone_part(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The backbone of such a file's tensors, by upstream's names."""
    return _part(tensors, _BACKBONE)


def _floats(path: Path) -> dict[str, Tensor]:
    return {name: own.float() for name, own in read_tensors(path).items()}


def _part(tensors: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    start = f"{part}."
    own = (name for name in tensors if name.startswith(start))
    return {name.removeprefix(start): tensors[name] for name in own}

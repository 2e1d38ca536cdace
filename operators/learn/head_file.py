"""Writes a trained head: one safetensors file that says itself what it is for.

Tensors and facts in -> a file that `operators.weights.heads` reads, and its sha256.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import Tensor

from operators.weights.digest import sha256_file
from operators.weights.header import HEADER_KEY
from operators.weights.heads import HEADER_FORMAT
from operators.whole_file import whole_file


def write_head(
    path: Path, operator: str, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]
) -> str:
    """Write a head, whole or not at all; an existing file is replaced.

    Args:
        path: where to, `.safetensors`.
        operator: whose head it is.
        tensors: by the names that the operator reads.
        facts: the header, JSON values, as docs/heads.md lists them; `backbone` at least.

    Returns:
        sha256 of the file.

    Raises:
        ValueError: no backbone in the header, or a name that is no .safetensors.
        OSError: it cannot be written.
    """
    backbone = facts.get("backbone")
    if not isinstance(backbone, str) or len(backbone) != 64 or path.suffix != ".safetensors":
        raise ValueError(
            "a head needs the sha256 of its backbone and a name that ends in .safetensors, got "
            f"{backbone!r} and {path.name!r}"
        )
    header = {"format": HEADER_FORMAT, "operator": operator, **facts}
    text = json.dumps(header, ensure_ascii=False, allow_nan=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with whole_file(path) as draft:
        save_file(plain, draft, metadata={HEADER_KEY: text})
    return sha256_file(path)

"""Products that a file has apart and the model as one. Knows nothing of files."""

from __future__ import annotations

import re
from collections.abc import Sequence

import torch
from torch import Tensor


def join_layers(named: dict[str, Tensor], parts: Sequence[str], whole: str) -> None:
    """`join` weights, and biases, of all layers that are called so behind any stem.

    Args:
        named: is changed in place.
        parts: names of layers, such as `attn.q_proj`, in the model's order.
        whole: the name of all of them, such as `attn.qkv`.
    """
    first = re.compile(rf"(.+\.){re.escape(parts[0])}\.(weight|bias)")
    for stem, kind in [found.groups() for found in map(first.fullmatch, named) if found]:
        join(named, [f"{stem}{part}.{kind}" for part in parts], f"{stem}{whole}.{kind}")


def join(named: dict[str, Tensor], parts: Sequence[str], whole: str) -> None:
    """Put tensors one below the other under a name of their own, where all are there and fit; what
    does not keeps its names for the strict check to report.

    Args:
        named: is changed in place.
        parts: names, in the model's order; `[D, ...]` each.
        whole: the name of all of them.
    """
    own = [named[part] for part in parts if part in named]
    if len(own) < len(parts) or any(one.ndim == 0 for one in own):
        return
    if len({one.shape[1:] for one in own}) > 1:
        return
    for part in parts:
        del named[part]
    named[whole] = torch.cat(own)

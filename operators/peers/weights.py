"""A file that somebody published -> the tensors of a timm model, each held to its shape.

Files of DINO v1 and iBOT (a bare backbone, or a whole checkpoint with `teacher` and `student`), of
OpenCLIP (towers of pictures and of text) and of timm itself. Nothing in a file is run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from operators.errors import WeightsError
from operators.peers.library import timm_tensors
from operators.weights.checkpoint import check_layout, read_tensors
from operators.weights.plain_vit import unwrapped

# Heads of the training or of ImageNet, and what only training reads.
_UNREAD = re.compile(r"^(head|head_dist|fc_norm|pre_logits)\.|^(masked_embed|mask_token)$")


def published_tensors(path: Path, model: Any) -> dict[str, Tensor]:
    """
    Args:
        path: of the file, PyTorch's or safetensors.
        model: from `operators.peers.library.timm_vit`.

    Returns:
        All tensors of the model, float32.

    Raises:
        WeightsError: absent, damaged, refused, or of another model; names the file and the keys.
    """
    own = model.state_dict()
    found = unwrapped(read_tensors(path))
    _check_patch(path, found, own)
    named = timm_tensors(model, found)
    kept = {name: tensor for name, tensor in named.items() if not _UNREAD.search(name)}
    check_layout(path, kept, own)
    return {name: tensor.float() for name, tensor in kept.items()}


def _check_patch(path: Path, found: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> None:
    """timm would resize the projection of another patch in silence.

    Raises:
        WeightsError: it is of another patch.
    """
    want = tuple(own["patch_embed.proj.weight"].shape)
    for name, tensor in found.items():
        if tensor.ndim == 4 and tensor.shape[1] == 3 and tuple(tensor.shape) != want:
            raise WeightsError(
                f"{path}: does not fit the model; {name} is {list(tensor.shape)}, the model's "
                f"projection of patches is {list(want)}"
            )

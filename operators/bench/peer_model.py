"""transformers' own Dinov2Model with the weights that dinostream runs with.

Architecture and weights in -> a frozen model out. The only place that knows transformers, which is
needed for this comparison and for tests, never to run dinostream.
"""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from operators.backbones.architectures import Architecture
from operators.errors import UsageError

# Upstream's names -> those of Hugging Face's files.
_RENAMED = (
    (r"^(cls_token|mask_token)$", r"embeddings.\1"),
    (r"^pos_embed$", "embeddings.position_embeddings"),
    (r"^patch_embed\.proj\.", "embeddings.patch_embeddings.projection."),
    (r"^norm\.", "layernorm."),
    (r"^blocks\.(\d+)\.", r"encoder.layer.\1."),
    (r"\.attn\.proj\.", ".attention.output.dense."),
    (r"\.ls([12])\.gamma$", r".layer_scale\1.lambda1"),
)
_FUSED = re.compile(r"\.attn\.qkv\.(weight|bias)$")


def require_transformers() -> Any:
    """The library to compare with.

    Raises:
        UsageError: says how to get it.
    """
    try:
        return importlib.import_module("transformers")
    except ImportError as error:
        raise UsageError(
            "dinostream bench compares with the transformers library, which is not installed here; "
            "pip install 'transformers>=5' (in a checkout: pip install '.[bench]')"
        ) from error


def peer_model(arch: Architecture, tensors: Mapping[str, Tensor], attention: str = "sdpa") -> Any:
    """A Dinov2Model, float32, in evaluation mode.

    Args:
        arch: without registers, feed-forward part "mlp".
        tensors: its weights, by upstream's names.
        attention: transformers' name of it: `sdpa`, which is its default, or `eager`.

    Raises:
        UsageError: transformers is not installed.
    """
    os.environ["HF_HUB_OFFLINE"] = "1"  # nothing here is fetched
    transformers = require_transformers()
    config = transformers.Dinov2Config(
        hidden_size=arch.width,
        num_hidden_layers=arch.depth,
        num_attention_heads=arch.heads,
        image_size=arch.grid * arch.patch,
        patch_size=arch.patch,
    )
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    model = transformers.Dinov2Model.from_pretrained(
        None,
        config=config,
        state_dict=to_hugging_face(tensors),
        attn_implementation=attention,
    )
    return model.eval().requires_grad_(False)


def to_hugging_face(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Upstream's names -> Hugging Face's, the fused projection apart; inverse of
    `operators.weights.huggingface.to_upstream`."""
    renamed = {}
    for name, tensor in tensors.items():
        for pattern, replacement in _RENAMED:
            name = re.sub(pattern, replacement, name)
        if fused := _FUSED.search(name):
            stem = name[: fused.start()] + ".attention.attention"
            for part, own in zip(("query", "key", "value"), tensor.chunk(3), strict=True):
                renamed[f"{stem}.{part}.{fused[1]}"] = own.clone()
        else:
            renamed[name] = tensor
    return renamed

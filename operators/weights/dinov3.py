"""DINOv3: tensors as Meta's files name them, or Hugging Face's -> as the backbone names them.

Inference needs less than a file has: not the biases of keys, which upstream multiplies by a mask of
zeros, nor the norm of small crops, which only training uses. Says why a file cannot be taken; what
it does not recognise keeps its name for the strict check to report.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from operators.backbones.architectures import ARCHITECTURES, Architecture
from operators.backbones.rotary import PERIODS, exact_periods
from operators.backbones.statistics import SAT493M
from operators.errors import WeightsError
from operators.weights.catalogue import published_as
from operators.weights.dinov3_files import LICENCE
from operators.weights.joining import join_layers

log = logging.getLogger(__name__)

_HUGGING_FACE = "embeddings.patch_embeddings.weight"
_OWN = (PERIODS, "storage_tokens", _HUGGING_FACE)
_CONVNEXT = ("downsample_layers.", "stages.")
_BIAS, _MASK = ".qkv.bias", ".qkv.bias_mask"
_TRAINING = "local_cls_norm."
_RENAMED = (
    # Meta's names.
    (r"^storage_tokens$", "register_tokens"),
    # Hugging Face's.
    (r"^embeddings\.(cls_token|mask_token|register_tokens)$", r"\1"),
    (r"^embeddings\.patch_embeddings\.", "patch_embed.proj."),
    (r"^(model\.)?layer\.(\d+)\.", r"blocks.\2."),
    (r"\.attention\.o_proj\.", ".attn.proj."),
    (r"\.attention\.([qkv]_proj)\.", r".attn.\1."),
    (r"\.layer_scale([12])\.lambda1$", r".ls\1.gamma"),
)
_MLP = ((r"\.mlp\.up_proj\.", ".mlp.fc1."), (r"\.mlp\.down_proj\.", ".mlp.fc2."))
_SWIGLU = (
    (r"\.mlp\.gate_proj\.", ".mlp.w1."),
    (r"\.mlp\.up_proj\.", ".mlp.w2."),
    (r"\.mlp\.down_proj\.", ".mlp.w3."),
)
_JOINED = {"qkv": ("q_proj", "k_proj", "v_proj"), "w12": ("w1", "w2")}
_BIASED = ("qkv", *_JOINED["qkv"])


def is_one(tensors: Mapping[str, Tensor]) -> bool:
    """Whether these are a DINOv3's vision transformer, by either names."""
    return any(name in tensors for name in _OWN)


def backbone(
    path: Path, sha256: str, arch: Architecture, tensors: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """By the names of `VisionTransformer`.

    Args:
        path: of the file, for texts.
        sha256: of the file.
        arch: what it shall be.
        tensors: of the file, for which `is_one` or `arch.rotary` holds.

    Raises:
        WeightsError: of another family, or with biases of keys that no mask takes away, or one
            that says nothing.
    """
    if any(name.startswith(_CONVNEXT) for name in tensors):
        raise WeightsError(
            f"{path}: a ConvNeXt; of DINOv3 dinostream runs the vision transformers alone"
        )
    if is_one(tensors) != arch.rotary:
        found = "no DINOv3" if arch.rotary else "a DINOv3"
        raise WeightsError(
            f"{path}: {found}, the model is {arch.name}; `dinostream weights inspect` says which "
            "--model it is"
        )
    of_satellites = f"{arch.name}_{SAT493M.name}"
    if (
        published_as(sha256) is None
        and SAT493M.name in str(path)
        and of_satellites in ARCHITECTURES
    ):
        log.warning(
            "%s: its path speaks of %s, %s normalises pixels by %s; if it has learnt satellite "
            "pictures, give --model %s",
            *(path, SAT493M.name, arch.name, arch.statistics.name, of_satellites),
        )
    unmasked = next((name for name in tensors if _is_unmasked(name, tensors)), None)
    if unmasked:
        raise WeightsError(
            f"{path}: no bias_mask of its size beside {unmasked}, so biases of keys would count, "
            "which upstream masks away; get the file from where it was published"
        )
    if any(name.endswith(_MASK) and not _is_mask(tensor) for name, tensor in tensors.items()):
        raise WeightsError(
            f"{path}: bias_mask has other numbers than 0 and 1, so it was never initialised: no "
            "trained weights; get the file from where it was published"
        )
    log.warning(
        "%s: Meta's DINOv3 files are under the DINOv3 License (%s), which also binds what is made "
        "of them and forbids some uses, military ones among them",
        path,
        LICENCE,
    )
    named = renamed(tensors)
    if _HUGGING_FACE in tensors:
        named.setdefault(PERIODS, exact_periods(arch))
    return named


def renamed(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """All that inference needs; a file of Hugging Face's has no periods."""
    table = _RENAMED + (_SWIGLU if any(".gate_proj." in name for name in tensors) else _MLP)
    named = {
        _rename(name, table): tensor
        for name, tensor in tensors.items()
        if not name.startswith(_TRAINING)
    }
    for name in [name for name in named if name.endswith(_MASK)]:
        mask, bias = named.pop(name), name.replace(_MASK, _BIAS)
        if bias in named and named[bias].shape == mask.shape:
            named[bias] = named[bias] * mask
    if "mask_token" in named and named["mask_token"].ndim == 3:  # Hugging Face's
        named["mask_token"] = named["mask_token"].flatten(0, 1)
    return _joined(named | _absent_biases(named))


def _absent_biases(named: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Zeros for what no block has: 7B's queries, keys and values; Hugging Face's keys."""
    biased = {_layer(name) for name in named if name.endswith(".bias")}
    lacking = set(_BIASED) - biased
    return {
        name.removesuffix("weight") + "bias": tensor.new_zeros(len(tensor))
        for name, tensor in named.items()
        if name.endswith(".weight") and tensor.ndim and _layer(name) in lacking
    }


def _joined(named: dict[str, Tensor]) -> dict[str, Tensor]:
    """Products that are one here and several there, in the order in which they are told apart."""
    for whole, parts in _JOINED.items():
        join_layers(named, parts, whole)
    return named


def _is_unmasked(name: str, tensors: Mapping[str, Tensor]) -> bool:
    """Whether that is a block's bias `[3 D]` with a part for keys that nothing takes away."""
    bias, mask = tensors[name], tensors.get(name.replace(_BIAS, _MASK))
    if not name.endswith(_BIAS) or bias.ndim != 1:
        return False
    return bool(bias.chunk(3)[1].any()) if mask is None else mask.shape != bias.shape


def _is_mask(tensor: Tensor) -> bool:
    return bool(((tensor == 0) | (tensor == 1)).all())


def _layer(name: str) -> str:
    """The linear layer that a tensor belongs to: `qkv` of `blocks.0.attn.qkv.bias`."""
    return name.split(".")[-2] if "." in name else ""


def _rename(name: str, table: tuple[tuple[str, str], ...]) -> str:
    for pattern, replacement in table:
        name = re.sub(pattern, replacement, name)
    return name

"""dino.txt's files, and the head file that is made of them: which is which, by names of tensors.

Upstream publishes a vision head and a text encoder (hub/dinotxt.py). A head of the kind `words`
holds the former as it is, and what the latter says of some labels; two operators read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from operators.errors import WeightsError

OPERATOR = "words"  # in a header: whose head it is
SERVES = ("classify", "segmentation")
LOGIT_SCALE = "logit_scale"  # in a header: what cosines are multiplied with
MOST_LOGIT_SCALE = 10_000  # CLIP's training stops at 100; with numbers without end scores are none
VISION_HEAD = "vision_head."  # before upstream's names
TEXTS = "texts"  # a vector of length one for each label, `[C, 2 D]`


def is_vision_head(tensors: Mapping[str, Tensor]) -> bool:
    """Whether these are upstream's vision head."""
    return "block_list.0.attn.qkv.weight" in tensors and "ln_final.weight" in tensors


def is_text_encoder(tensors: Mapping[str, Tensor]) -> bool:
    """Whether these are upstream's text encoder."""
    return "backbone.token_embedding.weight" in tensors


def refuse_part(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Of one of upstream's files alone no operator makes scores.

    Raises:
        WeightsError: it is one.
    """
    if is_vision_head(tensors) or is_text_encoder(tensors):
        raise WeightsError(
            f"{path}: a part of dino.txt, which has no labels yet; make a head of it and your "
            "words with `dinostream fit words`, which serves classify and segmentation"
        )


def vision_head(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The vision head in a head file, by upstream's names."""
    return {
        name.removeprefix(VISION_HEAD): tensor
        for name, tensor in tensors.items()
        if name.startswith(VISION_HEAD)
    }

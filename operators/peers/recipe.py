"""How a peer was published, as a table: its name -> timm's architecture and its preprocessing.

Knows nothing of timm itself or of files.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

from operators.backbones.statistics import IMAGENET, Statistics
from operators.errors import UsageError
from operators.peers.name import PeerName

CLIP = Statistics(
    (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711), "openai-clip"
)


@dataclass(frozen=True, slots=True)
class Recipe:
    """
    Attributes:
        timm: name of the architecture; with its tag where that says the statistics.
        statistics: None: those of timm's tag.
    """

    timm: str
    statistics: Statistics | None = None


# Vision transformers of iBOT (arXiv 2111.07832, Apache-2.0): DINO v1's, without LayerScale.
_IBOT = ("vit_small", "vit_base", "vit_large")
# Towers of OpenCLIP (MIT) by its names; `-quickgelu` is how OpenAI's own (arXiv 2103.00020) were
# trained. Those that were trained with other statistics than OpenAI's, as LAION-2B's L/14 was, have
# a tag at timm that says so.
_OPEN_CLIP = {
    "ViT-B-32": "vit_base_patch32_clip_224",
    "ViT-B-32-quickgelu": "vit_base_patch32_clip_quickgelu_224",
    "ViT-B-16": "vit_base_patch16_clip_224",
    "ViT-B-16-quickgelu": "vit_base_patch16_clip_quickgelu_224",
    "ViT-L-14": "vit_large_patch14_clip_224",
    "ViT-L-14-quickgelu": "vit_large_patch14_clip_quickgelu_224",
    "ViT-H-14": "vit_huge_patch14_clip_224",
    "ViT-g-14": "vit_giant_patch14_clip_224",
    "ViT-bigG-14": "vit_gigantic_patch14_clip_224",
}
_TABLES: dict[str, dict[str, Recipe]] = {
    "ibot": {name: Recipe(f"{name}_patch16_224", IMAGENET) for name in _IBOT},
    "open_clip": {name: Recipe(timm, CLIP) for name, timm in _OPEN_CLIP.items()},
}


def recipe_of(peer: PeerName) -> Recipe:
    """
    Args:
        peer: of a family that timm computes.

    Raises:
        UsageError: its family does not have that model; the text lists those that it has.
    """
    if peer.family == "timm":
        return Recipe(peer.model)
    table = _TABLES[peer.family]
    if peer.model not in table:
        near = get_close_matches(peer.model, table, n=1, cutoff=0.4)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise UsageError(f"unknown {peer}.{hint} {peer.family} has: {', '.join(table)}")
    return table[peer.model]

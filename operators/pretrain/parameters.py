"""Which parameters learn how fast, and which decay, as DINOv2 has it.

A backbone and its heads in -> groups for an optimiser out. Knows no schedule.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import nn

from operators.backbones.vit import VisionTransformer


def parameter_groups(
    backbone: VisionTransformer,
    heads: Iterable[nn.Module],
    *,
    layer_decay: float,
    patch_embed_scale: float,
) -> list[dict[str, Any]]:
    """Parameters that are treated alike, in one dict each.

    The last block learns at `layer_decay` times the full rate, the one before it at its square and
    so on; patch embedding, positions, class and mask token and registers are below the first block.
    Final norm and heads have the full rate. Offsets, norms and LayerScale's gammas do not decay;
    tokens and positions do, as do the gains of prototypes.

    Args:
        backbone: its parameters that want a gradient.
        heads: theirs too; one that two losses share may be named twice.
        layer_decay: 1 for none.
        patch_embed_scale: a further factor of the patch embedding's rate.

    Returns:
        Dicts with `params` and, for whoever sets rate and decay at every step, `lr_scale` (factor
        of the rate), `decays` and `last_layer` (whether it is a head's, which rests in the first
        epoch).
    """
    groups: dict[tuple[float, bool, bool], list[nn.Parameter]] = {}
    depth = len(backbone.blocks)
    for name, parameter in backbone.named_parameters():
        scale = layer_decay ** (depth + 1 - _layer(name, depth))
        if name.startswith("patch_embed."):
            scale *= patch_embed_scale
        if parameter.requires_grad:
            groups.setdefault((scale, _decays(name), False), []).append(parameter)
    # One list of modules, which names what is shared once.
    for name, parameter in nn.ModuleList(heads).named_parameters():
        if parameter.requires_grad:
            key = (1.0, _decays(name), "last_layer" in name)
            groups.setdefault(key, []).append(parameter)
    return [
        {"params": own, "lr_scale": scale, "decays": decays, "last_layer": last}
        for (scale, decays, last), own in groups.items()
    ]


def _layer(name: str, depth: int) -> int:
    """0 for what comes before the blocks, 1 for the first of them."""
    room, _, rest = name.partition(".")
    if room == "blocks":
        return 1 + int(rest.partition(".")[0])
    return depth + 1 if room == "norm" else 0


def _decays(name: str) -> bool:
    return not (name.endswith(".bias") or "norm" in name or "gamma" in name)

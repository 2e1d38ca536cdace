"""Writes vit_goldens.npz: sampled tokens of upstream's own DINOv2 code on seeded weights.

    python make_vit_goldens.py UPSTREAM_CHECKOUT

README.md beside this file says which checkout. The recipe for weights and pixels is used by the
tests as well. Not run by the test suite.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

WEIGHTS_SEED, PIXELS_SEED = 20230414, 20230928
SIZES_HW = ((224, 224), (224, 392))
# name -> width, depth, heads, feed-forward; L and g cut to a few blocks for time and memory.
MODELS = {
    "dinov2_vitti14": (192, 12, 3, "mlp"),
    "dinov2_vits14": (384, 12, 6, "mlp"),
    "dinov2_vitb14": (768, 12, 12, "mlp"),
    "dinov2_vitl14": (1024, 4, 16, "mlp"),
    "dinov2_vitg14": (1536, 2, 24, "swiglufused"),
}


def seeded_tensors(
    shapes: Mapping[str, Sequence[int]], seed: int = WEIGHTS_SEED
) -> dict[str, NDArray[np.float32]]:
    """Weights that make every part of the network matter: numpy's PCG64, drawn in name order."""
    draw = np.random.Generator(np.random.PCG64(seed))
    return {
        name: _scaled(name, draw.standard_normal(tuple(shapes[name]), dtype=np.float32))
        for name in sorted(shapes)
    }


def _scaled(name: str, normal: NDArray[np.float32]) -> NDArray[np.float32]:
    one = np.float32(1)
    if name.endswith(".bias"):
        return normal * np.float32(0.1)
    if name.endswith(("gamma", "lambda1")):
        return np.float32(0.3) + normal * np.float32(0.1)
    if normal.ndim == 1:  # gains of the norms
        return one + normal * np.float32(0.1)
    if name.endswith(("_token", "_tokens", "pos_embed", "position_embeddings")):
        return normal * np.float32(0.5)
    return normal / np.sqrt(np.float32(normal[0].size))


def seeded_pixels(size_hw: tuple[int, int]) -> NDArray[np.float32]:
    """One picture's worth of already normalised noise, `[1, 3, H, W]`."""
    draw = np.random.Generator(np.random.PCG64(PIXELS_SEED))
    return draw.standard_normal((1, 3, *size_hw), dtype=np.float32)


def sampled(tokens: NDArray[np.float32]) -> NDArray[np.float32]:
    """9 tokens (the class token, the last patch, others between) x 64 channels of `[1, N, D]`."""
    _, count, width = tokens.shape
    return tokens[0, np.linspace(0, count - 1, 9).astype(int), :: width // 64][:, :64]


def _upstream_model(name: str, registers: int) -> Any:
    from functools import partial

    from dinov2.layers import MemEffAttention
    from dinov2.layers import NestedTensorBlock as Block
    from dinov2.models.vision_transformer import DinoVisionTransformer

    width, depth, heads, ffn = MODELS[name]
    return DinoVisionTransformer(
        img_size=518,
        patch_size=14,
        embed_dim=width,
        depth=depth,
        num_heads=heads,
        mlp_ratio=4,
        block_fn=partial(Block, attn_class=MemEffAttention),
        init_values=1.0,
        ffn_layer=ffn,
        block_chunks=0,
        num_register_tokens=registers,
        interpolate_antialias=bool(registers),
        interpolate_offset=0.0 if registers else 0.1,
    ).eval()


def main(checkout: str, target: Path) -> None:
    """Run upstream for every model and size, and write the samples."""
    os.environ["XFORMERS_DISABLED"] = "1"
    sys.path.insert(0, checkout)
    import torch

    goldens = {}
    for name, registers in [(name, count) for name in MODELS for count in (0, 4)]:
        model = _upstream_model(name, registers)
        shapes = {key: value.shape for key, value in model.state_dict().items()}
        tensors = {key: torch.from_numpy(one) for key, one in seeded_tensors(shapes).items()}
        model.load_state_dict(tensors, strict=True)
        for size_hw in SIZES_HW:
            with torch.inference_mode():
                tokens = model.prepare_tokens_with_masks(torch.from_numpy(seeded_pixels(size_hw)))
                for index, block in enumerate(model.blocks):
                    tokens = block(tokens)
                    if index == (len(model.blocks) - 1) // 2:
                        middle = tokens
                normed = model.norm(tokens)
            key = f"{name}{'_reg' if registers else ''}/{size_hw[0]}x{size_hw[1]}"
            goldens[f"{key}/middle"] = sampled(middle.numpy())
            goldens[f"{key}/normed"] = sampled(normed.numpy())
    np.savez_compressed(target, **goldens)


if __name__ == "__main__":
    main(sys.argv[1], Path(__file__).with_name("vit_goldens.npz"))

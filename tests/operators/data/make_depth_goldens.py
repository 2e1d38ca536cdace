"""Writes depth_goldens.npz: what upstream's own depth heads compute on seeded weights.

    python make_depth_goldens.py UPSTREAM_CHECKOUT

depth_goldens.md beside this file says which checkout. The tests draw weights and features by the
same recipe. Not run by the test suite.
"""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS, WIDTH, GRID, BATCH = 256, 192, (5, 7), 2
RANGES_M = {"nyu": (0.001, 10.0), "kitti": (0.001, 80.0)}
WHOLE_MODEL, WHOLE_SIZE_HW = "dinov2_vits14", (70, 98)
UPSTREAM_NAMES = {
    "dinov2_vits14": "vit_small",
    "dinov2_vitb14": "vit_base",
    "dinov2_vitl14": "vit_large",
    "dinov2_vitg14": "vit_giant2",
}

Arrays = dict[str, NDArray[np.float32]]


def seeded_head(width: int, blocks: int) -> Arrays:
    """A linear head's tensors by upstream's names.

    Neighbouring bins weigh alike (a few zigzags over the bins), as in a trained head: depths spread
    over much of the range instead of gathering in its middle. Summed in float64, so that every
    machine draws the same float32.
    """
    draw = np.random.Generator(np.random.PCG64([7, width, blocks]))
    channels = 2 * width * blocks
    zigzags = np.abs(np.outer(np.arange(BINS) / BINS, [1, 2, 3, 4]) % 2 - 1) * 2 - 1
    weight = zigzags @ draw.standard_normal((4, channels)) * (4 / channels**0.5)
    bias = zigzags @ draw.standard_normal(4)
    return {
        "decode_head.conv_depth.weight": weight[..., None, None].astype(np.float32),
        "decode_head.conv_depth.bias": bias.astype(np.float32),
    }


def seeded_features(blocks: int) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Per block (patches `[B, h, w, D]`, class tokens `[B, D]`)."""
    draw = np.random.Generator(np.random.PCG64([11, blocks]))
    return [
        (
            draw.standard_normal((BATCH, *GRID, WIDTH), dtype=np.float32),
            draw.standard_normal((BATCH, WIDTH), dtype=np.float32),
        )
        for _ in range(blocks)
    ]


def _head_alone(blocks: int, range_m: tuple[float, float]) -> NDArray[np.float32]:
    import torch
    from dinov2.hub.depth import BNHead

    head = BNHead(
        classify=True,
        n_bins=BINS,
        bins_strategy="UD",
        norm_strategy="linear",
        upsample=4,
        in_channels=[WIDTH] * blocks,
        in_index=list(range(blocks)),
        input_transform="resize_concat",
        channels=WIDTH * blocks * 2,
        align_corners=False,
        min_depth=range_m[0],
        max_depth=range_m[1],
    )
    _fill(head, seeded_head(WIDTH, blocks), prefix="decode_head.")
    read = [
        (torch.from_numpy(patches).permute(0, 3, 1, 2), torch.from_numpy(cls))
        for patches, cls in seeded_features(blocks)
    ]
    with torch.inference_mode():
        return head(read)[:, 0].clamp(*range_m).numpy()


def _whole(blocks: int, vit: dict[str, Any]) -> NDArray[np.float32]:
    """Backbone, choice of blocks and head together; upstream's hub code fixes 0.001-80 m here."""
    import torch
    from dinov2.hub.depthers import _make_dinov2_linear_depther

    depther = _make_dinov2_linear_depther(
        arch_name=UPSTREAM_NAMES[WHOLE_MODEL],
        layers=blocks,
        pretrained=False,
        depth_range=RANGES_M["kitti"],
    ).eval()
    shapes = {name: tensor.shape for name, tensor in depther.backbone.state_dict().items()}
    _fill(depther.backbone, vit["seeded_tensors"](shapes))
    _fill(depther.decode_head, seeded_head(shapes["cls_token"][-1], blocks), prefix="decode_head.")
    with torch.inference_mode():
        pixels = torch.from_numpy(vit["seeded_pixels"](WHOLE_SIZE_HW))
        return depther.encode_decode(pixels, None, rescale=False)[:, 0].numpy()


def _blocks_read(model: str, blocks: int) -> list[int]:
    import torch
    from dinov2.hub.depthers import _make_dinov2_linear_depther

    with torch.device("meta"):
        swiglu = {"ffn_layer": "swiglufused"} if model == "dinov2_vitg14" else {}
        depther = _make_dinov2_linear_depther(
            arch_name=UPSTREAM_NAMES[model], layers=blocks, pretrained=False, **swiglu
        )
    return list(depther.backbone.forward.keywords["n"])


def _fill(module: Any, arrays: Arrays, prefix: str = "") -> None:
    import torch

    tensors = {name.removeprefix(prefix): torch.from_numpy(one) for name, one in arrays.items()}
    module.load_state_dict(tensors, strict=True)


def main(checkout: str, target: Path) -> None:
    """Run upstream and write what it says."""
    os.environ["XFORMERS_DISABLED"] = "1"
    sys.path.insert(0, checkout)
    vit = runpy.run_path(str(target.with_name("make_vit_goldens.py")))
    goldens: dict[str, Any] = {}
    for blocks in (1, 4):
        for domain, range_m in RANGES_M.items():
            goldens[f"head/{domain}/{blocks}"] = _head_alone(blocks, range_m)
        goldens[f"whole/{blocks}"] = _whole(blocks, vit)
        for model in UPSTREAM_NAMES:
            goldens[f"blocks/{model}/{blocks}"] = _blocks_read(model, blocks)
    np.savez_compressed(target, **goldens)


if __name__ == "__main__":
    main(sys.argv[1], Path(__file__).with_name("depth_goldens.npz"))

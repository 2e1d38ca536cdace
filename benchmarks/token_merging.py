"""What merging similar tokens (ToMe, Bolya et al. 2022) saves of a backbone's pass, and costs.

    python -m benchmarks.token_merging [--rounds 7] [--scenes 24]

In every block, between attention and feed-forward, half of the tokens look for the most similar one
among the others, by their keys; the most similar pairs become one, weighted by how many each stands
for, and attention counts them so. Whatever reads patches gets each merged one in all its places.

Speed: ViT-S with seeded weights, 518 px, one frame on one core, CPU time, in turns with what `auto`
runs. Loss: heads of the demo weights on rendered scenes that they have not learnt.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from operators.backbones.architectures import DEMO_MODEL, architecture
from operators.backbones.engines.choice import Choice, build_engine, choose_engine
from operators.backbones.engines.drawn_frames import drawn_frames
from operators.backbones.engines.engine import Tokens
from operators.backbones.engines.folded import folded_block, folded_embedding
from operators.backbones.engines.lean import LeanNorm
from operators.backbones.engines.products import product
from operators.backbones.engines.token_layout import TokenLayout
from operators.backbones.machine import this_machine
from operators.backbones.thread_pool import stay_on_one_core
from operators.backbones.vit import Block, VisionTransformer
from operators.depth.operator import Depth
from operators.frames import CELLS, Features, FrameInfo
from operators.registry import build_operator
from operators.segmentation.operator import Segmentation
from operators.weights.load import load_backbone
from pipeline.synthetic.labels import LABELS, SKY
from pipeline.synthetic.scene import Scene
from pipeline.synthetic.uri import SceneSpec

SHARES = (0.0, 0.02, 0.04, 0.06, 0.08)  # of a frame's tokens, merged in every block
SIZES_HW = ((112, 196), (224, 392), (518, 518))  # of the scenes; the demo weights learnt the first
FIRST_SEED = 900_000  # no recipe of the demo weights goes so far


class MergingVit:
    """A frozen ViT on a CPU that loses some tokens in every block."""

    def __init__(self, vit: VisionTransformer, dtype: torch.dtype, share: float) -> None:
        self._layout = TokenLayout(vit, dtype)
        self._embed = product(folded_embedding(vit.patch_embed), dtype)
        self._blocks = [_MergingBlock(folded_block(block), dtype) for block in vit.blocks]
        self._norm = LeanNorm(vit.norm, torch.float32)
        self._share = share

    @torch.inference_mode()
    def __call__(self, pixels: Tensor, blocks: tuple[int, ...]) -> Tokens:
        """Of one frame, uint8 `[1, H, W, 3]`: as an engine's, every token in all its places."""
        first, positions = self._layout.placed((pixels.shape[1], pixels.shape[2]))
        (tiles,) = self._layout.tiles(pixels)
        rows = torch.cat((first[0], self._embed.added(tiles, positions[0].clone())))
        size, where = torch.ones(len(rows), 1), torch.arange(len(rows))
        lost, kept = int(self._share * len(rows)), {}
        for index, block in enumerate(self._blocks):
            rows, size, moved = block(rows, size, lost)
            where = moved[where]
            if index in blocks:
                kept[index] = rows[where][None]
        return self._norm(rows)[where][None], kept


class _MergingBlock:
    def __init__(self, block: Block, dtype: torch.dtype) -> None:
        self._norm1, self._norm2 = LeanNorm(block.norm1, dtype), LeanNorm(block.norm2, dtype)
        self._parts = (3, block.attn.heads, block.attn.head_dim)
        self._qkv, self._proj = product(block.attn.qkv, dtype), product(block.attn.proj, dtype)
        self._widen, self._narrow = product(block.mlp.fc1, dtype), product(block.mlp.fc2, dtype)

    def __call__(self, rows: Tensor, size: Tensor, lost: int) -> tuple[Tensor, Tensor, Tensor]:
        qkv = self._qkv(self._norm1(rows)).view(len(rows), *self._parts)
        q, k, v = qkv.permute(1, 2, 0, 3)[:, None].unbind(0)
        counted = size.log().view(1, 1, 1, -1).to(q.dtype) if lost else None
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=counted)
        rows = self._proj.added(mixed[0].transpose(0, 1).reshape(rows.shape), rows.clone())
        rows, size, moved = _merged(rows, size, k[0].float().mean(0), lost)
        hidden = self._widen.gelu(self._norm2(rows))
        return self._narrow.added(hidden, rows), size, moved


def _merged(rows: Tensor, size: Tensor, keys: Tensor, lost: int) -> tuple[Tensor, Tensor, Tensor]:
    """Fewer rows, how many tokens each stands for, and where every row went."""
    if not lost:
        return rows, size, torch.arange(len(rows))
    keys = F.normalize(keys, dim=1)
    best, partner = (keys[0::2] @ keys[1::2].T).max(dim=1)
    best[0] = -torch.inf  # the class token stays itself
    lost = min(lost, len(best) - 1)
    order = best.argsort(descending=True, stable=True)
    leaving, staying = order[:lost], order[lost:].sort().values
    weighted = rows * size
    joined, count = weighted[1::2].clone(), size[1::2].clone()
    joined.index_add_(0, partner[leaving], weighted[0::2][leaving])
    count.index_add_(0, partner[leaving], size[0::2][leaving])
    moved = torch.empty(len(rows), dtype=torch.long)
    moved[0::2][staying] = torch.arange(len(staying))
    moved[0::2][leaving] = len(staying) + partner[leaving]
    moved[1::2] = len(staying) + torch.arange(len(joined))
    fewer = torch.cat((rows[0::2][staying], joined / count))
    return fewer, torch.cat((size[0::2][staying], count)), moved


def measure_speed(rounds: int) -> None:
    """Prints CPU time of a frame beside what `auto` runs."""
    vit = load_backbone(architecture("dinov2_vits14"), "random").model
    blocks = (2, 5, 8, 11)
    auto = choose_engine("auto", torch.device("cpu"), this_machine())
    pixels = torch.from_numpy(drawn_frames(0, 1, 518))
    runs: dict[str, Callable[[], object]] = {}
    for choice in dict.fromkeys((auto, Choice("torch", auto.dtype, ""))):
        engine = build_engine(choice, vit, blocks, threads=1)
        runs[choice.name] = lambda engine=engine: engine(pixels)
    for share in SHARES:
        merging = MergingVit(vit, auto.dtype, share)
        runs[f"merging {share:.0%}"] = lambda merging=merging: merging(pixels, blocks)
    spent: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(rounds + 1):
        for name, run in runs.items():
            begun = time.thread_time()
            run()
            if turn:  # the first compiles
                spent[name].append(time.thread_time() - begun)
    print(f"ViT-S, 518 px, one core, {auto.dtype}, CPU time of a frame, medians of {rounds}")
    for name, seconds in spent.items():
        pairs = zip(spent[auto.name], seconds, strict=True)
        ratio = statistics.median(one / other for one, other in pairs)
        print(
            f"{name:>14} {1000 * statistics.median(seconds):7.0f} ms  {ratio:.2f}x of {auto.name}"
        )


def measure_loss(scenes: int) -> None:
    """Prints what the demo weights' heads are worth."""
    loaded = load_backbone(architecture(DEMO_MODEL), "demo")
    known = {"architecture": loaded.model.architecture, "backbone_sha256": loaded.sha256}
    heads = [build_operator(name, {}, head="demo", **known) for name in ("segmentation", "depth")]
    for head in heads:
        head.load(torch.device("cpu"), torch.float32)
    blocks = tuple(sorted({block for head in heads for block in head.layers}))
    for size_hw in SIZES_HW:
        frames = [_frame(FIRST_SEED + number, size_hw) for number in range(scenes)]
        for share in SHARES:
            merging = MergingVit(loaded.model, torch.float32, share)
            seen = [
                _features(merging(torch.from_numpy(rgb[None]), blocks), size_hw, loaded.model.norm)
                for rgb, _, _ in frames
            ]
            truths = [(classes, depth) for _, classes, depth in frames]
            print(
                f"{size_hw[1]}x{size_hw[0]}, merging {share:.0%}: {_scores(*heads, seen, truths)}"
            )


def _frame(seed: int, size_hw: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A picture, its classes and its metres in the middle of every cell."""
    spec = SceneSpec("world", seed=seed, seconds=1.0, fps=5, size_wh=(size_hw[1], size_hw[0]))
    frame = Scene(spec).render(2)
    step = 14 / CELLS
    at = np.ix_(*(((np.arange(int(side / step)) + 0.5) * step).astype(int) for side in size_hw))
    return frame.rgb, frame.classes[at], frame.depth_m[at]


def _features(tokens: Tokens, size_hw: tuple[int, int], norm: torch.nn.Module) -> Features:
    grid = (size_hw[0] // 14, size_hw[1] // 14)
    last, kept = tokens
    layers = {block: (one[:, 1:].unflatten(1, grid), one[:, 0]) for block, one in kept.items()}
    patches = last[:, 1:].unflatten(1, grid)
    return Features((FrameInfo.of_picture(size_hw),), last[:, 0], patches, layers, norm)


def _scores(
    segmentation: Segmentation,
    depth: Depth,
    seen: list[Features],
    truths: list[tuple[np.ndarray, np.ndarray]],
) -> str:
    classes = len(LABELS.labels)
    confusion, errors, near = np.zeros((classes, classes)), [], []
    for features, (true_class, true_m) in zip(seen, truths, strict=True):
        answer = segmentation.scores(features, slice(1))[0].argmax(-1).numpy()
        np.add.at(confusion, (true_class, answer), 1)
        metres = depth.metres(features, slice(1))[0].numpy()
        solid = true_class != SKY
        off = metres[solid] / true_m[solid]
        errors.append(np.abs(off - 1).mean())
        near.append((np.maximum(off, 1 / off) < 1.25).mean())
    hit, union = np.diag(confusion), confusion.sum(0) + confusion.sum(1) - np.diag(confusion)
    present = confusion.sum(1) > 0
    iou = (hit[present] / union[present]).mean()
    return f"mIoU {iou:.4f}, AbsRel {np.mean(errors):.4f}, delta1 {np.mean(near):.4f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--scenes", type=int, default=24)
    given = parser.parse_args()
    stay_on_one_core()
    measure_loss(given.scenes)
    measure_speed(given.rounds)


if __name__ == "__main__":
    main()

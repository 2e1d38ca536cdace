"""The four outputs as a good script computes them: batched torch, json, our PNG encoder.

Hidden states of a batch in -> rows out. Shares weights with dinostream's operators and no code
with them but the encoder of pictures, so that both write the same format.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from operators.action.operator import action_layout
from operators.backbones.architectures import Architecture
from operators.depth.linear import BINS, depth_layout
from operators.depth.operator import RANGES_M
from operators.png import grey16_png, palette_png
from operators.segmentation.labelsets import OFFICIAL, label_set
from operators.segmentation.linear import segmentation_layout
from operators.weights.head_request import HeadRequest
from operators.weights.heads import Layout, random_head

Row = tuple[str, int, str, bytes]  # topic, pts of the (last) frame, facts as JSON, value

MAP_SCALE = 4
WINDOW, STRIDE, CLASSES, TOP = 8, 4, 10, 5
DEPTH_BLOCKS = (2, 5, 8, 11)
MILLIMETRES = 1000


class PeerHeads:
    """Depth over four blocks, segmentation, action, embedding."""

    def __init__(self, arch: Architecture, seed: int) -> None:
        """The random heads that dinostream draws for the same seed."""
        labels = label_set("ade20k")
        depth = _tensors("depth", arch, seed, depth_layout(arch, 4))
        segmentation = _tensors(
            "segmentation", arch, seed, segmentation_layout(arch, OFFICIAL["ade20k"])
        )
        action = _tensors("action", arch, seed, action_layout(arch, "mean", WINDOW, CLASSES))
        self._depth = (
            depth["decode_head.conv_depth.weight"],
            depth["decode_head.conv_depth.bias"],
        )
        self._bins = torch.linspace(*RANGES_M["nyu"], BINS)
        self._segmentation = {
            name.removeprefix("decode_head."): tensor for name, tensor in segmentation.items()
        }
        self._palette = labels.palette
        self._classifier = (action["classifier.weight"], action["classifier.bias"])
        self._window: list[tuple[int, Tensor]] = []
        self._covered = 0

    def rows(
        self, pts: Sequence[int], tokens: Tensor, hidden: Sequence[Tensor], grid: tuple[int, int]
    ) -> list[Row]:
        """Everything about a batch of consecutive frames.

        Args:
            pts: of each frame.
            tokens: after the final norm, `[B, N, D]`, the class token first.
            hidden: before block 0, then after every block and before the final norm.
            grid: patches down and across.
        """
        rows: list[Row] = []
        millimetres = self._millimetres([hidden[block + 1] for block in DEPTH_BLOCKS], grid)
        classes = self._classes(tokens[:, 1:], grid)
        directions = F.normalize(tokens[:, 0], dim=-1)
        for index, moment in enumerate(pts):
            depth = grey16_png(millimetres[index].numpy())
            rows.append(("depth", moment, json.dumps({"depthscale": 0.001}), depth))
            mask = palette_png(classes[index].numpy(), self._palette)
            rows.append(("segmentation", moment, json.dumps({"labelset": "ade20k"}), mask))
            vector = directions[index].numpy().astype("<f4").tobytes()
            rows.append(("embedding", moment, json.dumps({"dim": len(vector) // 4}), vector))
            rows += self._pushed(moment, tokens[index, 0])
        return rows

    @torch.inference_mode()
    def last_rows(self) -> list[Row]:
        """The short last window, where frames were in none yet."""
        return [self._action(partial=True)] if len(self._window) > self._covered else []

    def _millimetres(self, layers: Sequence[Tensor], grid: tuple[int, int]) -> Tensor:
        """Depth `[B, 4 h, 4 w]`, uint16. The 1x1 convolution goes before the upsampling: the same
        numbers as upstream's order, at a hundredth of its cost."""
        parts = []
        for layer in layers:
            patches, cls = layer[:, 1:], layer[:, :1]
            parts += [patches, cls.expand_as(patches)]
        weight, bias = self._depth
        bins = F.relu(_upsampled(F.conv2d(_grid(torch.cat(parts, -1), grid), weight, bias))) + 0.1
        metres = torch.einsum("bkhw,k->bhw", bins, self._bins) / bins.sum(dim=1)
        return (metres * MILLIMETRES).round().clamp(1, 65535).to(torch.uint16)

    def _classes(self, patches: Tensor, grid: tuple[int, int]) -> Tensor:
        """Class of every cell `[B, 4 h, 4 w]`, uint8."""
        own = self._segmentation
        mean, variance = own["bn.running_mean"], own["bn.running_var"]
        normed = F.batch_norm(
            _grid(patches, grid), mean, variance, own["bn.weight"], own["bn.bias"]
        )
        logits = F.conv2d(normed, own["conv_seg.weight"], own["conv_seg.bias"])
        return _upsampled(logits).argmax(dim=1).to(torch.uint8)

    def _pushed(self, pts: int, token: Tensor) -> list[Row]:
        self._window.append((pts, token))
        if len(self._window) < WINDOW:
            return []
        row = self._action(partial=False)
        self._window = self._window[STRIDE:]
        self._covered = len(self._window)
        return [row]

    def _action(self, *, partial: bool) -> Row:
        pooled = torch.stack([token for _, token in self._window]).mean(dim=0)
        scores = F.linear(pooled, *self._classifier).softmax(dim=-1)
        best = scores.topk(TOP)
        labels = [
            {"id": number, "score": score}
            for number, score in zip(best.indices.tolist(), best.values.tolist(), strict=True)
        ]
        first, last = self._window[0][0], self._window[-1][0]
        said: dict[str, Any] = {"start": first, "end": last, "partial": partial, "labels": labels}
        return ("action", last, "{}", json.dumps(said).encode())


def _tensors(operator: str, arch: Architecture, seed: int, layout: Layout) -> dict[str, Tensor]:
    request = HeadRequest(operator, arch, backbone_sha256="", random_seed=seed)
    return dict(random_head(request, layout, {}).tensors)


def _grid(patches: Tensor, grid: tuple[int, int]) -> Tensor:
    """`[B, h*w, C]` -> `[B, C, h, w]`."""
    batch, _, channels = patches.shape
    return patches.transpose(1, 2).reshape(batch, channels, *grid)


def _upsampled(maps: Tensor) -> Tensor:
    return F.interpolate(maps, scale_factor=MAP_SCALE, mode="bilinear", align_corners=False)

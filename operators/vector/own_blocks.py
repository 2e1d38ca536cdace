"""Last blocks of a head's own: a frame's tokens before them in -> the vector that it reads out.

A fine-tuned head brings the backbone's last blocks as training left them. They start from the one
pass that all operators share, which stays as it is; a head without them reads that pass. Knows
nothing of training.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from operators.backbones.architectures import Architecture
from operators.backbones.vit import Block
from operators.errors import UsageError
from operators.frames import Features
from operators.vector.frame_vector import FrameVector
from operators.weights.head_needs import TAIL_BLOCKS
from operators.weights.heads import Head, Layout


def tail_start(arch: Architecture, blocks: int) -> int:
    """The block whose tokens go into the last ones, where these are a head's own.

    Args:
        arch: the backbone's sizes.
        blocks: how many are the head's own.

    Raises:
        UsageError: too few or too many, or a backbone with registers, or a pyramid.
    """
    arch.require_one_grid("fine-tuning of last blocks")
    if arch.registers:
        raise UsageError(
            f"{arch.name} has registers, which the features that operators read leave out, so its "
            "last blocks cannot be run again; take a DINOv2 without them, or fit without --finetune"
        )
    if isinstance(blocks, bool) or not isinstance(blocks, int) or not 1 <= blocks < arch.depth:
        raise UsageError(
            f"{arch.name} has {arch.depth} blocks; fine-tune the last 1 to {arch.depth - 1} of "
            f"them, got {blocks!r}"
        )
    return arch.depth - blocks - 1


def block_name(number: int, name: str) -> str:
    """A block's tensor as upstream calls it: `blocks.11.attn.qkv.weight`."""
    return f"blocks.{number}.{name}"


def tail_layout(head: Head, arch: Architecture) -> Layout:
    """Names and shapes of the blocks that a head's header speaks of.

    Raises:
        WeightsError: its header says something else than a number of the backbone's blocks.
    """
    shapes = _empty(arch).state_dict()
    return {
        block_name(number, name): tuple(tensor.shape)
        for number in _numbers(head, arch)
        for name, tensor in shapes.items()
    }


def own_blocks(head: Head, arch: Architecture) -> nn.ModuleList:
    """The blocks that a head brings, float32 and frozen; none where its header names none.

    Args:
        head: holds the tensors of `tail_layout`.
        arch: the backbone's sizes.

    Raises:
        WeightsError: its header says something else than a number of the backbone's blocks.
    """
    return nn.ModuleList(_filled(arch, number, head.tensors) for number in _numbers(head, arch))


class Tail:
    """How a head reads a frame: through blocks of its own, or none."""

    def __init__(self, head: Head, arch: Architecture, vector: FrameVector) -> None:
        """
        Args:
            head: holds the tensors of `tail_layout`.
            arch: the backbone's sizes.
            vector: the tokens that the head reads, behind its own blocks.

        Raises:
            WeightsError: its header says something else than a number of the backbone's blocks.
        """
        self._vector = vector
        self.width = vector.width(arch)
        self._blocks = own_blocks(head, arch)
        self._first = first = arch.depth - len(self._blocks)
        wanted = vector.layers(arch)
        before = tuple(block for block in wanted if block < first - 1)
        self.layers = (*before, first - 1) if self._blocks else wanted
        """Blocks that `Features.layers` must hold."""

    def to(self, device: torch.device, dtype: torch.dtype) -> None:
        """Move to where features come from."""
        self._blocks.to(device, dtype)

    def vectors(self, features: Features, rows: slice) -> Tensor:
        """The vectors of some rows, `[R, F]` float32 on the features' device."""
        if not self._blocks:
            return self._vector.of(features, rows)
        return self._vector.of(self._own(features, rows), slice(None))

    @torch.inference_mode()
    def _own(self, features: Features, rows: slice) -> Features:
        """Some rows as they are after the own blocks."""
        if features.norm is None:
            raise ValueError("these features carry no final norm; build them with Backbone")
        patches, cls = features.layers[self._first - 1]
        grid = patches.shape[1:3]
        tokens = torch.cat((cls[rows][:, None], patches[rows].flatten(1, 2)), dim=1)
        layers = {
            block: (patches[rows], cls[rows])
            for block, (patches, cls) in features.layers.items()
            if block < self._first
        }
        for number, block in enumerate(self._blocks, start=self._first):
            tokens = block(tokens)
            layers[number] = _split(tokens, grid)
        patches, cls = _split(features.norm(tokens), grid)
        return Features(features.infos[rows], cls, patches, layers, features.norm)


def _split(tokens: Tensor, grid: torch.Size) -> tuple[Tensor, Tensor]:
    return tokens[:, 1:].reshape(len(tokens), *grid, -1), tokens[:, 0]


def _numbers(head: Head, arch: Architecture) -> range:
    if TAIL_BLOCKS not in head.facts:
        return range(0)
    try:
        return range(tail_start(arch, head.facts[TAIL_BLOCKS]) + 1, arch.depth)
    except UsageError as error:
        raise head.wrong(f"its header says {TAIL_BLOCKS}: {error}") from error


def _filled(arch: Architecture, number: int, tensors: Mapping[str, Tensor]) -> Block:
    block = _empty(arch)
    own = {name: tensors[block_name(number, name)].float() for name in block.state_dict()}
    block.load_state_dict(own, assign=True)
    return block.eval().requires_grad_(False)


def _empty(arch: Architecture) -> Block:
    with torch.device("meta"):
        return Block(arch)

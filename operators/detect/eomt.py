"""EoMT's queries (Kerssies et al. 2025): a backbone's last tokens in -> masks and classes out.

Queries join the tokens for the last blocks, which are the head's own; then each says what it is,
and its product with the enlarged patches is its mask. Knows nothing of boxes or of records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from operators.backbones.architectures import Architecture
from operators.backbones.engines.last_blocks import LastBlocks
from operators.backbones.precision import Precision
from operators.backbones.projection import Projection
from operators.backbones.vit import Block
from operators.errors import UsageError
from operators.frames import Features
from operators.weights.heads import Head, Layout

ENLARGED = 4  # cells of a mask per side of a patch
_STEPS = ("upscale.0", "upscale.1")
_MASK_LAYERS = ("mask_head.0", "mask_head.2", "mask_head.4")
_EPS = 1e-6
_COPIES = 4  # of the largest grid of cells, at a time
_FLOAT32_BYTES = 4


@dataclass(frozen=True, slots=True)
class Seen:
    """What Q queries have seen in some frames.

    Attributes:
        classes: logits of every class and, last, of nothing, `[R, Q, C + 1]`.
        queries: `[R, Q, D]`, whose product with `cells` is a mask.
        cells: `[R, 4 h, 4 w, D]`.
    """

    classes: Tensor
    queries: Tensor
    cells: Tensor

    def masks(self, chosen: Tensor) -> Tensor:
        """Logits of some queries' masks, `[R, K, 4 h, 4 w]`.

        Args:
            chosen: which, `[R, K]`.
        """
        index = chosen[..., None].expand(-1, -1, self.queries.shape[-1])
        flat = self.queries.gather(1, index) @ self.cells.flatten(1, 2).mT
        return flat.view(*chosen.shape, *self.cells.shape[1:3])


class Eomt:
    """The part of an EoMT behind the backbone."""

    def __init__(self, head: Head, arch: Architecture) -> None:
        """
        Args:
            head: tensors by the names of EoMT's authors.
            arch: the backbone's sizes.

        Raises:
            WeightsError: the head does not fit the backbone.
        """
        if not arch.own_blocks:
            raise head.wrong(f"it is an EoMT's, which {arch.name} is not; take --model eomt_...")
        queries, classes = (
            len(head.tensors.get(name, ())) for name in ("q.weight", "class_head.bias")
        )
        head.check(eomt_layout(arch, queries=queries, classes=classes - 1))
        own = {name: tensor.float() for name, tensor in head.tensors.items()}
        self.layers = (arch.depth - 1,)
        self.classes = classes - 1
        self._blocks = LastBlocks(
            [_block(arch, own, arch.depth + index) for index in range(arch.own_blocks)],
            _norm(own, "norm"),
        )
        self._linear = {
            name: (own[f"{name}.weight"], own[f"{name}.bias"])
            for name in ("class_head", *_MASK_LAYERS)
        }
        self._queries = own["q.weight"]
        self._steps = [_Enlarged(own, name) for name in _STEPS]

    def row_bytes(self, grid: Sequence[int]) -> int:
        """What a frame takes at most while it is computed.

        Args:
            grid: patches down and across.
        """
        cells = ENLARGED**2 * grid[0] * grid[1]
        return _COPIES * _FLOAT32_BYTES * cells * self._queries.shape[1]

    def load(self, device: torch.device) -> None:
        """Put the weights on a device."""
        self._blocks.load(device)
        self._queries = self._queries.to(device)
        self._linear = {
            name: (weight.to(device), bias.to(device))
            for name, (weight, bias) in self._linear.items()
        }
        for step in self._steps:
            step.load(device)

    def __call__(self, features: Features, rows: slice) -> Seen:
        """What the queries see in some rows.

        Raises:
            UsageError: the features carry no register tokens.
        """
        if features.registers is None:
            raise UsageError(
                "an EoMT reads register tokens, which features have in a job and not where they "
                "are kept, for fit and eval; replay it"
            )
        precision = features.precision or Precision.FLOAT32
        (block,) = self.layers
        patches, cls = (tokens[rows].float() for tokens in features.layers[block])
        registers = features.registers[block][rows].float()
        queries = self._queries.expand(len(patches), -1, -1)
        tokens = torch.cat((queries, cls[:, None], registers, patches.flatten(1, 2)), dim=1)
        with torch.inference_mode():
            seen = self._blocks(tokens, precision.dtype)
            asked, last = seen[:, : queries.shape[1]], seen[:, -patches[0, ..., 0].numel() :]
            cells = last.reshape(patches.shape)
            for step in self._steps:
                cells = step(cells, precision)
            return Seen(F.linear(asked, *self._linear["class_head"]), self._asked(asked), cells)

    def _asked(self, queries: Tensor) -> Tensor:
        first, second, last = (self._linear[name] for name in _MASK_LAYERS)
        hidden = F.gelu(F.linear(F.gelu(F.linear(queries, *first)), *second))
        return F.linear(hidden, *last)


class _Enlarged:
    """Twice as many cells a side: a transposed convolution without overlap, which is a product, and
    one of each channel by itself."""

    def __init__(self, own: Mapping[str, Tensor], name: str) -> None:
        spread = own[f"{name}.conv1.weight"]  # [D, D, 2, 2], from, to, down, across
        self._spread = Projection(
            spread.permute(2, 3, 1, 0).flatten(0, 2), own[f"{name}.conv1.bias"].repeat(4)
        )
        self._around = own[f"{name}.conv2.weight"]
        self._norm = _norm(own, f"{name}.norm")

    def load(self, device: torch.device) -> None:
        self._spread.load(device)
        self._around = self._around.to(device)
        self._norm.to(device)

    def __call__(self, cells: Tensor, precision: Precision) -> Tensor:
        """`[R, h, w, D]` -> `[R, 2 h, 2 w, D]`."""
        count, h, w, width = cells.shape
        four = F.gelu(self._spread([cells], precision)).view(count, h, w, 2, 2, width)
        fine = four.transpose(2, 3).reshape(count, 2 * h, 2 * w, width)
        with precision.on(cells.device):
            mixed = F.conv2d(fine.permute(0, 3, 1, 2), self._around, padding=1, groups=width)
        found: Tensor = self._norm(mixed.permute(0, 2, 3, 1))
        return found


def eomt_layout(arch: Architecture, *, queries: int, classes: int) -> Layout:
    """Names and shapes of the head's tensors, by the names of EoMT's authors.

    Args:
        arch: of the backbone.
        queries: Q.
        classes: C, without the one that is nothing.
    """
    width = arch.width
    with torch.device("meta"):
        block = Block(arch).state_dict()
    blocks = {
        f"blocks.{arch.depth + index}.{name}": tuple(tensor.shape)
        for index in range(arch.own_blocks)
        for name, tensor in block.items()
    }
    weights: dict[str, tuple[int, ...]] = {
        f"{name}.weight": (width, width) for name in _MASK_LAYERS
    }
    vectors = [f"{name}.bias" for name in (*_MASK_LAYERS, "norm")] + ["norm.weight"]
    for step in _STEPS:
        weights[f"{step}.conv1.weight"] = (width, width, 2, 2)
        weights[f"{step}.conv2.weight"] = (width, 1, 3, 3)
        vectors += [f"{step}.{name}" for name in ("conv1.bias", "norm.weight", "norm.bias")]
    return {
        **blocks,
        **weights,
        **{name: (width,) for name in vectors},
        "q.weight": (queries, width),
        "class_head.weight": (classes + 1, width),
        "class_head.bias": (classes + 1,),
    }


def _block(arch: Architecture, own: Mapping[str, Tensor], number: int) -> Block:
    with torch.device("meta"):
        block = Block(arch)
    tensors = {name: own[f"blocks.{number}.{name}"] for name in block.state_dict()}
    block.load_state_dict(tensors, assign=True)
    return block.eval().requires_grad_(False)


def _norm(own: Mapping[str, Tensor], name: str) -> nn.LayerNorm:
    norm = nn.LayerNorm(len(own[f"{name}.bias"]), eps=_EPS)
    norm.load_state_dict({of: own[f"{name}.{of}"] for of in ("weight", "bias")}, assign=True)
    return norm.requires_grad_(False)

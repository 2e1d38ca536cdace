"""Boxes off frozen features: some blocks' patches in -> classes, boxes and masks of queries out.

A thin decoder of DETR's family (Carion et al. 2020): every patch proposes a box, the best become
queries, and a few layers refine them. They learn to tell every thing once, so nothing is
suppressed. One code trains and runs. Knows nothing of heads' files or of records.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import torch
from torch import Tensor, nn

from operators.backbones.architectures import Architecture
from operators.depth.linear import four_blocks
from operators.detect.boxes import corners
from operators.detect.layers import Attention, Gaze, Middles, Mlp, Reach, Relation, Wide
from operators.detect.mask_branch import MaskBranch
from operators.weights.heads import Layout

BLOCKS = 4
_WAVES = 16  # sines and as many cosines of each number of a box
_PATCHES_A_SIDE = 2  # of the box that a patch begins with
_EDGE = 1e-4  # shares are kept so far from 0 and 1 that their logits are numbers


@dataclass(frozen=True, slots=True)
class DecoderShape:
    """
    Attributes:
        width: W, numbers of a query.
        heads: of attention, which share the width evenly.
        layers: that refine the boxes.
        queries: K, things told of at most.
        mask_width: E, numbers of a cell of masks; 0: boxes alone.
    """

    width: int = 128
    heads: int = 4
    layers: int = 2
    queries: int = 50
    mask_width: int = 0

    def __post_init__(self) -> None:
        *numbers, masks = asdict(self).values()
        least = [(1, one) for one in numbers] + [(0, masks)]
        if any(isinstance(x, bool) or not isinstance(x, int) or x < low for low, x in least):
            raise ValueError(f"want whole numbers from 1, of masks from 0, got {self}")
        if self.width % self.heads:
            raise ValueError(
                f"width must be a multiple of its {self.heads} heads, got {self.width}"
            )

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """What a head's header says.

        Raises:
            ValueError: something else than such numbers.
        """
        if set(plain) | {"mask_width"} != set(cls.__slots__):
            *always, masks = cls.__slots__
            raise ValueError(f"want {', '.join(always)}, and {masks} of masks, got {plain!r}")
        return cls(**plain)

    def plain(self) -> dict[str, int]:
        """As JSON values; of boxes alone what heads said before there were masks."""
        return {name: one for name, one in asdict(self).items() if name != "mask_width" or one}


@dataclass(frozen=True, slots=True)
class Guess:
    """What queries say.

    Attributes:
        logits: `[R, K, C + 1]`, of every class and, last, of nothing.
        boxes: centre x, y, width, height `[R, K, 4]`, shares of the picture.
        masks: logits of cells `[R, K, CELLS * h, CELLS * w]`, above zero inside; None where none
            are told.
    """

    logits: Tensor
    boxes: Tensor
    masks: Tensor | None = None


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Of the patches of a picture.

    Attributes:
        middles: of each.
        boxes: that each begins with, centre x, y, width, height `[h * w, 4]`.
        place: what a query knows of it by where it is `[h * w, W]`.
    """

    middles: Middles
    boxes: Tensor
    place: Tensor


class Decoder(nn.Module):
    """Features of pictures -> guesses, each better than the one before."""

    def __init__(self, width: int, classes: int, shape: DecoderShape) -> None:
        """
        Args:
            width: D, of the backbone.
            classes: C.
            shape: of the decoder itself.
        """
        super().__init__()
        self.rates: Tensor
        own = shape.width
        self.shape = shape
        self.read = Wide(BLOCKS * width, own)
        self.read_norm = nn.LayerNorm(own)
        self.proposed_class = Wide(own, classes + 1)
        self.proposed_box = Mlp(own, own, 4)
        rates = 2 * math.pi * 1.3 ** torch.arange(_WAVES)
        self.register_buffer("rates", rates, persistent=False)
        self.place = Wide(4 * 2 * _WAVES, own)
        # How sure its patch was among all: of guesses at one thing the first can stay.
        self.rank = nn.Parameter(torch.randn(shape.queries, own) / 2)
        self.layers = nn.ModuleList(_Layer(own, shape.heads) for _ in range(shape.layers))
        self.told_norm = nn.LayerNorm(own)
        self.told_class = Wide(own, classes + 1)
        self.told_box = Mlp(own, own, 4)
        masks = shape.mask_width
        self.told_mask = MaskBranch(BLOCKS * width, own, masks) if masks else None

    def forward(self, blocks: Tensor) -> list[Guess]:
        """All that is said, for training.

        Args:
            blocks: patches of `decoder_blocks` side by side, normalised, `[R, h, w, 4 D]`.

        Returns:
            Of every patch, then of K queries after each layer; K is h * w where that is less.
        """
        where = self.whereabouts((blocks.shape[1], blocks.shape[2]), blocks.device)
        memory = self._memory(blocks, where)
        proposed = Guess(
            self.proposed_class(memory), _moved(where.boxes, self.proposed_box(memory))
        )
        chosen = _best(proposed.logits, self.shape.queries)
        boxes = _taken(proposed.boxes, chosen).detach()
        refined = self._refined(memory, _taken(memory, chosen), boxes, where.middles)
        cells = self._cells(blocks, memory)
        return [proposed, *(self._guess(told, own, cells) for told, own in refined)]

    def last(self, blocks: Tensor, where: Whereabouts, *, masks: bool = False) -> Guess:
        """The last of what `forward` says, and no more computed than that takes.

        Args:
            blocks: as of `forward`.
            where: `whereabouts` of their grid.
            masks: they are wanted, of a decoder that has them.
        """
        memory = self._memory(blocks, where)
        chosen = _best(self.proposed_class(memory), self.shape.queries)
        own = _taken(memory, chosen)
        boxes = _moved(where.boxes[chosen], self.proposed_box(own))
        *_, (told, refined) = self._refined(memory, own, boxes, where.middles)
        return self._guess(told, refined, self._cells(blocks, memory) if masks else None)

    def whereabouts(self, grid: tuple[int, int], device: torch.device) -> Whereabouts:
        """What is the same for all pictures of so many patches down and across."""
        middles = Middles.of(grid, device)
        boxes = _patch_boxes(middles)
        return Whereabouts(middles, boxes, self._placed(boxes))

    def _placed(self, boxes: Tensor) -> Tensor:
        """What is known of boxes `[..., 4]` by where they are: `[..., W]`."""
        angles = (boxes[..., None] * self.rates).flatten(-2)
        placed: Tensor = self.place(torch.cat([angles.sin(), angles.cos()], dim=-1))
        return placed

    def _memory(self, blocks: Tensor, where: Whereabouts) -> Tensor:
        read: Tensor = self.read_norm(self.read(blocks.flatten(1, 2)))
        return read + where.place

    def _cells(self, blocks: Tensor, memory: Tensor) -> Tensor | None:
        return None if self.told_mask is None else self.told_mask.painted(blocks, memory)

    def _guess(self, told: Tensor, boxes: Tensor, cells: Tensor | None) -> Guess:
        masks = None
        if self.told_mask is not None and cells is not None:
            masks = self.told_mask(told, corners(boxes).detach(), cells)
        return Guess(self.told_class(told), boxes, masks)

    def _refined(
        self, memory: Tensor, proposed: Tensor, boxes: Tensor, middles: Middles
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """What queries know, and their boxes, after each layer."""
        queries = proposed + self.rank[: proposed.shape[1]]
        for layer in self.layers:
            queries = layer(queries, self._placed(boxes), memory, boxes, middles)
            told = self.told_norm(queries)
            refined = _moved(boxes, self.told_box(told))
            yield told, refined
            boxes = refined.detach()


class _Layer(nn.Module):
    """Queries look at each other, then at the patches around their boxes."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.among = Attention(width, heads)
        self.at = Attention(width, heads)
        self.relation = Relation(heads)
        self.reach = Reach(heads)
        self.gaze = Gaze(width, heads)
        self.mlp = Mlp(width, 2 * width, width)
        self.among_norm, self.at_norm, self.mlp_norm = (nn.LayerNorm(width) for _ in range(3))

    def forward(
        self, queries: Tensor, place: Tensor, memory: Tensor, boxes: Tensor, middles: Middles
    ) -> Tensor:
        own = self.among_norm(queries)
        agreed, _ = self.among(own + place, own + place, own, self.relation(boxes))
        queries = queries + agreed
        own = self.at_norm(queries) + place
        seen, weights = self.at(own, memory, memory, self.reach(corners(boxes), middles))
        queries = queries + seen + self.gaze(weights, boxes, middles)
        refined: Tensor = queries + self.mlp(self.mlp_norm(queries))
        return refined


def decoder_blocks(arch: Architecture) -> tuple[int, ...]:
    """The blocks that it reads beside the last one: those that depth heads read, at quarters."""
    arch.require_one_grid("detect")
    return four_blocks(arch)[:-1]


def decoder_layout(arch: Architecture, classes: int, shape: DecoderShape) -> Layout:
    """Names and shapes of its tensors."""
    with torch.device("meta"):
        empty = Decoder(arch.width, classes, shape)
    return {name: tuple(one.shape) for name, one in empty.state_dict().items()}


def _best(logits: Tensor, count: int) -> Tensor:
    """The patches that are most surely something, `[R, K]`, of equal ones the first."""
    nothing = logits.detach().softmax(dim=-1)[..., -1]
    return nothing.argsort(dim=1, stable=True)[:, :count]


def _moved(boxes: Tensor, by: Tensor) -> Tensor:
    """Boxes that stay within the picture however far they are moved."""
    return (torch.logit(boxes, _EDGE) + by).sigmoid()


def _taken(rows: Tensor, chosen: Tensor) -> Tensor:
    """Some of `[R, N, F]`: `[R, K, F]`."""
    return rows.gather(1, chosen[..., None].expand(-1, -1, rows.shape[-1]))


def _patch_boxes(middles: Middles) -> Tensor:
    """Around the middle of every patch, `[h * w, 4]`."""
    sides = (middles.across, middles.down)
    size = [min(1.0, _PATCHES_A_SIDE / len(one)) for one in sides]
    return torch.cat([middles.all, middles.all.new_tensor(size).expand_as(middles.all)], dim=1)

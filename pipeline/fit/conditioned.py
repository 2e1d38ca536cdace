"""The same pictures with the same truths, taken under other conditions.

Items in -> items out, each picture next to itself under every condition. Nothing is kept but what a
store computes from them. Knows nothing of measuring.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from operators.conditions.condition import Condition
from operators.result import canonical_json
from pipeline.fit.dense_item import DeepItem, DenseItem
from pipeline.media.frame_size import FrameSize


@dataclass(frozen=True, slots=True)
class ConditionedItem:
    """A picture under a condition. Implements `pipeline.fit.dense_item.DenseItem`.

    Attributes:
        item: the picture as it is.
        condition: works on it at the backbone's size.
        seed: of what is drawn; each picture and each kind of condition has draws of its own, and
            all strengths of one kind share them.
    """

    item: DenseItem
    condition: Condition
    seed: int

    @property
    def name(self) -> str:
        return f"{self.item.name}, {self.condition}"

    @property
    def group(self) -> str:
        return self.item.group

    @property
    def identity(self) -> Mapping[str, Any]:
        own = {**self.condition.identity, "seed": self.seed}
        if self.condition.depth != "ignored":
            own["depth"] = self.item.truth_identity
        return {**self.item.identity, **own}

    @property
    def truth_identity(self) -> Mapping[str, Any]:
        return self.item.truth_identity

    def pixels(self, size: FrameSize) -> NDArray[np.uint8]:
        """The picture, then the condition."""
        depth_m = None
        if self.condition.depth != "ignored" and has_depth(self.item):
            assert isinstance(self.item, DeepItem)
            depth_m = self.item.depth_m(size)
        return self.condition.applied(self.item.pixels(size), self.draw(), depth_m=depth_m)

    def truth(self, size: FrameSize) -> NDArray[Any]:
        """That of the picture: a condition moves nothing."""
        return self.item.truth(size)

    def draw(self) -> np.random.Generator:
        """Of this picture, this kind of condition and this seed, in every process."""
        what = [self.item.identity, self.condition.name, self.seed]
        digest = hashlib.sha256(canonical_json(what)).digest()
        return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "big")))


def has_depth(item: DenseItem) -> bool:
    """Somebody knows how far away what it shows is."""
    return isinstance(item, DeepItem) and item.has_depth


def beside_themselves(
    items: Sequence[DenseItem], conditions: Sequence[Condition], *, seed: int
) -> list[DenseItem]:
    """Each picture, and behind it the same picture under every condition in their order: what it
    is made of is rendered or read once.

    Args:
        items: pictures as they are.
        conditions: what they are put under.
        seed: of all draws.
    """
    return [
        one
        for item in items
        for one in (item, *(ConditionedItem(item, kind, seed) for kind in conditions))
    ]

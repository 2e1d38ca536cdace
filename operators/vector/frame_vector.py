"""Which tokens of a frame make the one vector that says what the whole frame is.

Features in -> a vector of each frame out, as DINOv2's own classification heads read it (upstream:
hub/classifiers.py). Must not know what is done with the vector.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from operators.backbones.architectures import Architecture
from operators.frames import Features


@dataclass(frozen=True, slots=True)
class FrameVector:
    """Class tokens of the last blocks, and maybe what the patches say on average.

    Attributes:
        blocks: of how many last blocks the class token is taken.
        mean_patch: whether the mean of the last block's patches follows.
        register: whether the last block's first register follows, a DeiT's distillation token.
    """

    blocks: int = 1
    mean_patch: bool = False
    register: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.blocks, bool) or not isinstance(self.blocks, int) or self.blocks < 1:
            raise ValueError(f"blocks must be a whole number from 1, got {self.blocks!r}")
        for name in ("mean_patch", "register"):
            if not isinstance(given := getattr(self, name), bool):
                raise ValueError(f"{name} must be true or false, got {given!r}")

    def layers(self, arch: Architecture) -> tuple[int, ...]:
        """Backbone blocks that `Features.layers` must hold, oldest first.

        None for one block without a register: after the final norm that is `Features.cls`.

        Raises:
            ValueError: the backbone has fewer blocks, or no registers.
            UsageError: it is a pyramid, and more than its last block is wanted.
        """
        if self.blocks > 1:
            arch.require_one_grid(f"a vector of {self.blocks} class tokens")
        if self.blocks > arch.depth:
            raise ValueError(f"{arch.name} has {arch.depth} blocks, {self.blocks} were asked for")
        if self.register and not arch.registers:
            raise ValueError(f"{arch.name} has no registers, one was asked for")
        wanted = self.blocks > 1 or self.register
        return tuple(range(arch.depth - self.blocks, arch.depth)) if wanted else ()

    def width(self, arch: Architecture) -> int:
        """F, how many numbers the vector has."""
        return arch.width * (self.blocks + self.mean_patch + self.register)

    def of(self, features: Features, rows: slice) -> Tensor:
        """The vectors of some rows, every token after the final norm.

        Args:
            features: with the blocks that `layers` names.
            rows: which.

        Returns:
            `[R, F]` float32 on the features' device: class tokens, oldest block first, then the
            mean of the patches, then the register.

        Raises:
            ValueError: the features lack the blocks or the final norm.
        """
        parts = [self._earlier(features, block, rows) for block in self._before_last(features)]
        parts.append(features.cls[rows].float())
        if self.mean_patch:
            parts.append(features.patches[rows].float().flatten(1, 2).mean(dim=1))
        if self.register:
            parts.append(self._register(features, rows))
        return torch.cat(parts, dim=1)

    def to_json(self) -> dict[str, Any]:
        """As the header of a head has it, which never has a register."""
        said = {"blocks": self.blocks, "mean_patch": self.mean_patch}
        return said | {"register": True} if self.register else said

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> FrameVector:
        """Back from a header.

        Raises:
            ValueError: an entry that is no such thing, or one too many.
        """
        surplus = sorted(set(said) - {"blocks", "mean_patch"})
        if surplus:
            raise ValueError(f"a vector has blocks and mean_patch, got {', '.join(surplus)} too")
        return cls(**said)

    def _before_last(self, features: Features) -> list[int]:
        """The last block needs no look-up: after the norm it is what the features begin with."""
        if self.blocks == 1:
            return []
        held = sorted(features.layers)
        wanted = range(held[-1] - self.blocks + 1, held[-1]) if held else range(self.blocks)
        missing = [block for block in wanted if block not in features.layers]
        if missing or features.norm is None:
            raise ValueError(
                f"want {self.blocks} last blocks and the final norm, the features hold blocks "
                f"{held} {'with' if features.norm else 'without'} it; build them with Backbone"
            )
        return list(wanted)

    def _earlier(self, features: Features, block: int, rows: slice) -> Tensor:
        assert features.norm
        return features.norm(features.layers[block][1][rows]).float()

    def _register(self, features: Features, rows: slice) -> Tensor:
        if not features.registers or features.norm is None:
            raise ValueError(
                "want the last block's registers and the final norm, which these features lack; "
                "build them with Backbone"
            )
        return features.norm(features.registers[max(features.registers)][rows, 0]).float()

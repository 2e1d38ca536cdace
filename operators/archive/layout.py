"""How the bytes of one frame's kept features lie: numbers in -> a small uint8 picture, and back.

A picture `[h, W, 3]`, as high as the patch grid, so that it goes through decoders' pipes, batches
and engines as frames do. Pure numpy; knows nothing of bases, files or streams.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from operators.backbones.architectures import Architecture

FORMAT = 1  # raise it when the same features give other bytes
LEVELS = 127  # of a code to either side of zero

_SCALE, _FINE = np.dtype("<f2"), np.dtype("<f2")
_CHANNELS = 3

Codes = NDArray[np.int8]
Halves = NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class Numbers:
    """What is kept of one frame.

    Attributes:
        codes: int8 `[M, h, w, K]`, of each map's patches their components over their scale.
        scales: float16 `[M, h, w]`.
        fine: float16 `[T, D]`, tokens that are no patches, map by map: the class token, then the
            registers.
    """

    codes: Codes
    scales: Halves
    fine: Halves


@dataclass(frozen=True, slots=True)
class Layout:
    """What is kept of every frame of one kind.

    Attributes:
        blocks: of the backbone, whose tokens are kept before the final norm, rising.
        final: the last block's tokens are kept after the final norm, behind those.
        components: K, of a patch.
        width: D, of a token.
        registers: R, register tokens of a block; after the norm nobody reads them.
    """

    blocks: tuple[int, ...]
    final: bool
    components: int
    width: int
    registers: int = 0

    @classmethod
    def of(
        cls, blocks: Sequence[int], *, depth: int, components: int, width: int, registers: int
    ) -> Self:
        """What has to be kept for whoever reads these blocks, and the last one after the norm;
        that can be computed where the last one is kept before it.

        Args:
            blocks: in any order.
            depth: blocks of the backbone.
            components, width, registers: as the attributes are.
        """
        own = tuple(sorted(set(blocks)))
        return cls(own, depth - 1 not in own, components, width, registers)

    @classmethod
    def of_model(cls, blocks: Sequence[int], arch: Architecture, components: int) -> Self:
        """The same, of a backbone's sizes.

        Raises:
            UsageError: a pyramid.
        """
        arch.require_one_grid("keeping features")
        return cls.of(
            blocks,
            depth=arch.depth,
            components=components,
            width=arch.width,
            registers=arch.registers,
        )

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """What `to_json` gave."""
        return cls(**{**said, "blocks": tuple(said["blocks"])})

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        own = {name: getattr(self, name) for name in self.__slots__}
        return own | {"blocks": list(self.blocks)}

    @property
    def maps(self) -> tuple[str, ...]:
        """Names of the maps, in their order."""
        return (*map(block_name, self.blocks), *([FINAL] if self.final else []))

    @property
    def fine_tokens(self) -> int:
        """T."""
        return len(self.blocks) * (1 + self.registers) + self.final

    def frame_bytes(self, grid_hw: tuple[int, int]) -> int:
        """Of one frame, without what fills the picture up."""
        per_patch = len(self.maps) * (self.components + _SCALE.itemsize)
        fine = self.fine_tokens * self.width * _FINE.itemsize
        return grid_hw[0] * grid_hw[1] * per_patch + fine

    def code_bytes(self, grid_hw: tuple[int, int]) -> int:
        """Of those, the ones of codes, which come first; every `components` one is of one."""
        return len(self.maps) * grid_hw[0] * grid_hw[1] * self.components

    def packed(self, numbers: Numbers) -> NDArray[np.uint8]:
        """One frame as a picture, uint8 `[h, W, 3]`."""
        _, high, wide, _ = numbers.codes.shape
        row = -(-self.frame_bytes((high, wide)) // (high * _CHANNELS))
        picture = np.zeros(high * row * _CHANNELS, np.uint8)
        parts = (
            numbers.codes.astype(np.int8, copy=False),
            numbers.scales.astype(_SCALE, copy=False),
            numbers.fine.astype(_FINE, copy=False),
        )
        data = b"".join(np.ascontiguousarray(part).tobytes() for part in parts)
        picture[: len(data)] = np.frombuffer(data, np.uint8)
        return picture.reshape(high, row, _CHANNELS)

    def grid_hw(self, picture_hw: tuple[int, int]) -> tuple[int, int]:
        """Patches down and across of a picture of that size. Unique, because a patch takes at
        least three bytes, and what fills a picture up is less than that of a column.

        Raises:
            ValueError: no frame of this layout has it.
        """
        high, row = picture_hw
        room = high * row * _CHANNELS - self.frame_bytes((high, 0))
        wide = room // (self.frame_bytes((high, 1)) - self.frame_bytes((high, 0)))
        if wide < 1 or -(-self.frame_bytes((high, wide)) // (high * _CHANNELS)) != row:
            raise ValueError(f"kept features of {high} x {row} are none of {self}")
        return high, wide

    def unpacked(self, picture: NDArray[np.uint8]) -> Numbers:
        """The numbers of one picture `[h, W, 3]`.

        Raises:
            ValueError: it is no frame of this layout.
        """
        high, wide = self.grid_hw((picture.shape[0], picture.shape[1]))
        data = np.ascontiguousarray(picture).reshape(-1)
        maps = len(self.maps)
        codes = self.code_bytes((high, wide))
        scales = codes + maps * high * wide * _SCALE.itemsize
        fine = scales + self.fine_tokens * self.width * _FINE.itemsize
        return Numbers(
            data[:codes].view(np.int8).reshape(maps, high, wide, self.components),
            data[codes:scales].view(_SCALE).reshape(maps, high, wide),
            data[scales:fine].view(_FINE).reshape(self.fine_tokens, self.width),
        )


FINAL = "final"


def block_name(block: int) -> str:
    """As files name the map of a block before the final norm."""
    return f"block.{block}"

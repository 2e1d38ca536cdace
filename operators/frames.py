"""The nouns that travel: one frame's identity, a batch of pixels, the features of a batch.

Pixels in -> features out. Importable without torch, because decode processes use it too.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from operators.moment import where_and_when

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import torch

    from operators.backbones.precision import Precision
    from operators.backbones.thread_pool import ThreadPool

CELLS = 4  # per side of a patch: the grid of a frame's truth and of dense results

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FrameInfo:
    """Who a frame is. Everything here is the same after a seek, a retry or a resume.

    Attributes:
        stream: stream id, `[A-Za-z0-9._-]{1,128}`.
        session: one unbroken timeline of the stream (content hash, or connection time).
        position: unwrapped pts in the session; `P+n`: the n-th frame after P without a fresh pts.
        pts: the container's timestamp in `time_base` units, or None.
        time_base: seconds per pts unit.
        event_time_us: when the frame happened, microseconds since the epoch; never goes back.
        ingest_time_us: when this process decoded it; differs from run to run.
        source_hw: height and width as displayed (after rotation and cropping), in pixels.
        clock: what event time is anchored to: capture, container, start-time or media.
        epoch: which assignment of the stream decoded it; rises with every (re)assignment.
        preparation: what was done to the stored picture before scaling, beside turning it: one
            field of an interlaced one, the part that is shown; `cuda` first where a GPU decoded it.
            Empty for most; part of a record's variant where it is not.
        region: left, top, right, bottom of what is looked at within the whole picture as displayed,
            pixels; `source_hw` and all coordinates are of it alone. None: it is the whole.
        rendered: dinostream drew the picture itself; it is no footage.
    """

    stream: str
    session: str
    position: str
    pts: int | None
    time_base: Fraction
    event_time_us: int
    ingest_time_us: int
    source_hw: tuple[int, int]
    clock: str = "media"
    epoch: int = 0
    preparation: str = ""
    rendered: bool = False
    region: tuple[int, int, int, int] | None = None

    @property
    def place(self) -> dict[str, str]:
        """As values of records name it."""
        return where_and_when(self.position, self.event_time_us)

    @classmethod
    def of_picture(cls, source_hw: tuple[int, int] = (1, 1)) -> Self:
        """Of a picture that is no frame of a stream: only its size may mean anything."""
        return cls("picture", "picture", "0", 0, Fraction(1), 0, 0, source_hw)

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """What `to_json` gave."""
        height, width = plain["source_hw"]
        time_base = Fraction(plain["time_base"])
        region = plain.get("region") and tuple(plain["region"])  # older ones have none
        own = {"time_base": time_base, "source_hw": (height, width), "region": region}
        return cls(**{**plain, **own})

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        own = {name: getattr(self, name) for name in self.__slots__}
        return own | {"time_base": str(self.time_base), "source_hw": list(self.source_hw)}


@dataclass(frozen=True, slots=True)
class FrameBatch:
    """Frames of one size, from any streams, in stream order.

    Attributes:
        infos: one per frame, B of them.
        pixels: uint8 RGB `[B, H, W, 3]`, H and W multiples of the model's patch.
    """

    infos: tuple[FrameInfo, ...]
    pixels: NDArray[np.uint8]

    def __post_init__(self) -> None:
        if self.pixels.ndim != 4 or self.pixels.shape[3] != 3 or self.pixels.dtype != np.uint8:
            got = f"{self.pixels.dtype} {list(self.pixels.shape)}"
            raise ValueError(f"pixels must be uint8 [B, H, W, 3], got {got}")
        if self.pixels.shape[0] != len(self.infos) or not self.infos:
            raise ValueError(
                f"{len(self.infos)} infos for {self.pixels.shape[0]} frames; need B >= 1"
            )


@dataclass(frozen=True, slots=True)
class Features:
    """What one backbone pass saw, on the device it ran on.

    Tensors always have the engine's batch size as their first dimension, so that a kernel sees one
    shape whatever the batch held; rows from `len(infos)` on are padding and mean nothing.

    Attributes:
        infos: one per frame, n <= B of them.
        cls: class token after the final norm, `[B, D]`; of a model without one (Swin) the mean of
            the patches.
        patches: patch tokens after the final norm, `[B, h, w, D]`.
        layers: block index -> (patches `[B, h, w, D]`, cls `[B, D]`) *before* the final norm. Of a
            pyramid the blocks are its stages, each at a grid f times as fine and with tokens of
            D / f numbers, f of `Architecture.finer`.
        norm: the backbone's final norm, for `normed`; of a pyramid it fits the last stage alone.
        precision: how far dense heads may round what they multiply: a CPU's as the backbone did, a
            GPU's as a user chose; None: nothing less than float32.
        pool: the threads of a CPU engine, for `each`.
        look: (row, patches down and across, mirrored) -> features of another pass, for `again`.
        pixels: what the backbone was given of the frames, on the host: uint8 RGB `[n, H, W, 3]`,
            without padding. None: these features do not come from a backbone.
        registers: block index -> register tokens `[B, R, D]` *before* the final norm, of the
            blocks of `layers`. None: the backbone has none.
        taken: per frame a bit mask: bit i is set where sampling rule i of its stream takes it; ()
            where nobody samples.
        memo: what operators have computed of these frames, for others that ask for the same
            (`BatchOperator.shared`).
    """

    infos: tuple[FrameInfo, ...]
    cls: torch.Tensor
    patches: torch.Tensor
    layers: Mapping[int, tuple[torch.Tensor, torch.Tensor]] = field(default_factory=dict)
    norm: Callable[[torch.Tensor], torch.Tensor] | None = None
    precision: Precision | None = None
    pool: ThreadPool | None = None
    look: Callable[[int, tuple[int, int], bool], Features] | None = None
    pixels: NDArray[np.uint8] | None = None
    registers: Mapping[int, torch.Tensor] | None = None
    taken: tuple[int, ...] = ()
    memo: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def on_host(self) -> bool:
        """No device has to be waited for where a number is read."""
        return self.cls.device.type == "cpu"

    def each(self, work: Callable[[int], T]) -> list[T]:
        """`work(row)` for every frame, in their order; on a CPU several at a time.

        Every call computes on one thread, so its result is the same to the bit on any machine size.
        """
        rows = range(len(self.infos))
        return self.pool.map(work, rows) if self.pool else [work(row) for row in rows]

    def normed(self, block: int) -> tuple[torch.Tensor, torch.Tensor]:
        """(patches, cls) of one block after the final norm."""
        if self.norm is None:
            raise ValueError("these features carry no final norm; build them with Backbone")
        patches, cls = self.layers[block]
        return self.norm(patches), self.norm(cls)

    def again(self, row: int, grid_hw: tuple[int, int], *, mirrored: bool = False) -> Features:
        """One frame seen once more, at another size or mirrored: a backbone pass of its own.

        Args:
            row: which frame.
            grid_hw: patches down and across that its pixels are resized to, bilinearly.
            mirrored: left and right changed over.

        Returns:
            Features of one row, with the same blocks.

        Raises:
            ValueError: these features do not come from a backbone.
        """
        if self.look is None:
            raise ValueError("these features hold no pixels; build them with Backbone")
        return self.look(row, grid_hw, mirrored)

    def take(self, rows: Sequence[int]) -> Features:
        """The same features for some rows only, in the order given, padded to the batch size."""
        if list(rows) == list(range(len(self.infos))):
            return self
        padded = list(rows) + [rows[0]] * (self.cls.shape[0] - len(rows))
        return replace(
            self,
            infos=tuple(self.infos[row] for row in rows),
            cls=self.cls[padded],
            patches=self.patches[padded],
            layers={block: (p[padded], c[padded]) for block, (p, c) in self.layers.items()},
            look=self.look
            and (lambda row, grid, mirror: self.again(rows[row], grid, mirrored=mirror)),
            pixels=None if self.pixels is None else self.pixels[list(rows)],
            registers=self.registers
            and {block: tokens[padded] for block, tokens in self.registers.items()},
            taken=tuple(self.taken[row] for row in rows if self.taken),
        )

"""Views of one picture: two large crops and some small ones (SwAV's multi-crop, arXiv 2006.09882),
each in light and colour of its own, as DINO and DINOv2 draw them.

uint8 pixels in -> uint8 pixels out. A crop is cut and scaled as whole numbers, and only what is
left of it becomes floats.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from operators.errors import UsageError
from operators.pretrain.crop_box import CropBox, draw_box
from operators.pretrain.dice import Dice
from operators.pretrain.photometrics import Photometrics, varied

Blur = Literal["written", "published"]

_BLURRED: Mapping[Blur, tuple[float, float, float]] = {
    "written": (1.0, 0.1, 0.5),
    "published": (0.0, 0.9, 0.5),
}
_LEAST_PX = 8  # of a crop's side; a blur reaches over 9


@dataclass(frozen=True, slots=True)
class CropRecipe:
    """What crops are drawn; DINOv2's figures for patches of 14 pixels, where nothing else is said.

    How probable it is that the first large view, the second one and a small one are blurred, `blur`
    says. `written` is what the paper and the configurations say: 1, .1 and .5. `published` is what
    released weights were trained with: 0, .9 and .5, because upstream hands the probability that a
    picture is left sharp to what asks for the probability that it is blurred (its authors have said
    so). Losses do not care which large view is the first, so both make one of two views blurred,
    most of the time; they differ in whether the remaining tenth is blurred or sharp in both views,
    and in whether the view that may be solarised is the sharp one. We do what is written, so that
    figures mean what they say; whoever goes on from released weights may want the other.

    Attributes:
        global_px: side of a large view, pixels.
        local_px: side of a small one.
        local_count: small views of a picture.
        global_shares: of the picture's area that a large view shows, lowest and highest.
        local_shares: that a small one shows.
        mirror: probability that left and right change places.
        photometrics: what is done to light and colour.
        blur: see above.
    """

    global_px: int = 224
    local_px: int = 98
    local_count: int = 8
    global_shares: tuple[float, float] = (0.32, 1.0)
    local_shares: tuple[float, float] = (0.05, 0.32)
    mirror: float = 0.5
    photometrics: Photometrics = field(default_factory=Photometrics)
    blur: Blur = "written"

    def __post_init__(self) -> None:
        if min(self.global_px, self.local_px) < _LEAST_PX or self.local_count < 0:
            raise UsageError(
                f"want crops of {_LEAST_PX} pixels and more, and 0 small ones or more, got "
                f"{self.global_px} and {self.local_count} of {self.local_px}"
            )
        for low, high in (self.global_shares, self.local_shares):
            if not 0 < low <= high <= 1:
                raise UsageError(
                    f"a crop shows more than 0 and at most all of a picture, the lowest share "
                    f"first; got {low} and {high}"
                )
        if not 0 <= self.mirror <= 1:
            raise UsageError(f"mirror is a probability from 0 to 1, got {self.mirror}")
        if self.blur not in _BLURRED:
            raise UsageError(f"blur is one of {', '.join(_BLURRED)}, got {self.blur!r}")


@dataclass(frozen=True, slots=True)
class Crops:
    """Of one picture, or of B of them.

    Attributes:
        globals: the two large ones, uint8 RGB `[2, 3, H, W]`; of several pictures
            `[2, B, 3, H, W]`.
        locals: L small ones, uint8 `[L, 3, h, w]` or `[L, B, 3, h, w]`.
    """

    globals: Tensor
    locals: Tensor

    @classmethod
    def of_batch(cls, pictures: Sequence[Crops]) -> Crops:
        """Those of several pictures side by side."""
        return cls(
            torch.stack([one.globals for one in pictures], dim=1),
            torch.stack([one.locals for one in pictures], dim=1),
        )


def draw_crops(picture: Tensor, recipe: CropRecipe, draw: torch.Generator) -> Crops:
    """Crops of a picture: the same generator gives the same bytes, on any number of threads.

    Of pictures of 796 x 448 pixels one core of an EPYC with AVX-512 makes 390 times 2 x 112 and
    4 x 42 a second, and 140 times 2 x 224 and 8 x 98 (torch 2.15, 2026-11-30).

    Args:
        picture: uint8 RGB `[H, W, 3]`, on the CPU.
        recipe: which.
        draw: decides; on the CPU.

    Raises:
        ValueError: another dtype or shape.
    """
    if picture.dtype != torch.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise ValueError(f"want uint8 [H, W, 3], got {picture.dtype} {list(picture.shape)}")
    first, second, small = _BLURRED[recipe.blur]
    view = _View(picture, recipe, Dice(draw))
    large = [
        view(recipe.global_px, recipe.global_shares, blur=first),
        view(
            recipe.global_px,
            recipe.global_shares,
            blur=second,
            solarise=recipe.photometrics.solarise,
        ),
    ]
    rest = [
        view(recipe.local_px, recipe.local_shares, blur=small) for _ in range(recipe.local_count)
    ]
    nothing = torch.empty(0, 3, recipe.local_px, recipe.local_px, dtype=torch.uint8)
    return Crops(torch.stack(large), torch.stack(rest) if rest else nothing)


class _View:
    """Draws crops of one picture, one after the other."""

    def __init__(self, picture: Tensor, recipe: CropRecipe, dice: Dice) -> None:
        self._picture, self._recipe, self._dice = picture, recipe, dice

    def __call__(
        self, side_px: int, shares: tuple[float, float], *, blur: float, solarise: float = 0.0
    ) -> Tensor:
        """uint8 `[3, side, side]`."""
        height, width, _ = self._picture.shape
        crop = _scaled(self._picture, draw_box((height, width), shares, self._dice), side_px)
        if self._dice.chance(self._recipe.mirror):
            crop = crop.flip(-1)
        changes = self._recipe.photometrics
        pixels = varied(crop.float(), changes, self._dice, blur=blur, solarise=solarise)
        return pixels.round_().to(torch.uint8)


def _scaled(picture: Tensor, box: CropBox, side_px: int) -> Tensor:
    """A part of a picture as `[3, side, side]`: bicubic, antialiased, in whole numbers."""
    part = picture[box.top : box.top + box.height, box.left : box.left + box.width]
    # Pixel by pixel, as it lies in memory: torch's fast way for uint8 (Pillow's) takes it so.
    planes = part.permute(2, 0, 1)[None].contiguous(memory_format=torch.channels_last)
    size = (side_px, side_px)
    return functional.interpolate(planes, size, mode="bicubic", antialias=True)[0].contiguous()

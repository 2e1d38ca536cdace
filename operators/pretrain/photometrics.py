"""Light and colour of a picture, changed as another camera might: pixels in -> pixels out.

All pixels are float32 `[3, H, W]`, RGB on a scale from 0 to 255. torchvision does the same on uint8
and rounds after each step, hues to 256 of them; here nothing is rounded in between.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from operators.errors import UsageError
from operators.pretrain.dice import Dice

_WHITE = 255.0
_LUMA = (0.299, 0.587, 0.114)  # of red, green and blue (BT.601)
_REACH = 4  # pixels to each side that a blurred pixel is made of
_SIGMAS_PX = (0.1, 2.0)
_SOLARISED = 128  # levels from here on are turned over
_SEXTANTS = (5.0, 3.0, 1.0)  # where red, green and blue stand on the circle of hues


@dataclass(frozen=True, slots=True)
class Photometrics:
    """How much is changed; DINOv2's figures, where nothing else is said.

    Attributes:
        jitter: probability that the next four are changed, in any order.
        brightness, contrast, saturation: each is multiplied by 1 - this to 1 + this.
        hue: is turned by so much of the whole circle at most, to either side.
        grey: probability that no colour is left.
        solarise: probability, of the second large view alone, that bright levels are turned over.
    """

    jitter: float = 0.8
    brightness: float = 0.4
    contrast: float = 0.4
    saturation: float = 0.2
    hue: float = 0.1
    grey: float = 0.2
    solarise: float = 0.2

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value, most = getattr(self, name), 0.5 if name == "hue" else 1.0
            if not 0 <= value <= most:
                raise UsageError(f"{name} of crops must lie from 0 to {most:g}, got {value}")


def varied(
    pixels: Tensor, changes: Photometrics, dice: Dice, *, blur: float, solarise: float
) -> Tensor:
    """The same picture in other light and colour.

    Args:
        pixels: of a crop.
        changes: how much.
        dice: decides.
        blur: probability that it is blurred.
        solarise: probability that it is solarised.
    """
    if dice.chance(changes.jitter):
        pixels = _jittered(pixels, changes, dice)
    if dice.chance(changes.grey):
        pixels = saturated(pixels, 0.0)
    if dice.chance(blur):
        pixels = blurred(pixels, dice.between(*_SIGMAS_PX))
    if dice.chance(solarise):
        pixels = solarised(pixels)
    return pixels


def brightened(pixels: Tensor, factor: float) -> Tensor:
    """Black stays, all else goes away from it or towards it."""
    return (pixels * factor).clamp_(0, _WHITE)


def contrasted(pixels: Tensor, factor: float) -> Tensor:
    """Levels go away from the picture's mean luma, or towards it."""
    # Of whole levels, as Pillow takes it: their sum is exact, on however many threads it is summed.
    mean = float(_luma(pixels).round_().mean(dtype=torch.float64))
    return pixels.mul(factor).add_(mean * (1 - factor)).clamp_(0, _WHITE)


def saturated(pixels: Tensor, factor: float) -> Tensor:
    """Levels go away from each pixel's luma, or towards it; at 0 no colour is left."""
    return torch.lerp(_luma(pixels), pixels, factor).clamp_(0, _WHITE)


def turned(pixels: Tensor, circles: float) -> Tensor:
    """Every hue is so many circles further; the largest and the smallest channel of a pixel stay as
    large as they are (hexagonal hues, as of HSV)."""
    top, bottom = pixels.amax(0), pixels.amin(0)
    chroma = top - bottom
    red, green, blue = pixels / chroma.where(chroma > 0, 1.0)
    greenish = torch.where(pixels[1] == top, blue - red + 2, red - green + 4)
    hue = torch.where(pixels[0] == top, green - blue, greenish)
    channels = torch.tensor(_SEXTANTS).view(3, 1, 1)
    away = (channels + hue + 6 * circles).remainder_(6)
    return top - chroma * torch.minimum(away, 4 - away).clamp_(0, 1)


def solarised(pixels: Tensor) -> Tensor:
    """The bright half of the scale is turned over."""
    return torch.where(pixels < _SOLARISED, pixels, _WHITE - pixels)


def blurred(pixels: Tensor, sigma_px: float) -> Tensor:
    """A Gaussian over 9 x 9 pixels; beyond its edges the picture goes on as in a mirror.

    Args:
        pixels: more than 4 rows and columns.
        sigma_px: above 0.
    """
    weights = [math.exp(-(away**2) / (2 * sigma_px**2)) for away in range(-_REACH, _REACH + 1)]
    weights = [weight / math.fsum(weights) for weight in weights]
    padded = functional.pad(pixels[None], (_REACH,) * 4, mode="reflect")[0]
    return _summed(_summed(padded, weights, -1), weights, -2)


def _summed(padded: Tensor, weights: list[float], along: int) -> Tensor:
    """Pixels and their neighbours along one side. Term by term: a convolution of the library might
    take another order on another number of threads."""
    length = padded.shape[along] - 2 * _REACH
    total = padded.narrow(along, 0, length) * weights[0]
    for first, weight in enumerate(weights[1:], start=1):
        total.add_(padded.narrow(along, first, length), alpha=weight)
    return total


def _jittered(pixels: Tensor, changes: Photometrics, dice: Dice) -> Tensor:
    order = dice.order(4)
    strengths = (changes.brightness, changes.contrast, changes.saturation)
    by = [dice.between(1 - strength, 1 + strength) for strength in strengths]
    by.append(dice.between(-changes.hue, changes.hue))
    steps = (brightened, contrasted, saturated, turned)
    for step in order:
        pixels = steps[step](pixels, by[step])
    return pixels


def _luma(pixels: Tensor) -> Tensor:
    """`[1, H, W]`."""
    luma = pixels[:1] * _LUMA[0]
    return luma.add_(pixels[1:2], alpha=_LUMA[1]).add_(pixels[2:], alpha=_LUMA[2])

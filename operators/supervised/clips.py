"""What a backbone is trained on: short clips with the truth of every cell.

A cell is a quarter of a patch's side, so that a patch's token has to know what lies where in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Clips:
    """Clips of one size.

    Attributes:
        pixels: uint8 RGB `[C, T, H, W, 3]`.
        depth_m: float32 `[C, T, 4h, 4w]`, metres; 0 where it is not known.
        classes: int64 `[C, T, 4h, 4w]`.
        actions: int64 `[C]`, one label per clip.
    """

    pixels: Tensor
    depth_m: Tensor
    classes: Tensor
    actions: Tensor


@dataclass(frozen=True, slots=True)
class Turned:
    """What an action becomes when its clip is turned; -1 where such a clip would be no clip.

    Attributes:
        mirrored: int64 `[actions]`, left and right exchanged.
        reversed: int64 `[actions]`, played backwards.
    """

    mirrored: Tensor
    reversed: Tensor


def vary(clips: Clips, turned: Turned, draw: torch.Generator) -> Clips:
    """The same clips as other cameras would give them: mirrored, backwards, other light and colour.

    Args:
        clips: C of them.
        turned: what that makes of their actions.
        draw: decides.
    """
    pixels, depth_m, classes = clips.pixels.clone(), clips.depth_m.clone(), clips.classes.clone()
    actions = clips.actions.clone()
    for clip in range(len(actions)):
        for own, across, target in ((turned.mirrored, 2, -1), (turned.reversed, 0, 0)):
            becomes = int(own[actions[clip]])
            if becomes < 0 or torch.rand((), generator=draw) < 0.5:
                continue
            pixels[clip] = pixels[clip].flip(across)
            depth_m[clip], classes[clip] = depth_m[clip].flip(target), classes[clip].flip(target)
            actions[clip] = becomes
    return Clips(_lit(pixels, draw), depth_m, classes, actions)


def _lit(pixels: Tensor, draw: torch.Generator) -> Tensor:
    """Gain per colour, gamma and contrast, the same for all frames of a clip, and noise."""
    count = len(pixels)

    def between(low: float, high: float, *shape: int) -> Tensor:
        drawn = torch.rand((count, *shape, *(1,) * (4 - len(shape))), generator=draw)
        return low + (high - low) * drawn

    light = pixels.float().div_(255)
    light = light.pow_(between(0.75, 1.35)).mul_(between(0.75, 1.25))
    light.mul_(between(0.88, 1.12, 1, 1, 1, 3))
    middle = light.mean(dim=(1, 2, 3, 4), keepdim=True)
    light = (light - middle).mul_(between(0.75, 1.25)).add_(middle)
    # Of every frame its own: a clip that shared one would be known by it.
    noise = torch.randn(light.shape, generator=draw)
    light.add_(noise * between(0.0, 0.03))
    return light.clamp_(0, 1).mul_(255).round_().to(torch.uint8)

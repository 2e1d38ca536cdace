"""How wrong a student is about clips: one number to lower, and the numbers that people read."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from operators.pretrain.clips import Clips
from operators.pretrain.student import Guess

# Each near 1 before the first step; depth is what every other task leans on.
_WEIGHTS = {"depth": 1.5, "classes": 1.0, "shares": 0.3, "action": 0.5}


def losses(guess: Guess, clips: Clips) -> dict[str, Tensor]:
    """One scalar per task.

    depth: mean absolute difference of logarithms, which counts 1 m in 2 m like 10 m in 20 m.
    classes: cross entropy per cell. shares: cross entropy with the shares of the classes in the
    picture, for the class token. action: cross entropy per clip.
    """
    truth = clips.classes.flatten(0, 1)
    count = guess.shares.shape[1]
    shares = F.one_hot(truth.flatten(1), count).float().mean(dim=1)
    depth_m = clips.depth_m.flatten(0, 1)
    known = depth_m > 0
    return {
        "depth": (guess.log_depth[known] - depth_m[known].log()).abs().mean(),
        "classes": F.cross_entropy(guess.classes, truth),
        "shares": F.cross_entropy(guess.shares, shares),
        "action": F.cross_entropy(guess.actions, clips.actions),
    }


def total(parts: Mapping[str, Tensor]) -> Tensor:
    """The weighted sum that training lowers."""
    return torch.stack([_WEIGHTS[name] * part for name, part in parts.items()]).sum()


@torch.no_grad()
def scores(guess: Guess, clips: Clips) -> dict[str, float]:
    """For people: relative error of depth, share of right cells, share of right actions."""
    depth_m = clips.depth_m.flatten(0, 1)
    known = depth_m > 0
    error_m = (guess.log_depth.exp() - depth_m).abs()
    cells_right = guess.classes.argmax(1) == clips.classes.flatten(0, 1)
    return {
        "depth_abs_rel": float((error_m[known] / depth_m[known]).mean()),
        "cells_right": float(cells_right.float().mean()),
        "actions_right": float((guess.actions.argmax(1) == clips.actions).float().mean()),
    }

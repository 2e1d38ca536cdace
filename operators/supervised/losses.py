"""How wrong a student is about clips: one number to lower, and the numbers that people read."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from operators.supervised.clips import Clips
from operators.supervised.places import found_again
from operators.supervised.student import FIELDS, Guess

# Each near 1 before the first step; depth is what every other task leans on.
_WEIGHTS = {"depth": 1.5, "classes": 1.0, "shares": 0.5, "distance": 0.75, "action": 1.5}


def losses(guess: Guess, clips: Clips) -> dict[str, Tensor]:
    """One scalar per task.

    depth: mean absolute difference of logarithms, which counts 1 m in 2 m like 10 m in 20 m.
    classes: cross entropy per cell. shares and distance: what the class token knows of each field
    of the picture, cross entropy with the classes' shares and difference to the mean log depth;
    without them it tells nothing of where things are, and actions are about that. action: cross
    entropy per clip.
    """
    truth = clips.classes.flatten(0, 1)
    shares = F.one_hot(truth, guess.shares.shape[1]).permute(0, 3, 1, 2).float()
    depth_m = clips.depth_m.flatten(0, 1)
    known = depth_m > 0
    log_depth = depth_m.clamp_min(1e-6).log() * known
    part_known = F.adaptive_avg_pool2d(known.float()[:, None], FIELDS)[:, 0]
    distance = F.adaptive_avg_pool2d(log_depth[:, None], FIELDS)[:, 0] / part_known.clamp_min(1e-6)
    off = (guess.distance - distance).abs() * part_known
    return {
        "depth": (guess.log_depth - log_depth)[known].abs().mean(),
        "classes": F.cross_entropy(guess.classes, truth),
        "shares": F.cross_entropy(guess.shares, F.adaptive_avg_pool2d(shares, FIELDS)),
        "distance": off.sum() / part_known.sum(),
        "action": F.cross_entropy(guess.actions, clips.actions),
    }


def total(parts: Mapping[str, Tensor]) -> Tensor:
    """The weighted sum that training lowers."""
    return torch.stack([_WEIGHTS[name] * part for name, part in parts.items()]).sum()


@torch.no_grad()
def scores(guess: Guess, clips: Clips) -> dict[str, float]:
    """For people: relative error of depth, and shares: of right cells, of right actions, of clips
    whose first frame is most like their own last one, of all that are given."""
    depth_m = clips.depth_m.flatten(0, 1)
    known = depth_m > 0
    error_m = (guess.log_depth.exp() - depth_m).abs()
    cells_right = guess.classes.argmax(1) == clips.classes.flatten(0, 1)
    return {
        "depth_abs_rel": float((error_m[known] / depth_m[known]).mean()),
        "cells_right": float(cells_right.float().mean()),
        "actions_right": float((guess.actions.argmax(1) == clips.actions).float().mean()),
        "places_found": float(found_again(guess.places[:, 0], guess.places[:, -1]).float().mean()),
    }

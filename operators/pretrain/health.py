"""Whether a training collapses: a batch's class tokens and targets in -> numbers and alarms out.

A loss does not tell: it falls when all pictures come to look alike.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from operators.pretrain.precision import at_least_float32

# Below which part of its healthy value a number alarms. Far from both: a training of minutes had
# 0.8 to 0.95 of the deviation (ViT of width 128).
_LEAST_SPREAD = 0.25
_LEAST_ENTROPY = 0.5
_LEAST_TOLD = 0.02
_LEAST_RANK = 0.1
_LEAST_USED = 0.1


@dataclass(frozen=True, slots=True)
class Spread:
    """How far apart pictures still are to the student.

    Attributes:
        pictures: B.
        width: D.
        deviation: of class tokens of length 1, mean over the channels: up to 1 / sqrt(D), 0 where
            all pictures look alike.
        effective_rank: exponential of the entropy of the singular values of those tokens without
            their mean (Roy and Vetterli 2007), 1 to min(B - 1, D).
    """

    pictures: int
    width: int
    deviation: float
    effective_rank: float

    @classmethod
    @torch.no_grad()
    def of_tokens(cls, class_tokens: Tensor) -> Spread:
        """Look at one batch.

        Args:
            class_tokens: of different pictures, `[B, D]`, B from 2.

        Raises:
            ValueError: too few.
        """
        if len(class_tokens) < 2:
            raise ValueError(f"want 2 class tokens or more, got {len(class_tokens)}")
        units = F.normalize(at_least_float32(class_tokens), dim=1)
        return Spread(
            pictures=len(units),
            width=units.shape[1],
            deviation=units.std(dim=0, correction=0).mean().item(),
            effective_rank=_effective_rank(units - units.mean(dim=0)),
        )

    def alarms(self) -> list[str]:
        """What looks like a collapse, a sentence each; none is good. Not a number alarms too.

        At the very start class tokens hardly depend on the picture, where LayerScale is small, so
        alarms of the first steps mean little.
        """
        return list(self._alarms_of_tokens())

    def _alarms_of_tokens(self) -> Iterator[str]:
        healthy = self.width**-0.5
        if not self.deviation >= _LEAST_SPREAD * healthy:
            yield (
                f"pictures look alike to the student: deviation of class tokens "
                f"{self.deviation:.2g} per channel, healthy is near {healthy:.2g}"
            )
        most = min(self.pictures - 1, self.width)
        if not self.effective_rank >= min(most, max(2.0, _LEAST_RANK * most)):
            yield (
                f"class tokens lie in few directions: effective rank {self.effective_rank:.1f} of "
                f"at most {most}"
            )


@dataclass(frozen=True, slots=True)
class Health(Spread):
    """That, and how far apart they are in the teacher's targets.

    Attributes:
        samples: n.
        prototypes: K.
        mean_entropy: of the mean of the targets, nats: log K where prototypes are used alike, 0
            where all have one target.
        target_entropy: mean of the targets' own entropies, nats; no loss falls below it. As high as
            `mean_entropy` where targets tell nothing apart.
        used_prototypes: share of the K that are the highest of any target.
    """

    samples: int
    prototypes: int
    mean_entropy: float
    target_entropy: float
    used_prototypes: float

    @classmethod
    @torch.no_grad()
    def of(cls, class_tokens: Tensor, targets: Tensor) -> Health:
        """Look at one batch.

        Args:
            class_tokens: of different pictures, `[B, D]`, B from 2.
            targets: of class tokens, `[n, K]`, n from 1; rows sum to 1.

        Raises:
            ValueError: too few of either.
        """
        if not len(targets):
            raise ValueError("want 1 target or more, got 0")
        own = at_least_float32(targets)
        return cls(
            **asdict(Spread.of_tokens(class_tokens)),
            samples=len(own),
            prototypes=own.shape[1],
            mean_entropy=_entropy(own.mean(dim=0)).item(),
            target_entropy=_entropy(own).mean().item(),
            used_prototypes=len(set(own.argmax(dim=1).tolist())) / own.shape[1],
        )

    def alarms(self) -> list[str]:
        """Of both."""
        return [*self._alarms_of_tokens(), *self._alarms_of_targets()]

    def _alarms_of_targets(self) -> Iterator[str]:
        most = min(self.samples, self.prototypes)
        if most > 1 and not self.mean_entropy >= _LEAST_ENTROPY * math.log(most):
            yield (
                f"few prototypes have all the mass: entropy of the mean target "
                f"{self.mean_entropy:.2f}, healthy is near {math.log(self.prototypes):.2f}"
            )
        told = self.mean_entropy - self.target_entropy
        if most > 1 and not told >= _LEAST_TOLD * math.log(most):
            yield (
                f"targets of all samples are alike: they tell {told:.2g} nats apart of at most "
                f"{math.log(most):.2f}; their own entropy is {self.target_entropy:.2f}"
            )
        if not self.used_prototypes >= _LEAST_USED * most / self.prototypes:
            yield (
                f"{self.used_prototypes:.1%} of the prototypes are the highest of any of "
                f"{self.samples} targets, {most / self.prototypes:.1%} could be"
            )


def _entropy(shares: Tensor) -> Tensor:
    """`[..., K]` -> `[...]`, nats."""
    entropies: Tensor = torch.special.entr(shares).sum(dim=-1)
    return entropies


def _effective_rank(rows: Tensor) -> float:
    if not rows.isfinite().all():  # LAPACK raises
        return math.nan
    values = torch.linalg.svdvals(rows)
    return _entropy(values / values.sum().clamp_min(torch.finfo(values.dtype).tiny)).exp().item()

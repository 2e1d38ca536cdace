"""How long and how fast: every number of a run that changes from step to step, and those that stay.

Figures are DINOv2's where nothing else is said (arXiv 2304.07193, table 16, and its published
configurations). Warm-ups are shares of the run: upstream's 80 of 500 epochs and the like, so that a
short run goes through the same phases.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from operators.errors import UsageError
from operators.pretrain.schedules import Cosine, Linear

FROM_NOTHING_RATE, GOING_ON_RATE = 4e-3, 2e-4  # vitl16_short's, and the large models'
_RATE_OF = 1024  # pictures in a batch that rates are told for


@dataclass(frozen=True)
class Recipe:
    """Of one run.

    Attributes:
        steps: in all.
        batch: pictures in each.
        rate: base learning rate, for a batch of 1024; a batch of b learns at
            rate * sqrt(b / 1024).
        rate_warmup: share of the run in which the rate rises from 0; then a cosine to 1e-6.
        weight_decay: at the start and at the end, a cosine.
        momentum: of the teacher's average at the start; a cosine to 1.
        temperature: the teacher's, at the start and from the end of its warm-up on.
        temperature_warmup: share of the run, linear.
        koleo_weight: of the term that spreads class tokens.
        gram_weight: of the term that holds patches' likenesses to those of the weights that the
            training began with; 0: there is none.
        drop: stochastic depth, share of pictures that each branch leaves out; upstream's large
            models 0.4, distilled ones 0.
        layer_decay: each block learns at so many times the rate of the one behind it.
        patch_embed_scale: of the rate, for the patch embedding.
        clip_norm: largest gradient norm of backbone and heads, each by itself.
        frozen_prototypes: share of the run in which the heads' last layers stay as they are.
        masked: share of global crops of which patches are hidden.
        targets: how the teacher's scores become targets that do not collapse: by Sinkhorn and
            Knopp's iterations, or less their running mean.
        seed: of everything that is drawn.
    """

    steps: int
    batch: int
    rate: float = FROM_NOTHING_RATE
    rate_warmup: float = 0.1
    weight_decay: tuple[float, float] = (0.04, 0.2)
    momentum: float = 0.994
    temperature: tuple[float, float] = (0.04, 0.07)
    temperature_warmup: float = 0.3
    koleo_weight: float = 0.1
    gram_weight: float = 0.0
    drop: float = 0.0
    layer_decay: float = 1.0
    patch_embed_scale: float = 0.2
    clip_norm: float = 3.0
    frozen_prototypes: float = 0.01
    masked: float = 0.5
    targets: Literal["sinkhorn", "centred"] = "sinkhorn"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch < 2:
            raise UsageError(
                f"a run wants 1 step and 2 pictures in a batch at least, got {self.steps} and "
                f"{self.batch}: class tokens are compared with those of other pictures"
            )
        if not 0 <= self.drop < 1:
            raise UsageError(f"drop must be at least 0 and below 1, got {self.drop}")

    @cached_property
    def rates(self) -> Cosine:
        """Learning rate, step by step."""
        height = self.rate * math.sqrt(self.batch / _RATE_OF)
        return Cosine(height, min(1e-6, height), self.steps, warmup=self._part(self.rate_warmup))

    @cached_property
    def decays(self) -> Cosine:
        """Weight decay."""
        return Cosine(*self.weight_decay, self.steps)

    @cached_property
    def momenta(self) -> Cosine:
        """How much of the teacher stays."""
        return Cosine(self.momentum, 1.0, self.steps)

    @cached_property
    def temperatures(self) -> Linear:
        """The teacher's."""
        return Linear(*self.temperature, self._part(self.temperature_warmup))

    def prototypes_learn(self, step: int) -> bool:
        """Whether the heads' last layers do."""
        return step >= self._part(self.frozen_prototypes)

    def _part(self, share: float) -> int:
        return round(share * self.steps)

"""The training loop: batches in, a student that is a little better after every step out.

What a step sees is a function of the plan's seed and the step's number, so a training that was
stopped goes on as if it never had been. Knows nothing of where clips come from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from operators.backbones.thread_pool import stay_on_one_core
from operators.backbones.training_pass import training_pass
from operators.pretrain.dice import generator_of
from operators.supervised.agreement import Agreement
from operators.supervised.clips import Clips, Turned, vary
from operators.supervised.losses import losses, scores, total
from operators.supervised.positions import smoothed
from operators.supervised.student import Student
from operators.whole_file import whole_file

Batches = Callable[[torch.Generator], Clips]

_BETAS = (0.9, 0.95)
_CLIP_NORM = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How to train.

    Attributes:
        steps: in all.
        warmup: steps until the learning rate is at its height, from where it falls as a cosine.
        learning_rate: at its height.
        weight_decay: of matrices; gains, offsets and tokens have none.
        dtype: of matrix products; weights stay float32.
        seed: of everything that is drawn.
        heads_first: steps in which the heads alone learn, at the full rate, before those of the
            plan: new heads on a backbone that is trained would spoil it.
    """

    steps: int
    warmup: int = 400
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    dtype: torch.dtype = torch.float32
    seed: int = 0
    heads_first: int = 0

    def learning_rate_at(self, step: int) -> float:
        """Linear up, cosine down to a hundredth."""
        if step < self.heads_first:
            return self.learning_rate
        step -= self.heads_first
        if step < self.warmup:
            return self.learning_rate * (step + 1) / self.warmup
        share = (step - self.warmup) / max(1, self.steps - self.heads_first - self.warmup)
        return self.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, share))))


class Training:
    """A student on its way."""

    def __init__(
        self,
        student: Student,
        batches: Batches,
        turned: Turned,
        plan: Plan,
        agreement: Agreement | None = None,
    ) -> None:
        """
        Args:
            student: is changed in place.
            batches: gives the clips of a step, chosen by the generator.
            turned: what mirroring and reversing makes of actions.
            plan: how.
            agreement: what class tokens learn of places; None: only truth is taught.
        """
        self.student = student
        self.agreement = agreement
        self.plan = plan
        self.step = 0
        self._batches = batches
        self._turned = turned
        self._optimiser = torch.optim.AdamW(_groups(student, plan), betas=_BETAS)

    def run(self) -> Iterator[dict[str, float]]:
        """Train to the end of the plan; after every step, its losses."""
        with ThreadPoolExecutor(1, "clips", initializer=stay_on_one_core) as ahead:
            coming = ahead.submit(self._clips, self.step)
            while self.step < self.plan.steps:
                clips = coming.result()
                coming = ahead.submit(self._clips, self.step + 1)
                yield self._advance(clips)

    @torch.no_grad()
    def scores(self, clips: Clips) -> dict[str, float]:
        """How good the student is on clips that it was not trained on."""
        self.student.eval()
        return scores(self.student(clips.pixels), clips)

    def save(self, path: Path) -> None:
        """Write all that `resume` needs, at once or not at all."""
        whole = {
            "step": self.step,
            "student": self.student.state_dict(),
            "agreement": self.agreement.state_dict() if self.agreement else {},
            "optimiser": self._optimiser.state_dict(),
        }
        with whole_file(path) as draft:
            torch.save(whole, draft)

    def resume(self, path: Path) -> None:
        """Go on from a file of `save`."""
        whole: dict[str, Any] = torch.load(path, weights_only=True)
        self.student.load_state_dict(whole["student"])
        if self.agreement:
            self.agreement.load_state_dict(whole["agreement"])
        self._optimiser.load_state_dict(whole["optimiser"])
        self.step = whole["step"]

    def start_from(self, before: Mapping[str, Tensor]) -> None:
        """Begin a new plan with a student's tensors, as far as they are there and still fit."""
        own = self.student.state_dict()
        fits = {
            name: old
            for name, old in before.items()
            if name in own and old.shape == own[name].shape
        }
        self.student.load_state_dict(own | fits)

    def _clips(self, step: int) -> Clips:
        draw = generator_of(self.plan.seed, step)
        return vary(self._batches(draw), self._turned, draw)

    def _advance(self, clips: Clips) -> dict[str, float]:
        for group in self._optimiser.param_groups:
            group["lr"] = self.plan.learning_rate_at(self.step)
        self.student.train()
        self.student.backbone.requires_grad_(self.step >= self.plan.heads_first)
        self._optimiser.zero_grad()
        with training_pass(self.plan.dtype, torch.device("cpu")):
            guess = self.student(clips.pixels)
            parts = losses(guess, clips)
            places = self.agreement.losses(guess.places) if self.agreement else {}
        whole = torch.stack([total(parts), *places.values()]).sum()
        whole.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.student.parameters(), _CLIP_NORM)
        self._optimiser.step()
        backbone = self.student.backbone
        with torch.no_grad():
            assert backbone.pos_embed is not None  # what is trained here adds its positions
            backbone.pos_embed.copy_(smoothed(backbone.pos_embed, backbone.architecture))
        self.step += 1
        return {name: part.item() for name, part in (parts | places).items()}


def _groups(student: Student, plan: Plan) -> list[dict[str, Any]]:
    named = [(name, own) for name, own in student.named_parameters() if own.requires_grad]
    tokens = ("cls_token", "pos_embed", "mask_token", "register_tokens")
    plain = [own for name, own in named if own.ndim < 2 or name.endswith(tokens)]
    matrices = [own for name, own in named if own.ndim >= 2 and not name.endswith(tokens)]
    return [
        {"params": matrices, "weight_decay": plan.weight_decay},
        {"params": plain, "weight_decay": 0.0},
    ]

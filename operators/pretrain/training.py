"""The loop of a training without labels: crops in, a student and its average that know more.

What a step sees and draws is a function of the recipe's seed and the step's number, so a training
that was stopped goes on, bit for bit on one machine, as if it never had been.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import nn

from operators.backbones.training_pass import training_pass
from operators.errors import UsageError
from operators.pretrain.average import update_average
from operators.pretrain.crops import Crops
from operators.pretrain.dice import generator_of
from operators.pretrain.parameters import parameter_groups
from operators.pretrain.processes import ALONE, Processes
from operators.pretrain.recipe import Recipe
from operators.pretrain.step import Step, moved
from operators.pretrain.trainee import Trainee
from operators.whole_file import whole_file

Batches = Callable[[int], Crops]
"""The number of a step -> what it looks at, always the same; of this process's part of it."""


Student = TypeVar("Student", bound=Trainee)
Taught = TypeVar("Taught", bound=Trainee, contravariant=True)


class Objective(Protocol[Taught]):
    """What a student is taught.

    Attributes:
        memory: what it remembers from step to step.
    """

    memory: nn.Module

    def __call__(
        self, student: Taught, average: Taught, crops: Crops, step: int, draw: torch.Generator, /
    ) -> Step:
        """The losses of a step; the generator decides what is left to chance."""
        ...


class Diverged(UsageError):
    """Losses are no numbers any more."""


class Training(Generic[Student]):
    """A student on its way.

    Attributes:
        student: learns.
        average: of it over time, which is what a training is for.
        step: how many are done.
    """

    def __init__(
        self,
        student: Student,
        objective: Objective[Student],
        batches: Batches,
        recipe: Recipe,
        *,
        dtype: torch.dtype = torch.float32,
        processes: Processes = ALONE,
    ) -> None:
        """
        Args:
            student: is changed in place; lies where it is to be computed.
            objective: what it is taught.
            batches: gives the crops of a step.
            recipe: how long and how fast.
            dtype: of matrix products; weights stay float32.
            processes: that train it; all do the same calls.
        """
        self.student = student
        self.average = deepcopy(student).requires_grad_(False)
        for own in (self.student, self.average):
            processes.share(own, dtype)
        self.recipe = recipe
        self.step = 0
        self._objective = objective
        self._batches = batches
        self._dtype = dtype
        self._processes = processes
        self._parts = (student.backbone, *student.heads)
        groups = parameter_groups(
            student.backbone,
            student.heads,
            layer_decay=recipe.layer_decay,
            patch_embed_scale=recipe.patch_embed_scale,
        )
        self._optimiser = torch.optim.AdamW(groups, betas=(0.9, 0.999))

    def run(self) -> Iterator[Step]:
        """Train to the end of the recipe; after every step, what it gave.

        Raises:
            Diverged: losses or gradients are no numbers; nothing of that step is kept.
        """
        while self.step < self.recipe.steps:
            yield self._advance(self._batches(self.step))

    def save(self, path: Path) -> None:
        """Write all that `resume` needs, whole or not at all.

        The file is the same kind however many processes there are: the first one writes it, and
        any number of them goes on from it.

        Raises:
            OSError: it cannot be written.
        """
        own = {
            "step": self.step,
            "student": self.student.state_dict(),
            "average": self.average.state_dict(),
            "memory": self._objective.memory.state_dict(),
            "optimiser": self._optimiser.state_dict(),
        }
        state = self._processes.whole(own)
        if self._processes.rank == 0:
            with whole_file(path) as draft, draft.open("wb") as file:
                torch.save(state, file)
                file.flush()
                os.fsync(file.fileno())  # else a power cut may leave its name without its bytes

    def resume(self, path: Path) -> None:
        """Go on from a file of `save`, which all processes can read."""
        parts = self._processes.parts
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        for name, own in (("student", self.student), ("average", self.average)):
            own.load_state_dict(parts(state[name], own.state_dict()))
        self._objective.memory.load_state_dict(state["memory"])
        optimiser = state["optimiser"]
        numbered = enumerate(one for own in self._optimiser.param_groups for one in own["params"])
        optimiser["state"] = {
            number: parts(moments, dict.fromkeys(moments, parameter))
            for number, parameter in numbered
            if (moments := optimiser["state"].get(number))
        }
        self._optimiser.load_state_dict(optimiser)
        self.step = state["step"]

    def _advance(self, crops: Crops) -> Step:
        recipe, device = self.recipe, self.student.backbone.cls_token.device
        draw = generator_of(recipe.seed, self.step)
        self._set_rates()
        self._optimiser.zero_grad()
        with training_pass(self._dtype, device):
            done = self._objective(
                self.student, self.average, moved(crops, device), self.step, draw
            )
        told = self._processes.mean(done)
        if not torch.isfinite(told.total):
            raise Diverged(
                f"step {self.step}: the losses are {told.plain()}, so the training has diverged; "
                "begin anew with a lower rate"
            )
        done.total.backward()  # type: ignore[no-untyped-call]
        # Each by its own norm: a head's must not slow the backbone.
        norms = [
            nn.utils.clip_grad_norm_(part.parameters(), recipe.clip_norm) for part in self._parts
        ]
        if not all(torch.isfinite(norm) for norm in norms):
            raise Diverged(
                f"step {self.step}: a gradient is no number, so the training has diverged; begin "
                "anew with a lower rate"
            )
        self._optimiser.step()
        update_average(self.average, self.student, recipe.momenta.at(self.step))
        self.step += 1
        return told

    def _set_rates(self) -> None:
        recipe = self.recipe
        rate, decay = recipe.rates.at(self.step), recipe.decays.at(self.step)
        for group in self._optimiser.param_groups:
            still = group["last_layer"] and not recipe.prototypes_learn(self.step)
            group["lr"] = 0.0 if still else rate * group["lr_scale"]
            group["weight_decay"] = decay if group["decays"] else 0.0

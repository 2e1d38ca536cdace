"""How a training does between two lines of its curve: steps in, a line and its alarms out."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from operators.pretrain.health import Health
from operators.pretrain.recipe import Recipe
from operators.pretrain.step import Step


class Looks:
    """Losses since the last line, as means.

    Attributes:
        said: the last step's, in words.
    """

    def __init__(self, recipe: Recipe) -> None:
        """
        Args:
            recipe: of the training.
        """
        self._recipe = recipe
        self._sums: dict[str, float] = {}
        self._count = 0
        self.said = ""

    def add(self, step: Step) -> None:
        """Another step."""
        losses = step.plain()
        for name, loss in losses.items():
            self._sums[name] = self._sums.get(name, 0.0) + loss
        self._count += 1
        self.said = f"loss {sum(losses.values()):.3f}"

    def line(self, number: int, step: Step) -> tuple[dict[str, Any], list[str]]:
        """A line about all steps since the last one, and what the last step is alarmed by.

        Args:
            number: steps that are done.
            step: the last of them.
        """
        means = {name: round(total / self._count, 6) for name, total in self._sums.items()}
        line = {"step": number, "rate": self._recipe.rates.at(number - 1), **means}
        self._sums, self._count = {}, 0
        if step.targets is None:
            return line, []
        health = Health.of(step.class_tokens, step.targets)
        alarms = health.alarms()
        most = {"log_prototypes": math.log(health.prototypes)}
        return line | asdict(health) | most | {"alarms": alarms}, alarms

"""How a training does between two lines of its curve: steps in, a line and its alarms out."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from operators.pretrain.health import Health, Spread
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
        """A line about the steps since the last one, and what the last step is alarmed by.

        Args:
            number: steps that are done.
            step: the last of them.
        """
        means = {name: round(total / self._count, 6) for name, total in self._sums.items()}
        # Fewer steps than the line stands for, where a killed training went on in its midst.
        line = {"step": number, "steps": self._count, "rate": self._recipe.rates.at(number - 1)}
        line |= means
        self._sums, self._count = {}, 0
        health = (
            Spread.of_tokens(step.class_tokens)
            if step.targets is None
            else Health.of(step.class_tokens, step.targets)
        )
        if isinstance(health, Health):
            line["log_prototypes"] = math.log(health.prototypes)
        alarms = health.alarms()
        return line | asdict(health) | {"alarms": alarms}, alarms

"""How far a training of a dense head has come: weights, optimiser, schedule and what was best.

One object in -> one file, from which the same training goes on to the same end. Knows no loss.
"""

from __future__ import annotations

import math
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor

from operators.whole_file import whole_file


class TrainingState:
    """AdamW on a few tensors with a cosine to zero, and the weights that validated best."""

    def __init__(
        self, weights: dict[str, Tensor], *, rate: float, decay: float, steps: int
    ) -> None:
        """
        Args:
            weights: where to begin; not changed.
            rate: at the start.
            decay: of the weights.
            steps: after which the rate is zero.
        """
        self.weights = {name: one.clone().requires_grad_() for name, one in weights.items()}
        self.optimiser = torch.optim.AdamW(self.weights.values(), lr=rate, weight_decay=decay)
        self.cosine = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimiser, steps)
        self.step = 0
        self.best = math.inf
        self.kept = _copy(self.weights)
        self.losses: list[float] = []

    def judge(self, validation: float) -> None:
        """Note a validation loss; the weights are kept where none was better."""
        self.losses.append(validation)
        if validation <= self.best:
            self.best, self.kept = validation, _copy(self.weights)

    def save(self, path: Path) -> None:
        """Write all of it, whole or not at all.

        Raises:
            OSError: it cannot be written.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as draft:
            torch.save(self._plain(), draft)

    def load(self, path: Path) -> bool:
        """Go on from what `save` wrote; false where nothing does lie there, or nothing whole."""
        try:
            found: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
        except (FileNotFoundError, EOFError, RuntimeError, UnpicklingError):
            return False
        with torch.no_grad():
            for name, tensor in found["weights"].items():
                self.weights[name].copy_(tensor)
        self.optimiser.load_state_dict(found["optimiser"])
        self.cosine.load_state_dict(found["cosine"])
        self.step, self.best = found["step"], found["best"]
        self.kept, self.losses = found["kept"], found["losses"]
        return True

    def _plain(self) -> dict[str, Any]:
        return {
            "weights": _copy(self.weights),
            "optimiser": self.optimiser.state_dict(),
            "cosine": self.cosine.state_dict(),
            "step": self.step,
            "best": self.best,
            "kept": self.kept,
            "losses": self.losses,
        }


def _copy(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in weights.items()}

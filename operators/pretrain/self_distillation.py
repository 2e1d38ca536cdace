"""What a student is taught without labels, step by step: by its own average, or by another model.

One step's views in, its losses out; how both change over a run is the recipe's.
"""

from __future__ import annotations

import torch
from torch import Tensor

from operators.pretrain.learner import Learner
from operators.pretrain.masks import draw_masks
from operators.pretrain.recipe import Recipe
from operators.pretrain.sinkhorn import sinkhorn_knopp
from operators.pretrain.step import Instructions, Step, Views, losses_of


class SelfDistillation:
    """DINOv2's objective; the targets are made by Sinkhorn and Knopp's iterations."""

    def __init__(self, recipe: Recipe, teacher: Learner | None = None) -> None:
        """
        Args:
            recipe: of the run.
            teacher: a trained one, frozen, with heads of the student's shape, whose word counts
                instead of the average's. Then nothing is hidden and all patches are asked about
                (arXiv 2304.07193, section 5).
        """
        self._recipe = recipe
        self._teacher = teacher

    def __call__(
        self, student: Learner, average: Learner, views: Views, step: int, draw: torch.Generator
    ) -> Step:
        """The losses of a step.

        Args:
            student: learns.
            average: of it.
            views: of B pictures.
            step: from 0.
            draw: decides what is hidden and left out.
        """
        distils = self._teacher is not None
        masks = self._masks(student, views, draw)
        how = Instructions(
            temperature=self._recipe.temperatures.at(step),
            class_targets=sinkhorn_knopp,
            patch_targets=sinkhorn_knopp,
            koleo_weight=self._recipe.koleo_weight,
            hide=not distils,
            drop=self._recipe.drop,
            draw=draw,
        )
        return losses_of(student, self._teacher or average, views, masks, how)

    def _masks(self, student: Learner, views: Views, draw: torch.Generator) -> Tensor:
        patch = student.backbone.architecture.patch
        height, width = views.large.shape[-2:]
        grid_hw = (height // patch, width // patch)
        count = views.large.shape[0] * views.large.shape[1]
        if self._teacher is not None:
            return torch.ones(count, grid_hw[0] * grid_hw[1], dtype=torch.bool)
        return draw_masks(count, grid_hw, draw, share=self._recipe.masked)

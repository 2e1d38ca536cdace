"""What a student is taught without labels, step by step: by its own average, or by another model.

One step's crops in, its losses out; how both change over a training is the recipe's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from operators.pretrain.centre import Centre
from operators.pretrain.crops import Crops
from operators.pretrain.learner import Learner
from operators.pretrain.masks import draw_masks
from operators.pretrain.processes import ALONE, Processes
from operators.pretrain.recipe import Recipe
from operators.pretrain.sinkhorn import sinkhorn_knopp
from operators.pretrain.step import Instructions, Step, losses_of


class SelfDistillation:
    """DINOv2's objective.

    Attributes:
        memory: what it remembers from step to step: the centres, where targets are centred.
    """

    def __init__(
        self,
        recipe: Recipe,
        prototypes: int,
        teacher: Learner | None = None,
        processes: Processes = ALONE,
    ) -> None:
        """
        Args:
            recipe: of the training.
            prototypes: K of both heads.
            teacher: a trained one, frozen, with heads of the student's shape, whose word counts
                instead of the average's. Then nothing is hidden and all patches are asked about
                (arXiv 2304.07193, section 5). Of several processes each has all of it.
            processes: that train together. Targets and masks are made for all pictures of a step;
                which ones stochastic depth leaves out, and which class tokens KoLeo spreads, is
                each process's own matter, as upstream.
        """
        self._recipe = recipe
        self._teacher = teacher
        self._processes = processes
        centres = [Centre(prototypes) for _ in range(2 if recipe.targets == "centred" else 0)]
        self.memory: nn.Module = nn.ModuleList(centres)
        ways: list[Callable[..., Tensor]] = [one.targets for one in centres] or [sinkhorn_knopp] * 2
        self._class_targets, self._patch_targets = (
            partial(way, group=processes.group) for way in ways
        )

    def __call__(
        self, student: Learner, average: Learner, crops: Crops, step: int, draw: torch.Generator
    ) -> Step:
        """The losses of a step.

        Args:
            student: learns.
            average: of it.
            crops: of B pictures.
            step: from 0.
            draw: decides what is hidden and left out.
        """
        masks = self._masks(student, crops, draw)
        how = Instructions(
            temperature=self._recipe.temperatures.at(step),
            class_targets=self._class_targets,
            patch_targets=self._patch_targets,
            koleo_weight=self._recipe.koleo_weight,
            hide=self._teacher is None,
            drop=self._recipe.drop,
            draw=self._processes.own(draw),
        )
        return losses_of(student, self._teacher or average, crops, masks, how)

    def _masks(self, student: Learner, crops: Crops, draw: torch.Generator) -> Tensor:
        patch = student.backbone.architecture.patch
        height, width = crops.globals.shape[-2:]
        grid_hw = (height // patch, width // patch)
        patches, pictures = grid_hw[0] * grid_hw[1], crops.globals.shape[1]
        if self._teacher is not None:
            masks = torch.ones(2 * pictures, patches, dtype=torch.bool)
        else:
            whole = pictures * self._processes.count
            drawn = draw_masks(2 * whole, grid_hw, draw, share=self._recipe.masked)
            by_crop = drawn.view(2, whole, patches)[:, self._processes.part(whole)]
            masks = by_crop.flatten(0, 1)
        return masks.to(crops.globals.device)

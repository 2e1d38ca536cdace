"""Who is taught by whom: a plan in, a student and its objective out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from operators.backbones.architectures import Architecture, architecture
from operators.errors import UsageError
from operators.pretrain.crops import CropRecipe
from operators.pretrain.feature_distillation import FeatureDistillation, FeatureStudent
from operators.pretrain.learner import HeadShape, Learner, fresh_tensors
from operators.pretrain.self_distillation import SelfDistillation
from operators.pretrain.trainee import Trainee
from operators.pretrain.training import Objective
from operators.weights.checkpoint import sha256_tensors
from operators.weights.load import load_backbone
from pipeline.pretrain.plan import Plan
from pipeline.pretrain.run_folder import RunFolder


@dataclass(frozen=True, slots=True)
class Lesson:
    """
    Attributes:
        student: learns; knows what its first weights know.
        objective: what it is taught.
        shape: of its heads, which are worth keeping; None where it has none.
        identities: hashes of where it begins and of its teacher.
    """

    student: Trainee
    objective: Objective[Any]
    shape: HeadShape | None
    identities: Mapping[str, str]


def lesson_of(plan: Plan, device: torch.device) -> Lesson:
    """Load and build all of it.

    Args:
        plan: of the training.
        device: where it is computed.

    Raises:
        UsageError: an unknown model, or a teacher of another patch size.
        WeightsError: weights that cannot be had.
    """
    arch = architecture(plan.model)
    _require_sizes(arch, plan.crops)
    start = _start(plan, arch)
    identities = {"start": sha256_tensors(start)}
    if plan.teacher is None:
        learner, objective = _own(plan, arch, plan.shape, None)
        found = Lesson(learner, objective, plan.shape, identities)
    elif plan.teacher.is_run:
        teacher, shape = RunFolder(Path(plan.teacher.weights)).read_learner()
        _require_patch(arch, teacher.backbone.architecture)
        identities["teacher"] = sha256_tensors(teacher.state_dict())
        learner, objective = _own(plan, arch, shape, teacher.to(device))
        found = Lesson(learner, objective, shape, identities)
    else:
        loaded = load_backbone(architecture(plan.teacher.model), plan.teacher.weights)
        _require_patch(arch, loaded.model.architecture)
        identities["teacher"] = loaded.sha256
        width, draw = loaded.model.architecture.width, _draw(plan)
        student = FeatureStudent(arch, width, draw)
        found = Lesson(student, FeatureDistillation(loaded.model.to(device)), None, identities)
    found.student.backbone.load_state_dict(start)
    found.student.to(device)
    found.objective.memory.to(device)
    return found


def _own(
    plan: Plan, arch: Architecture, shape: HeadShape, teacher: Learner | None
) -> tuple[Learner, SelfDistillation]:
    learner = Learner(arch, shape, _draw(plan))
    return learner, SelfDistillation(plan.recipe, shape.prototypes, teacher)


def _start(plan: Plan, arch: Architecture) -> Mapping[str, Tensor]:
    if not plan.goes_on:
        return fresh_tensors(arch, plan.recipe.seed, plan.layer_scale)
    return load_backbone(arch, plan.weights).model.state_dict()


def _draw(plan: Plan) -> torch.Generator:
    """Where heads start."""
    return torch.Generator().manual_seed(plan.recipe.seed)


def _require_sizes(arch: Architecture, crops: CropRecipe) -> None:
    """
    Raises:
        UsageError: a crop is no whole number of patches.
    """
    sizes = {"--global-size": crops.global_px}
    if crops.local_count:
        sizes["--local-size"] = crops.local_px
    for option, side in sizes.items():
        if side % arch.patch:
            less = side - side % arch.patch
            raise UsageError(
                f"{option} {side}: crops of {arch.name} must be multiples of {arch.patch} px, such "
                f"as {max(less, arch.patch)} or {less + arch.patch}"
            )


def _require_patch(student: Architecture, teacher: Architecture) -> None:
    """
    Raises:
        UsageError: their patches are of two sizes.
    """
    if student.patch != teacher.patch:
        raise UsageError(
            f"{student.name} has patches of {student.patch} px and its teacher {teacher.name} of "
            f"{teacher.patch}: they must be alike, for patches are compared one by one"
        )

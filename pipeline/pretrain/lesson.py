"""Who is taught by whom: a plan in, a student and its objective out."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from operators.backbones.architectures import Architecture, architecture
from operators.errors import UsageError
from operators.pretrain.crops import CropRecipe
from operators.pretrain.feature_distillation import FeatureDistillation, FeatureStudent
from operators.pretrain.gram_anchor import GramAnchored
from operators.pretrain.learner import HeadShape, Learner
from operators.pretrain.processes import ALONE, Processes
from operators.pretrain.self_distillation import SelfDistillation
from operators.pretrain.trainee import Trainee
from operators.pretrain.training import Objective
from operators.weights.checkpoint import sha256_tensors
from operators.weights.load import load_backbone
from pipeline.pretrain.plan import Plan, Teacher
from pipeline.pretrain.run_folder import RunFolder
from pipeline.pretrain.start import Start, require_trained_here, start_of


@dataclass(frozen=True, slots=True)
class Lesson:
    """
    Attributes:
        student: learns; knows what its first weights know.
        objective: what it is taught.
        shape: of its heads, which are worth keeping; None where it has none.
        identities: hashes of where it begins and of its teacher.
        rendered_only: neither of them has learnt from anything but rendered scenes.
    """

    student: Trainee
    objective: Objective[Any]
    shape: HeadShape | None
    identities: Mapping[str, str]
    rendered_only: bool


def lesson_of(plan: Plan, device: torch.device, processes: Processes = ALONE) -> Lesson:
    """Load and build all of it.

    Args:
        plan: of the training.
        device: where it is computed.
        processes: that are taught together.

    Raises:
        UsageError: an unknown model, one that is not trained here, or a teacher of another patch
            size.
        WeightsError: weights that cannot be had.
    """
    arch = architecture(plan.model)
    require_trained_here(arch)
    _require_sizes(arch, plan.crops)
    _require_anchor(plan)
    making = _Making(plan, arch, start_of(plan, arch), device, processes)
    if plan.teacher is None:
        found = making.by_itself()
    elif plan.teacher.is_run:
        found = making.by_a_run(Path(plan.teacher.weights))
    else:
        found = making.by_features(plan.teacher)
    found.student.to(device)
    found.objective.memory.to(device)
    return found


@dataclass(frozen=True, slots=True)
class _Making:
    """What every kind of lesson is made of."""

    plan: Plan
    arch: Architecture
    start: Start
    device: torch.device
    processes: Processes

    def by_itself(self) -> Lesson:
        plan, start = self.plan, self.start
        shape, identities = start.shape or plan.shape, {"start": start.sha256}
        learner = Learner(self.arch, shape, self._draw)
        start.load_into(learner)
        objective = self._self_distillation(shape)
        if not plan.recipe.gram_weight:
            return Lesson(learner, objective, shape, identities, start.rendered_only)
        anchor = deepcopy(learner.backbone).requires_grad_(False).to(self.device)
        anchored = GramAnchored(objective, anchor, plan.recipe.gram_weight)
        return Lesson(learner, anchored, shape, identities, start.rendered_only)

    def by_a_run(self, run: Path) -> Lesson:
        folder, start = RunFolder(run), self.start
        teacher, shape = folder.read_learner()
        _require_alike(self.arch, teacher.backbone.architecture)
        learner = Learner(self.arch, shape, self._draw)
        learner.backbone.load_state_dict(start.backbone)
        objective = self._self_distillation(shape, teacher.to(self.device))
        identities = {"start": start.sha256, "teacher": sha256_tensors(teacher.state_dict())}
        rendered_only = start.rendered_only and folder.rendered_only
        return Lesson(learner, objective, shape, identities, rendered_only)

    def by_features(self, teacher: Teacher) -> Lesson:
        loaded, start = load_backbone(architecture(teacher.model), teacher.weights), self.start
        _require_alike(self.arch, loaded.model.architecture)
        student = FeatureStudent(self.arch, loaded.model.architecture.width, self._draw)
        student.backbone.load_state_dict(start.backbone)
        drop, vit = self.plan.recipe.drop, loaded.vit("distilling")
        objective = FeatureDistillation(vit.to(self.device), drop, self.processes)
        identities = {"start": start.sha256, "teacher": loaded.sha256}
        rendered_only = start.rendered_only and loaded.rendered_only
        return Lesson(student, objective, None, identities, rendered_only)

    def _self_distillation(
        self, shape: HeadShape, teacher: Learner | None = None
    ) -> SelfDistillation:
        return SelfDistillation(self.plan.recipe, shape.prototypes, teacher, self.processes)

    @property
    def _draw(self) -> torch.Generator:
        """Where heads start."""
        return torch.Generator().manual_seed(self.plan.recipe.seed)


def _require_anchor(plan: Plan) -> None:
    """
    Raises:
        UsageError: an anchor is wanted where there can be none.
    """
    if not plan.recipe.gram_weight:
        return
    if plan.teacher is not None:
        raise UsageError("--gram and --teacher: what is distilled has its teacher to hold on to")
    if not plan.goes_on:
        raise UsageError(
            "gram anchoring holds patches to what the training begins with: give --weights that "
            "have learnt something"
        )


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


def _require_alike(student: Architecture, teacher: Architecture) -> None:
    """
    Raises:
        UsageError: their patches are of two sizes, or the teacher's pixels of other statistics.
    """
    if student.statistics != teacher.statistics:
        raise UsageError(
            f"{teacher.name} normalises pixels by {teacher.statistics.name}, {student.name} by "
            f"{student.statistics.name}: a teacher sees what its student sees"
        )
    if student.patch != teacher.patch:
        raise UsageError(
            f"{student.name} has patches of {student.patch} px and its teacher {teacher.name} of "
            f"{teacher.patch}: they must be alike, for patches are compared one by one"
        )

"""What a training begins with: nothing learnt, weights, or all of another training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from operators.backbones.architectures import Architecture
from operators.errors import UsageError
from operators.pretrain.learner import HeadShape, Learner, fresh_tensors
from operators.weights.checkpoint import sha256_tensors
from operators.weights.load import load_backbone
from pipeline.pretrain.plan import Plan, is_run
from pipeline.pretrain.run_folder import RunFolder


@dataclass(frozen=True, slots=True)
class Start:
    """
    Attributes:
        backbone: its tensors, by upstream's names.
        heads: of another training, `dino_head.*` and `ibot_head.*`; none where heads start anew.
        shape: of those heads; None where they start anew.
        rendered_only: it has learnt from rendered scenes alone, or nothing.
    """

    backbone: Mapping[str, Tensor]
    heads: Mapping[str, Tensor] = field(default_factory=dict)
    shape: HeadShape | None = None
    rendered_only: bool = False

    @property
    def sha256(self) -> str:
        """Of all tensors."""
        return sha256_tensors({**self.backbone, **self.heads})

    def load_into(self, learner: Learner) -> None:
        """Where it has no heads, those of the learner stay as they are."""
        learner.backbone.load_state_dict(self.backbone)
        if self.heads:
            learner.load_state_dict(self.heads, strict=False)


def require_trained_here(arch: Architecture) -> None:
    """
    Raises:
        UsageError: a pyramid, or one whose positions turn.
    """
    arch.require_one_grid("pretraining")
    if arch.rotary:
        raise UsageError(
            f"{arch.name} is not trained here: its positions turn queries and keys, which packs of "
            "pictures do not do yet; take a DINOv2, such as dinov2_vits14"
        )


def start_of(plan: Plan, arch: Architecture) -> Start:
    """
    Raises:
        UsageError: a training of another architecture.
        WeightsError: weights that cannot be had.
    """
    if not plan.goes_on:
        return Start(fresh_tensors(arch, plan.recipe.seed, plan.layer_scale), rendered_only=True)
    if not is_run(plan.weights):
        loaded = load_backbone(arch, plan.weights)
        return Start(loaded.model.state_dict(), rendered_only=loaded.rendered_only)
    folder = RunFolder(Path(plan.weights))
    learner, shape = folder.read_learner()
    other = learner.backbone.architecture.name
    if other != arch.name:
        raise UsageError(f"{plan.weights}: a training of {other}; give --model {other}")
    return Start(learner.backbone.state_dict(), learner.head_tensors, shape, folder.rendered_only)

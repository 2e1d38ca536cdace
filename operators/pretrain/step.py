"""One step of DINOv2's training: crops of pictures in, the losses of the student out.

The teacher sees both global crops as they are. The student sees them with patches hidden, and local
crops of the same pictures, and has to say what the teacher says: of each picture by its class
token, from every crop of it; of each hidden patch by that patch (arXiv 2304.07193, section 4).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from operators.backbones.preprocess import normalise
from operators.pretrain.crops import Crops
from operators.pretrain.koleo import koleo
from operators.pretrain.learner import Learner
from operators.pretrain.losses import dino_loss, ibot_loss

ToTargets = Callable[[Tensor, float], Tensor]
"""The teacher's scores `[n, K]` and its temperature -> what the student has to say, `[n, K]`."""


@dataclass(frozen=True, slots=True)
class Instructions:
    """What is the same for all pictures of a step.

    Attributes:
        temperature: of the teacher.
        class_targets, patch_targets: what makes targets of its scores.
        koleo_weight: of the term that spreads class tokens.
        hide: whether the student does not see the patches that it is asked about.
        drop: share of pictures that each branch of the student leaves out.
        draw: decides which.
    """

    temperature: float
    class_targets: ToTargets
    patch_targets: ToTargets
    koleo_weight: float = 0.1
    hide: bool = True
    drop: float = 0.0
    draw: torch.Generator | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What one step gave.

    Attributes:
        losses: scalars by name, each with the weight that it has in their sum, which is lowered.
        class_tokens: the student's, of the first global crops, `[B, D]`; without a gradient.
        targets: what the teacher said of class tokens, `[n, K]`; None where it has no prototypes.
        patches: the student's, of the global crops, `[2B, h*w, D]`, for further losses; None where
            none may be added.
    """

    losses: Mapping[str, Tensor]
    class_tokens: Tensor
    targets: Tensor | None = None
    patches: Tensor | None = None

    @property
    def total(self) -> Tensor:
        """The sum."""
        return torch.stack(list(self.losses.values())).sum()

    @property
    def detached(self) -> Step:
        """The same, holding no gradient, nor what one is computed from."""
        losses = {name: loss.detach() for name, loss in self.losses.items()}
        return Step(losses, self.class_tokens, self.targets)

    def plain(self) -> dict[str, float]:
        """Losses as numbers."""
        return {name: float(loss.detach()) for name, loss in self.losses.items()}


def losses_of(
    student: Learner, teacher: Learner, crops: Crops, masks: Tensor, how: Instructions
) -> Step:
    """Look at crops, teacher first.

    Args:
        student: learns.
        teacher: of the same shape of heads; its backbone may be another.
        crops: of B pictures.
        masks: the patches of global crops that are asked about, bool `[2B, h*w]`, crop by crop.
        how: the rest.
    """
    seen = pixels_of(crops)
    class_targets, patch_targets = _taught(teacher, seen[0], masks, how)
    tokens = student.backbone.packed(
        seen, masks=masks if how.hide else None, drop=how.drop, draw=how.draw
    )
    class_tokens = torch.cat([one[:, 0] for one in tokens])
    scores = student.dino_head(class_tokens)
    pictures, prototypes = crops.globals.shape[1], scores.shape[1]
    by_crop = scores.view(-1, pictures, prototypes)
    dino = dino_loss(class_targets.view(2, pictures, prototypes), by_crop[:2], by_crop[2:])
    patches = _patches(student, tokens[0])
    spread = class_tokens[: 2 * pictures].view(2, pictures, -1)
    losses = {
        "dino_global": dino.of_globals,
        "dino_local": dino.of_locals,
        "ibot": ibot_loss(patch_targets, student.ibot_head(patches[masks]), masks),
        # Crop by crop: two crops of one picture are to be near to each other.
        "koleo": how.koleo_weight * torch.stack([koleo(one) for one in spread]).sum(),
    }
    return Step(losses, class_tokens[:pictures].detach(), class_targets, patches)


@torch.no_grad()
def _taught(
    teacher: Learner, pixels: Tensor, masks: Tensor, how: Instructions
) -> tuple[Tensor, Tensor]:
    """What the student has to say, of class tokens `[2B, K]` and of patches asked for `[m, K]`."""
    (tokens,) = teacher.backbone.packed([pixels])
    classes = teacher.dino_head(tokens[:, 0])
    patches = teacher.ibot_head(_patches(teacher, tokens)[masks])
    return (
        how.class_targets(classes, how.temperature),
        how.patch_targets(patches, how.temperature),
    )


def _patches(learner: Learner, tokens: Tensor) -> Tensor:
    return tokens[:, 1 + learner.backbone.architecture.registers :]


def pixels_of(crops: Crops) -> list[Tensor]:
    """Normalised, crop by crop: of the first crop all pictures, then of the second.

    Args:
        crops: of B pictures.

    Returns:
        Global crops `[2B, 3, H, W]`, and local ones `[L*B, 3, h, w]` where there are any.
    """
    sizes = [one for one in (crops.globals, crops.locals) if len(one)]
    return [normalise(one.flatten(0, 1).movedim(1, -1), torch.float32) for one in sizes]


def moved(crops: Crops, device: torch.device) -> Crops:
    """The same there."""
    return Crops(crops.globals.to(device), crops.locals.to(device))

"""DINO's and iBOT's losses: how far a student's scores are from a teacher's targets.

Targets and scores in -> scalars out. Weights are those of DINOv2's step (arXiv 2304.07193): the
terms of a step are simply added. Knows no network.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from operators.pretrain.precision import at_least_float32


@dataclass(frozen=True, slots=True)
class DinoLoss:
    """The image-level loss in its two parts, both already weighed.

    Attributes:
        of_globals: each global crop against the other one's targets.
        of_locals: each local crop against both global crops' targets.
    """

    of_globals: Tensor
    of_locals: Tensor

    @property
    def total(self) -> Tensor:
        """Their sum."""
        return self.of_globals + self.of_locals


def cross_entropy(targets: Tensor, scores: Tensor, temperature: float = 0.1) -> Tensor:
    """-sum_k t_k log softmax(z / temperature)_k of every row, in nats.

    Args:
        targets: `[..., K]`.
        scores: z of the student, `[..., K]`.
        temperature: of the student.

    Returns:
        float32 `[...]`; float64 of float64.
    """
    logs = (at_least_float32(scores) / temperature).log_softmax(dim=-1)
    return -(targets * logs).sum(dim=-1)


def dino_loss(targets: Tensor, global_scores: Tensor, local_scores: Tensor) -> DinoLoss:
    """The loss of class tokens, a mean over the pictures.

    With L local crops there are 2 + 2 L pairs of crops; each has an equal part. Crops come in the
    order of the pictures that they were cut from: swapping is done here, so that no crop is
    compared with itself.

    Args:
        targets: of the teacher's two global crops, `[2, B, K]`.
        global_scores: of the student's same two crops, `[2, B, K]`.
        local_scores: `[L, B, K]`; L may be 0.

    Raises:
        ValueError: global crops are not two, or pictures are not the same number everywhere.
    """
    shape = targets.shape
    if shape[0] != 2 or global_scores.shape != shape or local_scores.shape[1:] != shape[1:]:
        raise ValueError(
            f"want targets and global scores [2, B, K] and local scores [L, B, K], got "
            f"{tuple(shape)}, {tuple(global_scores.shape)} and {tuple(local_scores.shape)}"
        )
    pairs = 2 + 2 * len(local_scores)
    of_globals = cross_entropy(targets.flip(0), global_scores)
    # The cross entropy is linear in its targets: both crops' at once.
    of_locals = cross_entropy(targets.sum(dim=0), local_scores)
    return DinoLoss(
        of_globals.mean(dim=1).sum() / pairs,
        of_locals.mean(dim=1).sum() / pairs,
    )


def ibot_loss(targets: Tensor, scores: Tensor, masks: Tensor) -> Tensor:
    """The loss of masked patches: a mean over the masks of each crop, then over all crops.

    Crops without a mask count as 0 in that mean, as upstream has it: with half of the crops masked
    the loss is half of what masked crops have.

    Args:
        targets: `[m, K]`, m = masks.sum(), crop by crop and row by row.
        scores: of the student at the same places, `[m, K]`.
        masks: bool `[2 B, N]`, True where a patch was hidden from the student.

    Returns:
        A scalar; 0 where nothing is masked.

    Raises:
        ValueError: m is not what is masked.
    """
    crops = masks.nonzero()[:, 0]
    if not len(targets) == len(scores) == len(crops):
        raise ValueError(
            f"{len(crops)} patches are masked, got {len(targets)} targets and {len(scores)} scores"
        )
    losses = cross_entropy(targets, scores)
    parts = masks.sum(dim=1)[crops] * len(masks)
    return (losses / parts.to(losses)).sum()

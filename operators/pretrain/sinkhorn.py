"""Sinkhorn-Knopp: a teacher's scores become targets that use all prototypes alike.

Scores in -> targets out. Without it (or a centre) all samples agree on one prototype, and there is
nothing left to learn (SwAV, arXiv 2006.09882; DINOv2, arXiv 2304.07193).
"""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor

from operators.pretrain.precision import at_least_float32


@torch.no_grad()
def sinkhorn_knopp(
    scores: Tensor,
    temperature: float,
    *,
    iterations: int = 3,
    group: dist.ProcessGroup | None = None,
) -> Tensor:
    """Targets of n samples, among which every prototype gets about the same mass.

    exp(scores / temperature) is scaled in turn so that prototypes have K-th parts of the whole and
    samples n-th parts, and lastly so that samples have 1. Here that is done with logarithms, which
    cannot overflow, and only the two factors are kept: what comes out is the softmax of the scores
    plus one constant per prototype. Upstream divides by the total first, which cancels, and its
    form for patches wants a process group even in one process; here one process needs none.

    Args:
        scores: `[n, K]`; n may differ between processes, and be 0.
        temperature: of the teacher.
        iterations: of both scalings; with none a plain softmax is left, which collapses.
        group: whose samples count as one batch; these alone where there is none. All of its
            processes have to call.

    Returns:
        float32 `[n, K]`, rows sum to 1; float64 of float64.
    """
    exponents = at_least_float32(scores) / temperature
    of_samples = exponents.new_zeros(len(scores), 1)
    of_prototypes = exponents.new_zeros(1, scores.shape[1])
    for _ in range(iterations):
        of_prototypes = -_log_sum_over_samples(exponents + of_samples, group)
        of_samples = -(exponents + of_prototypes).logsumexp(dim=1, keepdim=True)
    return (exponents + of_prototypes).softmax(dim=1)


def _log_sum_over_samples(exponents: Tensor, group: dist.ProcessGroup | None) -> Tensor:
    """`[n, K]` of every process -> `[1, K]`, the same in all."""
    if group is None:
        return exponents.logsumexp(dim=0, keepdim=True)
    none = exponents.new_full((1, exponents.shape[1]), -torch.inf)
    highest = torch.cat((exponents, none)).amax(dim=0, keepdim=True)
    dist.all_reduce(highest, dist.ReduceOp.MAX, group)
    total = (exponents - highest).exp().sum(dim=0, keepdim=True)
    dist.all_reduce(total, dist.ReduceOp.SUM, group)
    return total.log() + highest

"""Centring: the other way to targets that do not collapse; DINO v1's (arXiv 2104.14294).

Scores in -> targets out, and the mean of the scores is remembered.
"""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor, nn

from operators.pretrain.precision import at_least_float32


class Centre(nn.Module):
    """A running mean of a teacher's scores, taken off them before the softmax.

    It is state of a training: its one buffer `centre`, float32 `[K]`, goes into checkpoints.
    """

    centre: Tensor

    def __init__(self, prototypes: int, momentum: float = 0.9) -> None:
        """
        Args:
            prototypes: K.
            momentum: what stays of the centre at every call.
        """
        super().__init__()
        self.momentum = momentum
        self.register_buffer("centre", torch.zeros(prototypes))

    @torch.no_grad()
    def targets(
        self, scores: Tensor, temperature: float, group: dist.ProcessGroup | None = None
    ) -> Tensor:
        """softmax((scores - centre) / temperature). These scores move the centre of the next call.

        That is so in evaluation mode too, which a teacher is always in. The mean is over all
        samples of all processes; upstream takes the mean of the processes' means, which is another
        one where some have more masked patches.

        Args:
            scores: `[n, K]`; n may differ between processes, and be 0.
            temperature: of the teacher.
            group: whose samples count as one batch; these alone where there is none.

        Returns:
            float32 `[n, K]`, rows sum to 1; float64 of float64.
        """
        exact = at_least_float32(scores)
        targets = ((exact - self.centre) / temperature).softmax(dim=1)
        # One tensor, so that processes talk once.
        sums = torch.cat((exact.sum(dim=0), exact.new_tensor([len(exact)])))
        if group is not None:
            dist.all_reduce(sums, dist.ReduceOp.SUM, group)
        # No samples at all: the mean is 0 / 0, and the centre stays.
        mean = torch.where(sums[-1] > 0, sums[:-1] / sums[-1], self.centre)
        self.centre.lerp_(mean.to(self.centre.dtype), 1 - self.momentum)
        return targets

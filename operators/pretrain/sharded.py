"""Several processes train one student: each keeps a part of every parameter, of its average and of
the optimiser's state, and sees an equal part of every batch (FSDP2, arXiv 2304.11277).

Parameters are gathered block by block while they are computed with; gradients come out as means
over the processes. Knows nothing of how processes are started.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import (
    MixedPrecisionPolicy,
    fully_shard,
    register_fsdp_forward_method,
)
from torch.distributed.tensor import DTensor, distribute_tensor

from operators.pretrain.dice import generator_of
from operators.pretrain.processes import Processes, equal_parts
from operators.pretrain.step import Step
from operators.pretrain.trainee import Trainee


class Sharded(Processes):
    """This one among several."""

    def __init__(self, mesh: DeviceMesh) -> None:
        """
        Args:
            mesh: of one dimension; its processes are all that there are.
        """
        self._mesh = mesh
        self.group = mesh.get_group()
        self.rank, self.count = mesh.get_local_rank(), mesh.size()

    def part(self, pictures: int) -> slice:
        each = equal_parts(pictures, self.count)
        return slice(self.rank * each, (self.rank + 1) * each)

    def own(self, draw: torch.Generator) -> torch.Generator:
        return generator_of(int(torch.randint(2**62, (), generator=draw)), self.rank)

    def share(self, trainee: Trainee, dtype: torch.dtype) -> None:
        """As autocast does: only matrices of blocks and heads, which are nearly all there is, are
        narrower than float32, and the residual stream is as wide as it is in one process."""
        for block in trainee.backbone.blocks:
            self._share(block, dtype)
        # Tokens and positions are what the residual stream begins as.
        self._share(trainee.backbone, torch.float32)
        for head in trainee.heads:
            self._share(head, dtype)

    def mean(self, step: Step) -> Step:
        sums = torch.stack([loss.detach() for loss in step.losses.values()])
        dist.all_reduce(sums, dist.ReduceOp.SUM, self.group)
        losses = dict(zip(step.losses, sums / self.count, strict=True))
        return replace(step.detached, losses=losses)

    def agreed(self, word: bool) -> bool:
        said = torch.tensor([word], device=self._mesh.device_type)
        dist.broadcast(said, group=self.group, group_src=0)
        return bool(said)

    def whole(self, state: Any) -> Any:
        if isinstance(state, dict):
            return {name: self.whole(one) for name, one in state.items()}
        if isinstance(state, list):
            return [self.whole(one) for one in state]
        if not isinstance(state, DTensor):
            return state
        full = state.full_tensor()
        # One tensor at a time: elsewhere than in the first process it is gone again.
        return None if self.rank else full.cpu()

    def parts(
        self, state: Mapping[str, Tensor], like: Mapping[str, Tensor]
    ) -> Mapping[str, Tensor]:
        return {name: _part(one, like[name]) for name, one in state.items()}

    def _share(self, module: nn.Module, dtype: torch.dtype) -> None:
        fully_shard(
            module,
            mesh=self._mesh,
            # The average has no backward pass behind which it would be given back.
            reshard_after_forward=True,
            mp_policy=MixedPrecisionPolicy(
                param_dtype=dtype,
                reduce_dtype=torch.float32,
                cast_forward_inputs=False,
                param_dtype_override_fn=lambda one: one.dtype if one.ndim < 2 else None,
            ),
        )
        if hasattr(module, "packed"):
            register_fsdp_forward_method(module, "packed")


def _part(whole: Tensor, like: Tensor) -> Tensor:
    """A copy, so that the whole can go; counters of an optimiser are in one piece everywhere."""
    if not isinstance(like, DTensor) or whole.shape != like.shape:
        return whole
    mesh, placements = like.device_mesh, like.placements
    return distribute_tensor(whole, mesh, placements, src_data_rank=None).clone()

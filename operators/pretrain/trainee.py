"""What can be trained here."""

from __future__ import annotations

from torch import nn

from operators.pretrain.packed import PackedTransformer


class Trainee(nn.Module):
    """A backbone, and heads that its losses read through.

    Attributes:
        backbone: what a training is for.
        heads: the rest.
    """

    backbone: PackedTransformer

    @property
    def heads(self) -> tuple[nn.Module, ...]:
        raise NotImplementedError

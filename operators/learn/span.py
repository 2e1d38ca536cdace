"""Few examples with many features, in as many dimensions as there are examples.

A linear head that is learnt from zero, or with small weights, lies in the span of its examples: so
learning in coordinates of that span gives the same head, at a fraction of the work.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

MOST_EXAMPLES = 4096  # the eigenvectors of a square matrix of this side take a minute
_SMALLEST = 1e-10  # eigenvalues below this share of the largest are rounding


@dataclass(frozen=True, slots=True)
class Span:
    """Coordinates of examples, and the way back.

    Attributes:
        inputs: the examples in the span's coordinates, float32 `[M, r]`.
        basis: orthonormal columns `[F, r]`.
    """

    inputs: Tensor
    basis: Tensor

    @classmethod
    def of(cls, inputs: Tensor) -> Span:
        """The span of examples `[M, F]`, M < F."""
        gram = (inputs @ inputs.T).double()
        values, vectors = torch.linalg.eigh(gram)
        kept = values > _SMALLEST * values[-1].clamp_min(torch.finfo(torch.float64).tiny)
        lengths = values[kept].sqrt()
        basis = inputs.T @ (vectors[:, kept] / lengths).float()
        return cls((vectors[:, kept] * lengths).float(), basis)

    def back(self, weight: Tensor) -> Tensor:
        """Weights `[..., r]` as weights of the features `[..., F]`."""
        return weight @ self.basis.T


def pays(examples: int, features: int) -> bool:
    """Whether the span is smaller than the features, and quickly found."""
    return examples < features and examples <= MOST_EXAMPLES

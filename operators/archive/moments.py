"""The directions that patches are kept along, gathered frame by frame: tokens in -> a basis out.

Principal components, weighed by what heads read: of directions that vary alike those come first
that a head multiplies by larger numbers. Sums are float64 and made in the order of the frames, so
that the same frames give the same basis.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from operators.archive.basis import Directions

PLAIN = 0.1  # of the weight of one head: how much all directions count, for heads that come later
EVENED = 0.5  # power of a component's deviation that it is divided by: what is rounded together


class Moments:
    """Sums over all patches of one map."""

    def __init__(self, width: int) -> None:
        """`width`: D, of a token."""
        self.count = 0
        self._sum = torch.zeros(width, dtype=torch.float64)
        self._products = torch.zeros(width, width, dtype=torch.float64)

    def add(self, patches: Tensor) -> None:
        """Patches `[..., D]` of one frame."""
        tokens = patches.detach().cpu().double().reshape(-1, len(self._sum))
        self.count += len(tokens)
        self._sum += tokens.sum(dim=0)
        self._products += tokens.T @ tokens

    def directions(self, components: int, read: Sequence[Tensor] = ()) -> tuple[Directions, float]:
        """The first of them, and which share of what counts lies along them.

        With C the patches' covariance and W what a head multiplies them with, an error e counts
        e' G e, where G is the sum of W' W / trace(W C W') over heads, and of PLAIN / trace(C).

        Args:
            components: K, at most D.
            read: W of each head that is known, `[n, D]`.

        Raises:
            ValueError: there were fewer patches than components, or more of those than D.
        """
        width = len(self._sum)
        if not 0 < components <= min(width, self.count):
            raise ValueError(
                f"{components} components of {self.count} patches with {width} numbers each; want "
                "at most as many as there are of either"
            )
        mean = self._sum / self.count
        covariance = self._products / self.count - torch.outer(mean, mean)
        root = torch.linalg.cholesky(_counts(covariance, read))  # G = L L', e counts |L' e|^2
        variances, vectors = torch.linalg.eigh(root.T @ covariance @ root)  # the smallest first
        chosen = _same_sign(vectors.flip(1)[:, :components])
        variance = variances.flip(0)[:components].clamp_min(1e-12 * float(variances[-1]))
        even = variance.sqrt() ** EVENED
        into = (root @ chosen / even).T
        back = (torch.linalg.solve(root.T, chosen) * even).T
        explained = float(variance.sum() / variances.sum())
        own = (mean, into, back)
        return Directions(*(one.float().contiguous() for one in own)), explained


def _counts(covariance: Tensor, read: Sequence[Tensor]) -> Tensor:
    """G of `Moments.directions`."""
    width = len(covariance)
    total = PLAIN * torch.eye(width, dtype=torch.float64) / torch.trace(covariance)
    for weights in read:
        own = weights.detach().cpu().double()
        said = torch.trace(own @ covariance @ own.T)
        if said > 0:
            total += own.T @ own / said
    return total


def _same_sign(vectors: Tensor) -> Tensor:
    """An eigenvector's sign is anybody's choice: its largest number is positive here."""
    largest = vectors.abs().argmax(dim=0, keepdim=True)
    return vectors * vectors.gather(0, largest).sign()

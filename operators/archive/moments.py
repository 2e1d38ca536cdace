"""Principal components of patches, gathered frame by frame: tokens in -> directions out.

Sums are float64 and made in the order of the frames, so that the same frames give the same basis.
"""

from __future__ import annotations

import torch
from torch import Tensor

from operators.archive.basis import Directions


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

    def directions(self, components: int) -> tuple[Directions, float]:
        """The first principal components, and which share of the variance lies along them.

        Args:
            components: K, at most D.

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
        variances, vectors = torch.linalg.eigh(covariance)  # the smallest first
        chosen = _same_sign(vectors.flip(1)[:, :components].T)
        explained = float(variances.flip(0)[:components].sum() / variances.sum())
        return Directions(mean.float(), chosen.float().contiguous()), explained


def _same_sign(components: Tensor) -> Tensor:
    """An eigenvector's sign is anybody's choice: its largest number is positive here."""
    largest = components.abs().argmax(dim=1, keepdim=True)
    return components * components.gather(1, largest).sign()

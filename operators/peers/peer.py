"""What stands beside our backbone: somebody else's model in the place of our own transformer.

Normalised pixels in -> tokens in our order. Knows nothing of files or of frames.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from operators.backbones.architectures import Architecture
from operators.backbones.engines.engine import Tokens
from operators.backbones.statistics import IMAGENET, Statistics


class Peer(nn.Module):
    """One of them; frozen. Asked by several threads at once.

    Attributes:
        architecture: its sizes, under the name that a user gives it.
        statistics: what it wants pixels normalised by.
        norm: the final one, `[..., D]` -> `[..., D]`.
        library: what computes it, with its version.
    """

    def __init__(
        self, architecture: Architecture, statistics: Statistics, norm: nn.Module, library: str
    ) -> None:
        super().__init__()
        self.architecture = architecture
        self.statistics = statistics
        self.norm = norm
        self.library = library

    def tokens(self, pixels: Tensor, blocks: Sequence[int] = ()) -> Tokens:
        """The class token, registers, patches row by row; every kind of peer has its own way.

        Args:
            pixels: `[B, 3, H, W]`, normalised by `statistics`; H and W multiples of the patch.
            blocks: whose output is wanted as well.
        """
        raise NotImplementedError

    def forward(self, pixels: Tensor, blocks: Sequence[int] = ()) -> Tokens:
        """As our own transformer is called: the arguments of `tokens`, but for pixels that
        ImageNet's statistics have normalised."""
        own, usual = self.statistics, IMAGENET
        if own == usual:
            return self.tokens(pixels, blocks)
        plain = pixels * _of_colours(usual.std, pixels) + _of_colours(usual.mean, pixels)
        return self.tokens(normalised(plain, own), blocks)


def normalised(pixels: Tensor, statistics: Statistics) -> Tensor:
    """Pixels `[B, 3, H, W]` on a scale of 0..1, less the mean, by the deviation."""
    mean, std = (_of_colours(one, pixels) for one in (statistics.mean, statistics.std))
    return (pixels - mean) / std


def _of_colours(numbers: Sequence[float], like: Tensor) -> Tensor:
    return torch.tensor(numbers, device=like.device).view(1, 3, 1, 1)

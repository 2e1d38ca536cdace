"""Operator zero: a batch of frames in, the features that every other operator reads out.

Pads to one batch size, so that a kernel always sees the same shape and a frame's features do not
depend on its batch mates. Must not know where frames come from.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from operators.frames import Features, FrameBatch
from operators.preprocess import normalise
from operators.weights import LoadedBackbone


class Backbone:
    """One DINOv2 on one device. Called from one thread."""

    def __init__(
        self,
        loaded: LoadedBackbone,
        *,
        blocks: Sequence[int] = (),
        batch_size: int = 8,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        """Put a loaded backbone on a device.

        Args:
            loaded: what `load_backbone` gave; its model moves to the device.
            blocks: blocks whose output `Features.layers` shall hold, from 0.
            batch_size: B of every pass; smaller batches are padded.
            device: where it runs and where features stay.
            dtype: of weights and features.

        Raises:
            ValueError: a batch size below 1, or a block that the model does not have.
        """
        depth = loaded.model.architecture.depth
        outside = sorted(block for block in set(blocks) if not 0 <= block < depth)
        if batch_size < 1 or outside:
            raise ValueError(
                f"batch_size must be at least 1, got {batch_size}; blocks must be within "
                f"0..{depth - 1}, got {outside or 'good ones'}"
            )
        self.loaded = loaded
        self.blocks = tuple(sorted(set(blocks)))
        self.batch_size = batch_size
        self.device = torch.device(device)
        self.dtype = dtype
        self._model = loaded.model.to(self.device, dtype)

    @torch.inference_mode()
    def __call__(self, batch: FrameBatch) -> Features:
        """Features of up to `batch_size` frames of one size.

        Args:
            batch: uint8 RGB `[n, H, W, 3]`, 1 <= n <= B.

        Returns:
            Tensors with B rows on the device; rows from n on are padding.

        Raises:
            ValueError: more frames than the batch size.
        """
        height, width = batch.pixels.shape[1:3]
        pixels = normalise(self._padded(batch), self.dtype)
        tokens, kept = self._model(pixels, self.blocks)
        patch = self._model.architecture.patch
        grid = (height // patch, width // patch)
        patches, cls = self._split(tokens, grid)
        return Features(
            infos=batch.infos,
            cls=cls,
            patches=patches,
            layers={block: self._split(before, grid) for block, before in kept.items()},
            norm=self._model.norm,
        )

    def _padded(self, batch: FrameBatch) -> Tensor:
        count = len(batch.infos)
        if count > self.batch_size:
            raise ValueError(f"{count} frames in a batch, at most {self.batch_size} fit")
        # Copied also when full: frames out of an object store are read-only, which torch warns of.
        host = torch.zeros(
            (self.batch_size, *batch.pixels.shape[1:]),
            dtype=torch.uint8,
            pin_memory=self.device.type == "cuda",
        )
        host.numpy()[:count] = batch.pixels
        return host.to(self.device, non_blocking=True)

    def _split(self, tokens: Tensor, grid: tuple[int, int]) -> tuple[Tensor, Tensor]:
        first = 1 + self._model.architecture.registers
        return tokens[:, first:].reshape(len(tokens), *grid, -1), tokens[:, 0]

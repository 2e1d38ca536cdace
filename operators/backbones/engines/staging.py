"""Frames on their way to a GPU: two pinned buffers that live as long as the engine.

While one is copied the other may be filled, beside whatever the device computes.
"""

from __future__ import annotations

import math
from itertools import cycle

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class Staging:
    """Of one engine. Called from one thread."""

    def __init__(self, device: torch.device) -> None:
        """
        Args:
            device: CUDA.
        """
        self._copies = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._slots = cycle([_Slot(device), _Slot(device)])

    def __call__(self, pixels: NDArray[np.uint8], into: Tensor) -> None:
        """Copy frames to the device; what is launched next there sees them.

        Args:
            pixels: `[n, H, W, 3]`; may be overwritten as soon as this is back.
            into: uint8 `[B, H, W, 3]` on the device, n <= B; its rows from n on are left alone.
        """
        slot = next(self._slots)
        compute = torch.cuda.current_stream(into.device)
        slot.copied.synchronize()
        with torch.cuda.stream(self._copies):
            slot.grow(pixels.size)
            slot.on_host.numpy()[: pixels.size] = pixels.reshape(-1)
            self._copies.wait_event(slot.read)  # of two batches ago
            there = slot.there[: pixels.size]
            there.copy_(slot.on_host[: pixels.size], non_blocking=True)
            slot.copied.record(self._copies)
        compute.wait_event(slot.copied)
        into[: len(pixels)].copy_(there.view(pixels.shape))
        slot.read.record(compute)


class _Slot:
    """A buffer on either side, and when each is free."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self.on_host = torch.empty(0, dtype=torch.uint8)
        self.there = torch.empty(0, dtype=torch.uint8, device=device)
        self.copied, self.read = (torch.cuda.Event() for _ in range(2))  # type: ignore[no-untyped-call]

    def grow(self, size: int) -> None:
        """Have room for so many bytes. On the stream of the copies: memory of another one might
        still be in use there."""
        if size <= len(self.on_host):
            return
        self.read.synchronize()  # what is given back, nobody reads
        size = math.ceil(size / 2**20) * 2**20
        pinned = self._device.type == "cuda"
        self.on_host = torch.empty(size, dtype=torch.uint8, pin_memory=pinned)
        self.there = torch.empty(size, dtype=torch.uint8, device=self._device)

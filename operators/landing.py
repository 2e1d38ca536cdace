"""Where copies from a GPU land on the host, and the stream that they come on.

Memory that a GPU copies to by itself is slow to get: two pieces live as long as the engine.
"""

from __future__ import annotations

import torch
from torch import Tensor

KEPT = 2  # pieces: of the batch whose records are made, and of the one that is computed meanwhile


class Landing:
    """Of one device. Nothing is written into a piece that somebody has not given back."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._on_gpu = device.type == "cuda"
        self._stream = torch.cuda.Stream(device) if self._on_gpu else None  # type: ignore[no-untyped-call]
        self._free: list[Tensor] = []

    def bring(self, numbers: Tensor) -> Copy:
        """Have bytes of the device copied behind all that was launched so far; waits for nothing.

        Args:
            numbers: uint8 `[N]`.
        """
        piece = self._piece(len(numbers))
        copy = Copy(piece[: len(numbers)], piece)
        if self._stream is None:
            copy.on_host.copy_(numbers)
            return copy
        copy.of = numbers
        self._stream.wait_stream(torch.cuda.current_stream(self.device))
        with torch.cuda.stream(self._stream):
            copy.on_host.copy_(numbers, non_blocking=True)
            copy.arrived = self._stream.record_event()
        return copy

    def give_back(self, copy: Copy) -> None:
        """Its bytes are of no use any more."""
        if len(self._free) < KEPT:
            self._free.append(copy.piece)

    def _piece(self, size_bytes: int) -> Tensor:
        while self._free:
            piece = self._free.pop(0)  # a smaller one of an earlier size is let go
            if len(piece) >= size_bytes:
                return piece
        return torch.empty(size_bytes, dtype=torch.uint8, pin_memory=self._on_gpu)


class Copy:
    """Bytes that are on their way to the host.

    Attributes:
        on_host: uint8 `[N]`; means something after `wait`.
        piece: the memory that they lie in.
        arrived: when they are there; None: they are.
        of: what they are copied of on the device, until then: its memory must not be another's.
    """

    def __init__(self, on_host: Tensor, piece: Tensor) -> None:
        self.on_host = on_host
        self.piece = piece
        self.arrived: torch.cuda.Event | None = None
        self.of: Tensor | None = None

    def wait(self) -> None:
        """Until they are there, and for nothing that was launched behind them."""
        if self.arrived is not None:
            self.arrived.synchronize()
            self.of = None

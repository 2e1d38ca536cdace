"""A model's passes as CUDA graphs, one for each size of frames: they cost Python nothing."""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from operators.backbones.engines.engine import Tokens
from operators.backbones.engines.gpu_vit import Run

MOST_GRAPHS = 4  # each owns the memory of a pass
IDLE_PASSES = 64  # of other sizes, until a size's graph is given up for another's
_WARM_UPS = 3  # passes before recording: kernels are compiled, constants copied, products chosen


@dataclass(frozen=True, slots=True)
class Pass:
    """The model for frames of one size.

    Attributes:
        pixels: what it reads, uint8 `[B, H, W, 3]`.
        again: has the device do it; what that gives may lie where it lay the last time.
        run: the model; a graph reads its tensors, and holds none of them.
    """

    pixels: Tensor
    again: Callable[[], Tokens]
    run: Run


Record = Callable[[Run, Tensor], Pass]


class GraphPool:
    """The passes of a few sizes. Where there are more, the others' kernels are launched one by one:
    recording takes several passes, and sizes that take turns would be recorded every time."""

    def __init__(
        self,
        at: Callable[[tuple[int, int]], Run],
        record: Record,
        device: torch.device,
        *,
        most: int = MOST_GRAPHS,
        idle_passes: int = IDLE_PASSES,
    ) -> None:
        """
        Args:
            at: size -> the model for it.
            record: makes a pass of it: `recorded`, or `unrecorded`.
            device: where frames are.
            most: passes that are kept.
            idle_passes: of other sizes, after which one is given up for another.
        """
        self._at, self._record, self._device = at, record, device
        self._most, self._idle_passes = most, idle_passes
        # Each with when it was used last, in passes; the one that waits for longest is the first.
        self._passes: OrderedDict[tuple[int, ...], tuple[Pass, int]] = OrderedDict()
        self._count = 0

    def of(self, shape: tuple[int, ...]) -> Pass:
        """The pass of a size; its pixels keep what was in them, or are zero.

        Args:
            shape: `[B, H, W, 3]`.
        """
        self._count += 1
        if shape in self._passes:
            found, _ = self._passes.pop(shape)
        elif self._make_room():
            found = self._made(self._record, shape)
        else:
            return self._made(unrecorded, shape)
        self._passes[shape] = found, self._count
        return found

    def _made(self, record: Record, shape: tuple[int, ...]) -> Pass:
        pixels = torch.zeros(shape, dtype=torch.uint8, device=self._device)
        return record(self._at((shape[1], shape[2])), pixels)

    def _make_room(self) -> bool:
        """Give up the pass that was not used for longest, if for long enough; whether there is
        room. Before its successor asks for memory."""
        if len(self._passes) < self._most:
            return True
        oldest, (_, used) = next(iter(self._passes.items()))
        if self._count - used <= self._idle_passes:
            return False
        del self._passes[oldest]
        return True


def recorded(run: Run, pixels: Tensor) -> Pass:
    """A CUDA graph of a pass.

    Raises:
        RuntimeError: something in it cannot be recorded.
    """
    beside = _beside(pixels.device)
    beside.wait_stream(torch.cuda.current_stream(pixels.device))
    with torch.cuda.stream(beside):
        for _ in range(_WARM_UPS):
            run(pixels)
    torch.cuda.current_stream(pixels.device).wait_stream(beside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        tokens = run(pixels)

    def again() -> Tokens:
        graph.replay()
        return tokens

    return Pass(pixels, again, run)


@functools.cache
def _beside(device: torch.device) -> torch.cuda.Stream:
    """For all warming up: cuBLAS keeps memory for each stream that it was used on."""
    return torch.cuda.Stream(device)  # type: ignore[no-untyped-call]


def unrecorded(run: Run, pixels: Tensor) -> Pass:
    """The same, launched one kernel after the other."""
    return Pass(pixels, lambda: run(pixels), run)

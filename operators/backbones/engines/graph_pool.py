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
        self._passes: OrderedDict[tuple[int, ...], Pass] = OrderedDict()
        self._used: dict[tuple[int, ...], int] = {}  # when each of them was, in passes
        self._count = 0

    def of(self, shape: tuple[int, ...]) -> Pass:
        """The pass of a size; its pixels keep what was in them, or are zero.

        Args:
            shape: `[B, H, W, 3]`.
        """
        self._count += 1
        found = self._passes.pop(shape, None)
        if found is None:
            record = self._record if self._make_room() else unrecorded
            pixels = torch.zeros(shape, dtype=torch.uint8, device=self._device)
            found = record(self._at((shape[1], shape[2])), pixels)
            if record is not self._record:
                return found
        self._passes[shape] = found
        self._used[shape] = self._count
        return found

    def _make_room(self) -> bool:
        """Give up the pass that was not used for longest, if for long enough; whether there is
        room. Before its successor asks for memory."""
        if len(self._passes) < self._most:
            return True
        oldest = next(iter(self._passes))
        if self._count - self._used[oldest] <= self._idle_passes:
            return False
        del self._passes[oldest], self._used[oldest]
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

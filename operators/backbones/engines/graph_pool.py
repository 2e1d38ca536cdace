"""A model's passes as CUDA graphs, one for each size of frames: they cost Python nothing."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from operators.backbones.engines.engine import Tokens
from operators.backbones.engines.gpu_vit import Run

MOST_GRAPHS = 4  # each owns the memory of a pass
_WARM_UPS = 3  # passes before recording: kernels are compiled, constants copied, products chosen


@dataclass(frozen=True, slots=True)
class Pass:
    """One recorded pass.

    Attributes:
        pixels: what it reads, uint8 `[B, H, W, 3]`.
        tokens: what it writes.
        replay: has the device do it again.
        run: what was recorded; a graph reads its tensors, and holds none of them.
    """

    pixels: Tensor
    tokens: Tokens
    replay: Callable[[], None]
    run: Run


Record = Callable[[Run, Tensor], Pass]


class GraphPool:
    """The passes that were used last."""

    def __init__(
        self,
        at: Callable[[tuple[int, int]], Run],
        record: Record,
        device: torch.device,
        *,
        most: int = MOST_GRAPHS,
    ) -> None:
        """
        Args:
            at: size -> the model for it.
            record: makes a pass of it: `recorded`, or `unrecorded`.
            device: where frames are.
            most: passes that are kept; the one that was not used for longest is given up.
        """
        self._at, self._record, self._device, self._most = at, record, device, most
        self._passes: OrderedDict[tuple[int, ...], Pass] = OrderedDict()

    def of(self, shape: tuple[int, ...]) -> Pass:
        """The pass of a size, recorded where it is not there; its pixels keep what was in them.

        Args:
            shape: `[B, H, W, 3]`.
        """
        found = self._passes.pop(shape, None)
        if found is None:
            while len(self._passes) >= self._most:  # before its successor asks for memory
                self._passes.popitem(last=False)
            pixels = torch.zeros(shape, dtype=torch.uint8, device=self._device)
            found = self._record(self._at((shape[1], shape[2])), pixels)
        self._passes[shape] = found
        return found


def recorded(run: Run, pixels: Tensor) -> Pass:
    """A CUDA graph of a pass.

    Raises:
        RuntimeError: something in it cannot be recorded.
    """
    beside = torch.cuda.Stream(pixels.device)  # type: ignore[no-untyped-call]
    beside.wait_stream(torch.cuda.current_stream(pixels.device))
    with torch.cuda.stream(beside):
        for _ in range(_WARM_UPS):
            run(pixels)
    torch.cuda.current_stream(pixels.device).wait_stream(beside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        tokens = run(pixels)
    return Pass(pixels, tokens, graph.replay, run)


def unrecorded(run: Run, pixels: Tensor) -> Pass:
    """The same launched one kernel after the other, into the same tensors each time."""
    tokens, kept = run(pixels)

    def again() -> None:
        fresh, fresh_kept = run(pixels)
        tokens.copy_(fresh)
        for block, own in kept.items():
            own.copy_(fresh_kept[block])

    return Pass(pixels, (tokens, kept), again, run)

"""A call recorded once as a CUDA graph, so that replaying it costs Python nothing."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

_WARM_UP = 3  # libraries choose their kernels and get their workspaces before anything is recorded


def captured(run: Callable[[], Tensor]) -> Callable[[], Tensor]:
    """Record a call.

    Args:
        run: reads and writes the same memory every time.

    Returns:
        What replays it and gives its result, which the next replay overwrites.
    """
    stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(_WARM_UP):
            run()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        result = run()

    def replay() -> Tensor:
        graph.replay()
        return result

    return replay

"""The backbone run by OpenVINO, folded, one frame on one of its single-threaded streams.

A graph is built and compiled per frame size, in about a second; reading a compiled one back from
disk takes as long (benchmarks/LOG.md). Imported late: openvino is an extra.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import torch
from torch import Tensor

from operators.engines.engine import Tokens
from operators.engines.folded import FoldedVit
from operators.engines.openvino_graph import Linear, exact_linear, openvino_graph
from operators.engines.openvino_int8 import int8_linear
from operators.engines.openvino_library import ov
from operators.engines.ranges import digest, measured_ranges
from operators.vit import VisionTransformer

_HINTS = {torch.float32: "f32", torch.bfloat16: "bf16"}

Size = tuple[int, int]


class OpenVinoEngine:
    """Implements `operators.engines.engine.Engine`."""

    def __init__(
        self,
        vit: VisionTransformer,
        blocks: Sequence[int],
        dtype: torch.dtype,
        *,
        streams: int,
        int8: bool = False,
    ) -> None:
        """
        Args:
            vit: float32, on the CPU; not changed.
            blocks: whose output is wanted as well.
            dtype: of products: float32, or bfloat16 where the processor has it. Tokens are float32.
            streams: frames at a time; no bit depends on it.
            int8: linear layers of blocks are int8, the rest stays as `dtype` says. Their ranges are
                measured here, which takes a forward pass of a few frames.
        """
        self._vit = FoldedVit(vit, torch.float32)
        self._blocks = tuple(sorted(blocks))
        self._core = ov.Core()
        self._properties = {
            "INFERENCE_PRECISION_HINT": _HINTS[dtype],
            # No threads of its own: each caller computes its frame itself. Its pools of threads are
            # as fast, but their ends wait for each other while Python's lock is held, and such a
            # wait ends never (a CI run was lost to one; others report it of machines of few cores).
            "NUM_STREAMS": 0,
            "INFERENCE_NUM_THREADS": 1,
            "ENABLE_CPU_PINNING": False,  # decoders and operators want the cores too
        }
        self._compiling = threading.Lock()
        self._graphs: dict[Size, ov.CompiledModel] = {}
        self._own = threading.local()
        self._linear: Linear = exact_linear
        kind = _HINTS[dtype]
        if int8:
            ranges = measured_ranges(self._vit, threads=streams)
            self._linear = int8_linear(self._vit, ranges)
            kind = f"int8 within {digest(ranges)} and {kind}"
        self.identity = f"openvino {ov.__version__}, folded, {kind}, frame by frame"

    def __call__(self, pixels: Tensor) -> Tokens:
        """Tokens of one frame, float32."""
        _, height, width, _ = pixels.shape
        found = self._request((height, width)).infer([pixels.numpy()], share_inputs=True)
        tokens, *kept = (torch.from_numpy(array) for array in found.values())
        return tokens, dict(zip(self._blocks, kept, strict=True))

    def _request(self, size_hw: Size) -> ov.InferRequest:
        """This thread's own for a size: two threads cannot share one."""
        requests: dict[Size, ov.InferRequest] = self._own.__dict__.setdefault("requests", {})
        if size_hw not in requests:
            requests[size_hw] = self._compiled(size_hw).create_infer_request()
        return requests[size_hw]

    def _compiled(self, size_hw: Size) -> ov.CompiledModel:
        with self._compiling:
            if size_hw not in self._graphs:
                graph = openvino_graph(self._vit, size_hw, self._blocks, self._linear)
                self._graphs[size_hw] = self._core.compile_model(graph, "CPU", self._properties)
            return self._graphs[size_hw]

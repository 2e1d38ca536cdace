"""The backbone run by OpenVINO, folded, one frame on the calling thread.

Every thread compiles a graph of its own per frame size, in about a second; reading a compiled one
back from disk takes as long (benchmarks/LOG.md). Imported late: openvino is an extra.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from operators.engines.engine import Tokens
from operators.engines.folded import FoldedVit
from operators.engines.openvino_graph import Linear, exact_linear, openvino_graph
from operators.engines.openvino_int8 import int8_linear
from operators.engines.openvino_library import ov
from operators.engines.ranges import digest

_HINTS = {torch.float32: "f32", torch.bfloat16: "bf16"}
# No threads of its own: whoever asks computes. With streams it is as fast, but a graph's end then
# waits for its threads with Python's lock held, for ever if one of them wants that lock.
_PROPERTIES = {"NUM_STREAMS": 0, "INFERENCE_NUM_THREADS": 1, "ENABLE_CPU_PINNING": False}

Size = tuple[int, int]


class OpenVinoEngine:
    """Implements `operators.engines.engine.Engine`."""

    def __init__(
        self,
        vit: FoldedVit,
        blocks: Sequence[int],
        dtype: torch.dtype,
        ranges: Mapping[str, float] | None = None,
    ) -> None:
        """
        Args:
            vit: float32.
            blocks: whose output is wanted as well.
            dtype: of products: float32, or bfloat16 where the processor has it. Tokens are float32.
            ranges: from `measured_ranges`: linear layers of blocks are int8 then, the rest stays as
                `dtype` says.
        """
        self._vit = vit
        self._blocks = tuple(sorted(blocks))
        self._core = ov.Core()
        self._precision = {"INFERENCE_PRECISION_HINT": _HINTS[dtype]}
        self._own = threading.local()
        self._linear: Linear = exact_linear
        kind = _HINTS[dtype]
        if ranges is not None:
            self._linear = int8_linear(self._vit, ranges)
            kind = f"int8 within {digest(ranges)} and {kind}"
        self.identity = f"openvino {ov.__version__}, folded, {kind}, frame by frame"

    def __call__(self, pixels: Tensor) -> Tokens:
        """Tokens of one frame, float32."""
        _, height, width, _ = pixels.shape
        found = self._request((height, width)).infer([pixels.numpy()], share_inputs=True)
        tokens, *kept = (torch.from_numpy(array)[None] for array in found.values())
        return tokens, dict(zip(self._blocks, kept, strict=True))

    def _request(self, size_hw: Size) -> ov.InferRequest:
        """This thread's own for a size: callers of one compiled graph would wait for each other."""
        requests: dict[Size, ov.InferRequest] = self._own.__dict__.setdefault("requests", {})
        if size_hw not in requests:
            graph = openvino_graph(self._vit, size_hw, self._blocks, self._linear)
            compiled = self._core.compile_model(graph, "CPU", _PROPERTIES | self._precision)
            requests[size_hw] = compiled.create_infer_request()
        return requests[size_hw]

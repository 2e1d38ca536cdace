"""The backbone run by OpenVINO, folded, on the calling thread.

Every thread compiles a graph of its own per frame size, in about a second; reading a compiled one
back from disk takes as long (benchmarks/LOG.md). Imported late: openvino is an extra.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from operators.backbones.engines.engine import Tokens, joined, on
from operators.backbones.engines.folded import FoldedVit
from operators.backbones.engines.openvino_graph import ANY, Linear, exact_linear, openvino_graph
from operators.backbones.engines.openvino_int8 import int8_linear
from operators.backbones.engines.openvino_library import core, ov
from operators.backbones.engines.proven import ProvenBatches
from operators.backbones.engines.ranges import digest

_HINTS = {torch.float32: "f32", torch.bfloat16: "bf16"}

Size = tuple[int, int]


class OpenVinoEngine:
    """Implements `operators.backbones.engines.engine.BackboneEngine`."""

    def __init__(
        self,
        vit: FoldedVit,
        blocks: Sequence[int],
        dtype: torch.dtype,
        ranges: Mapping[str, float] | None = None,
        *,
        cores: int = 1,
    ) -> None:
        """
        Args:
            vit: the backbone.
            blocks: whose output is wanted as well.
            dtype: of products: float32, or bfloat16 where the processor has it. Tokens are float32.
            ranges: from `measured_ranges`: linear layers of blocks are int8 then, the rest stays as
                `dtype` says.
            cores: that one caller may use; above 1, bits may depend on it.
        """
        self._vit = vit
        self._blocks = tuple(sorted(blocks))
        self._properties = _threads(cores) | {"INFERENCE_PRECISION_HINT": _HINTS[dtype]}
        self._own = threading.local()
        self._proven = ProvenBatches(self._infer)
        self._linear: Linear = exact_linear
        self._batch = ANY
        kind = _HINTS[dtype]
        if ranges is not None:
            self._linear = int8_linear(self._vit, ranges)
            self._batch = 1
            kind = f"int8 within {digest(ranges)} and {kind}"
        self.identity = f"openvino {ov.__version__}, folded in two axes, {kind}{on(cores)}"

    def __call__(self, pixels: Tensor) -> Tokens:
        """Tokens of some frames, float32."""
        if self._batch == ANY:
            return self._proven(pixels)
        return joined([self._infer(one) for one in torch.split(pixels, self._batch)])

    def _infer(self, pixels: Tensor) -> Tokens:
        count, height, width, _ = pixels.shape
        found = self._request((height, width)).infer([pixels.numpy()], share_inputs=True)
        tokens, *kept = (
            torch.from_numpy(array).view(count, -1, array.shape[1]) for array in found.values()
        )
        return tokens, dict(zip(self._blocks, kept, strict=True))

    def _request(self, size_hw: Size) -> ov.InferRequest:
        """This thread's own for a size: callers of one compiled graph would wait for each other."""
        requests: dict[Size, ov.InferRequest] = self._own.__dict__.setdefault("requests", {})
        if size_hw not in requests:
            graph = openvino_graph(
                self._vit, size_hw, self._blocks, self._linear, batch=self._batch
            )
            compiled = core().compile_model(graph, "CPU", self._properties)
            requests[size_hw] = compiled.create_infer_request()
        return requests[size_hw]


def _threads(cores: int) -> dict[str, object]:
    """Whoever asks computes, on one core without any thread of OpenVINO's own. Its streams are as
    fast, but the end of a graph waits for theirs."""
    streams = 0 if cores == 1 else 1
    return {
        "NUM_STREAMS": streams,
        "INFERENCE_NUM_THREADS": cores,
        "ENABLE_CPU_PINNING": False,  # decoders and operators want the cores too
    }

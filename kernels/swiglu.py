"""The activation of ViT-g's feed-forward part: silu(gate) * value of one projection.

In: `[..., 2*hidden]`. Out: `[..., hidden]`. Triton on CUDA, float32 torch elsewhere.
Must not know the layers around it, nor import triton before a CUDA tensor arrives.
"""

from torch import Tensor

from . import reference
from .attention import DTYPES
from .device import runs_triton


def swiglu(gate_value: Tensor) -> Tensor:
    """silu(gate) * value, rounded once.

    Args:
        gate_value: `[..., 2*hidden]` float32, float16 or bfloat16, any strides; the gates come
            first.

    Returns:
        `[..., hidden]` in the dtype of `gate_value`, contiguous.

    Raises:
        ValueError: for another dtype, an odd last axis or an empty one.
    """
    if gate_value.dtype not in DTYPES:
        raise ValueError(
            f"gate_value is {gate_value.dtype}; allowed: {', '.join(map(str, DTYPES))}"
        )
    if gate_value.dim() < 2 or gate_value.numel() == 0 or gate_value.shape[-1] % 2:
        raise ValueError(
            f"gate_value has shape {list(gate_value.shape)}; allowed: [..., 2*hidden], not empty"
        )
    if runs_triton(gate_value.device):
        from . import swiglu_triton

        out: Tensor = swiglu_triton.swiglu(gate_value)
        return out
    return reference.swiglu(gate_value)

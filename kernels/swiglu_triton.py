"""The Triton kernel of `kernels.swiglu`: gate and value are read once, their product written once.

In: `[..., 2*hidden]` on a CUDA device. Out: `[..., hidden]`. See docs/kernels.md.
Imports triton at its top, so it is itself imported late. Must not know when it is used.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

BLOCK = 1024  # 8 elements per thread: one 16-byte load of each half
NUM_WARPS = 4


@triton.jit
def swiglu_kernel(  # type: ignore[no-untyped-def]
    gate_value, out, hidden, stride_m, BLOCK: tl.constexpr
):
    """One program: BLOCK channels of one token."""
    n_blocks = tl.cdiv(hidden, BLOCK)
    i_m = (tl.program_id(0) // n_blocks).to(tl.int64)
    o_d = tl.program_id(0) % n_blocks * BLOCK + tl.arange(0, BLOCK)
    m_d = o_d < hidden
    p_gate = gate_value + i_m * stride_m + o_d
    b_gate = tl.load(p_gate, mask=m_d, other=0.0).to(tl.float32)  # [BLOCK]
    b_value = tl.load(p_gate + hidden, mask=m_d, other=0.0).to(tl.float32)
    b_out = b_gate / (1.0 + tl.exp(-b_gate)) * b_value
    tl.store(out + i_m * hidden + o_d, b_out.to(out.dtype.element_ty), mask=m_d)


def launch(gate_value: Tensor, out: Tensor) -> None:
    """Run the kernel on the tensors' device.

    Args:
        gate_value: `[..., 2*hidden]`; what its strides do not allow to view as `[M, 2*hidden]`
            with stride 1 in the last axis is copied.
        out: contiguous `[..., hidden]`; wholly overwritten.
    """
    assert out.is_contiguous(), "the kernel writes whole rows"
    rows = gate_value.reshape(-1, gate_value.shape[-1])
    if rows.stride(1) != 1:
        rows = rows.contiguous()
    hidden = out.shape[-1]
    with torch.cuda.device_of(rows):
        swiglu_kernel[(len(rows) * triton.cdiv(hidden, BLOCK),)](
            rows, out, hidden, rows.stride(0), BLOCK=BLOCK, num_warps=NUM_WARPS,
            enable_fp_fusion=True,
        )  # fmt: skip


# An operator of torch's own: opaque to torch.compile, and an error (not a cut graph) in backward.
@torch.library.custom_op("dinostream::swiglu", mutates_args=())
def swiglu(gate_value: Tensor) -> Tensor:
    """silu(gate) * value by the Triton kernel; see `kernels.swiglu.swiglu`."""
    out = _empty(gate_value)
    launch(gate_value, out)
    return out


@swiglu.register_fake
def _(gate_value: Tensor) -> Tensor:
    return _empty(gate_value)


def _empty(gate_value: Tensor) -> Tensor:
    return gate_value.new_empty((*gate_value.shape[:-1], gate_value.shape[-1] // 2))

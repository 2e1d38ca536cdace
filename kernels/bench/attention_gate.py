"""Holds the attention kernel to its reference on a GPU, and to itself.

In: a CUDA device. Out: checks as JSON values, see `gate`. Must not time anything.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .. import reference
from ..attention import attention
from ..tiles import TILE_TABLE, Tile, select_tile
from .ahead import run_ahead
from .gate import TOLERANCE, outcome, same_bits

HEAD_DIM = 64  # of everything that is held and timed here, DINOv2's
GATE_TOKENS = (1, 16, 63, 64, 65, 80, 81, 129, 144, 145, 161, 177, 257, 261, 449, 1370, 1374)
ODD_TOKENS = (1, 17, 257, 261, 1370, 1374)
"""At which a tile is held before it is timed at any size: next to nothing, tails, real sizes."""

Launch = Callable[[Tensor, Tensor], object]
"""Runs a kernel on a projection `[B, N, 3, A, K]` into an output `[B, N, A*K]`."""


@dataclass(frozen=True, slots=True)
class Case:
    """A tile, and what it has to be right at."""

    tile: Tile
    n_tokens: int
    n_heads: int
    dtype: torch.dtype


def draw(
    n_batch: int, n_tokens: int, n_heads: int, dtype: torch.dtype, device: torch.device | str
) -> Tensor:
    """Random projection `[B, N, 3, A, K]`."""
    return torch.randn(n_batch, n_tokens, 3, n_heads, HEAD_DIM, dtype=dtype, device=device)


def attention_checks(device: torch.device) -> Iterator[dict[str, Any]]:
    """Everything that has to hold before attention is timed.

    Args:
        device: on which the kernel runs.
    """
    major, minor = torch.cuda.get_device_capability(device)
    cases = tuple(_cases(10 * major + minor))
    run_ahead(check_case, cases)
    yield from (check_case(case, device) for case in cases)
    yield from (_strided(dtype, device) for dtype in TOLERANCE)
    yield from _invariance(device)


def check_launch(name: str, launch: Launch, qkv: Tensor) -> dict[str, Any]:
    """Run a kernel into a poisoned output and hold it to the float32 reference.

    Args:
        name: what is run, in words.
        launch: writes the whole output.
        qkv: `[B, N, 3, A, K]` on the device it runs on.
    """
    n_batch, n_tokens, _, n_heads, head_dim = qkv.shape
    shape = (n_batch, n_tokens, n_heads * head_dim)
    out = torch.full(shape, math.nan, dtype=qkv.dtype, device=qkv.device)
    launch(qkv, out)
    check = f"attention N={n_tokens} B={n_batch} A={n_heads} {name}"
    return outcome(check, out, reference.attention(qkv.float()))


def first_fault(
    tile: Tile, launch: Launch, dtype: torch.dtype, device: torch.device | str
) -> dict[str, Any] | None:
    """Hold a kernel to the reference at every N of `ODD_TOKENS` that its tile serves.

    Args:
        tile: what the kernel works in.
        launch: writes the whole output.
        dtype: one of `TOLERANCE`.
        device: on which it runs.

    Returns:
        The first check that failed; None where all passed.
    """
    checks = (
        check_launch(f"{tile}", launch, draw(3, n_tokens, 3, dtype, device))
        for n_tokens in filter(tile.serves, ODD_TOKENS)
    )
    return next((check for check in checks if not check["passed"]), None)


def check_kernel(qkv: Tensor, tile: Tile) -> dict[str, Any]:
    """Run one tile into a poisoned output.

    Args:
        qkv: `[B, N, 3, A, K]` on a CUDA device.
        tile: any.
    """
    from ..flash import launch

    return check_launch(f"{tile}", lambda qkv, out: launch(qkv, out, tile), qkv)


def check_case(case: Case, device: torch.device | str = "cuda") -> dict[str, Any]:
    """Run one case on three images."""
    return check_kernel(draw(3, case.n_tokens, case.n_heads, case.dtype, device), case.tile)


def _cases(arch: int) -> Iterator[Case]:
    """The selected tile at every N, and every tile at two more."""
    for dtype in TOLERANCE:
        for n_tokens in GATE_TOKENS:
            yield Case(select_tile(arch, n_tokens, dtype.itemsize), n_tokens, 6, dtype)
        for row in TILE_TABLE:
            if row.element_bytes == dtype.itemsize and row.arch in (80, arch):
                # Without and with a query tail; 9 heads leave warps of the last program idle.
                for n_tokens in filter(row.tile.serves, (303, 3 * row.tile.block_q + 7)):
                    yield Case(row.tile, n_tokens, 3, dtype)


def _strided(dtype: torch.dtype, device: torch.device) -> dict[str, Any]:
    heads_first = draw(3, 257, 6, dtype, device).transpose(1, 3).contiguous().transpose(1, 3)
    truth = reference.attention(heads_first.float())
    return outcome("attention N=257, heads before tokens", attention(heads_first), truth)


def _invariance(device: torch.device) -> Iterator[dict[str, Any]]:
    """Batch mates, repetition, torch.compile and offsets beyond 32 bits change no bit."""
    for n_tokens in (257, 1370):
        qkv = draw(9, n_tokens, 6, torch.bfloat16, device)
        out, name = attention(qkv), f"attention N={n_tokens}"
        alone = torch.cat([attention(image[None]) for image in qkv])
        yield same_bits(f"{name}: batch mates", out, alone)
        yield same_bits(f"{name}: run again", out, attention(qkv))
        compiled = torch.compile(attention, backend="aot_eager", fullgraph=True)
        with torch.inference_mode():
            yield same_bits(f"{name}: torch.compile", out, compiled(qkv))
    yield _far_offsets(device)


def _far_offsets(device: torch.device) -> dict[str, Any]:
    """The last image of a batch that 32-bit offsets cannot reach."""
    if torch.cuda.mem_get_info(device)[0] < 8 * 2**30:
        return {"check": "offsets beyond 2^31: left out, under 8 GiB free", "passed": True}
    far = draw(520, 1370, 16, torch.float16, device)
    assert far.numel() > 2**31
    return same_bits("attention: offsets beyond 2^31", attention(far)[-1:], attention(far[-1:]))

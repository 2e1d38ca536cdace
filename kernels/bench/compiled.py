"""What the kernels cost when compiled for a chip that is not there.

In: an architecture. Out: a row of JSON values per variant of the tile table and per fused kernel.
Needs the triton wheel and no GPU. Must not run a kernel.
"""

from collections.abc import Iterator
from typing import Any

import torch

from ..aot import ELEMENT_NAMES, KernelReport, count
from ..backward_tiles import TABLES
from ..flash_variants import backward_report, flash_report, variants
from ..fused_variants import VARIANTS, fused_report
from ..tiles import TileRow, Variant
from .attention_gate import HEAD_DIM

DTYPES = {2: torch.bfloat16, 4: torch.float32}
"""In which the rows of the tile table are compiled, by bytes per element."""

EX2 = "MUFU.EX2"


def attention_rows(arch: int) -> Iterator[dict[str, Any]]:
    """Every variant that the tile table can ask for.

    Args:
        arch: 80 or 90, as the table names them.
    """
    for row, variant in variants(arch, HEAD_DIM):
        dtype = DTYPES[row.element_bytes]
        yield describe_attention(row, variant, flash_report(variant, arch=arch, dtype=dtype))


def describe_attention(
    row: TileRow, variant: Variant, report: KernelReport, *, rescaled: bool = True
) -> dict[str, Any]:
    """The costs of one variant.

    Args:
        row: of the tile table.
        variant: of its tile.
        report: of the compiled variant.
        rescaled: some exponentials rescale what was summed so far; the others are for scores.

    Returns:
        JSON values; `sound` where nothing spills, shared memory fits, a score costs one
        exponential, and 16-bit products on sm_90 are wgmma.
    """
    scores, spent = exponentials(variant, report, rescaled=rescaled)
    needs_wgmma = row.arch == 90 and row.element_bytes == 2
    right = (scores is None or spent == scores) and (not needs_wgmma or report.count("HGMMA") > 0)
    tile = row.tile
    return {
        "kernel": "attention",
        "dtype": ELEMENT_NAMES[DTYPES[row.element_bytes]],
        "tokens": f"up to {row.max_tokens}" if row.max_tokens else "any other",
        "variant": f"{tile.block_q}x{tile.block_kv}, tail {variant.tail}"
        f"{', full blocks' if variant.full else ''}{', query tails' if variant.tail_heads else ''}",
        **_costs(report),
        "wgmma": report.count("HGMMA"),
        "exponentials_for_scores": spent,
        "scores_in_loop": scores,
        "sound": right and _fits(report),
    }


def backward_rows(arch: int) -> Iterator[dict[str, Any]]:
    """Every variant of both passes of attention's gradient.

    Args:
        arch: 80 or 90, as the tables name them.
    """
    for rows, table in TABLES.items():
        for row, variant in variants(arch, HEAD_DIM, table):
            dtype = DTYPES[row.element_bytes]
            report = backward_report(rows, variant, arch=arch, dtype=dtype)
            yield describe_backward(rows, row, variant, report)


def describe_backward(
    rows: str, row: TileRow, variant: Variant, report: KernelReport
) -> dict[str, Any]:
    """The costs of one variant of a pass.

    Args:
        rows: what a program owns, "queries" or "keys".
        row: of the pass's table.
        variant: of its tile.
        report: of the compiled variant.

    Returns:
        As `describe_attention`; a pass rescales nothing, so all its exponentials are for scores.
    """
    said = describe_attention(row, variant, report, rescaled=False)
    return said | {"kernel": f"gradient of {rows}"}


def exponentials(
    variant: Variant, report: KernelReport, *, rescaled: bool = True
) -> tuple[int | None, int | None]:
    """Scores of one thread in one pass of the main loop, and exponentials that it spends on them.

    Args:
        variant: what was compiled.
        report: its costs.
        rescaled: whether each row has one more, as the forward pass's running sum.

    Returns:
        Scores, and exponentials less the one per row that rescales the sum; None and None where
        the variant has no full blocks and so no main loop.
    """
    tile = variant.tile
    if not variant.full:
        return None, None
    rows = max(2, tile.block_q // (8 * tile.num_warps)) if rescaled else 0
    # The main loop is the one with the most exponentials; query tails have one of their own.
    in_loop = max((count(loop, EX2) for loop in report.loops), default=0)
    return tile.block_q * tile.block_kv // (32 * tile.num_warps), in_loop - rows


def fused_rows(arch: int) -> Iterator[dict[str, Any]]:
    """Every configuration of the kernels beside attention's, in bfloat16.

    Args:
        arch: 10 x major + minor compute capability.
    """
    for kernel, size in VARIANTS:
        report = fused_report(kernel, size, arch=arch, dtype=torch.bfloat16)
        yield {
            "kernel": kernel,
            "dtype": "bf16",
            "tokens": "",
            "variant": str(size or ""),
            **_costs(report),
            "wgmma": 0,
            "exponentials_for_scores": None,
            "scores_in_loop": None,
            "sound": _fits(report),
        }


def _costs(report: KernelReport) -> dict[str, Any]:
    return {
        "warps": report.num_warps,
        "registers": report.registers,
        "spill_bytes": report.spill_bytes,
        "shared_bytes": report.shared_bytes,
        "shared_limit_bytes": report.shared_limit_bytes,
        "instructions": sum(report.opcodes.values()),
    }


def _fits(report: KernelReport) -> bool:
    return report.spill_bytes == 0 and report.shared_bytes <= report.shared_limit_bytes

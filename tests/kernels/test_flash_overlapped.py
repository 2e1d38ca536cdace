import re
from dataclasses import replace

import pytest
import torch

from kernels import reference
from kernels.aot import KernelReport
from kernels.flash_variants import flash_report
from kernels.tiles import Tile, Variant, variant_for

pytest.importorskip("triton.experimental.gluon")
from kernels.flash_gluon import constants
from tests.kernels.machine_code import order, product_in_flight, written
from tests.kernels.overlapped_emulation import attend
from tests.kernels.slow_memory import HEAD_DIM

NARROW = Tile(64, 64, num_warps=4, num_stages=2, schedule="overlapped")
WIDE = Tile(128, 64, num_warps=8, num_stages=2, schedule="overlapped")
DEEP = replace(WIDE, num_stages=3)
LONG = Tile(128, 128, num_warps=8, num_stages=2, schedule="overlapped")


def variants() -> list[object]:
    """Without a tail, with the shortest and with the longest."""
    cases = ((WIDE, 256), (WIDE, 257), (WIDE, 319), (NARROW, 257), (DEEP, 319), (LONG, 511))
    return [
        pytest.param(variant_for(n, tile, 64), id=f"{tile.block_q}x{tile.block_kv}-{n}")
        for tile, n in cases
    ]


def main_loop(report: KernelReport) -> tuple[str, ...]:
    (code,) = (body for body in report.loop_code if any("HGMMA" in line for line in body))
    return code


@pytest.mark.slow
@pytest.mark.parametrize("variant", variants())
def test_nothing_touches_what_the_product_in_flight_reads_and_writes(variant: Variant) -> None:
    code = main_loop(flash_report(variant, arch=90, dtype=torch.bfloat16))
    held, between = product_in_flight(code)
    assert len(held) == 32 + variant.tile.block_kv // 4
    assert any(line.startswith("MUFU.EX2") for line in between)
    assert any(written(line) for line in between)
    assert not any(written(line) & held for line in between)


@pytest.mark.slow
@pytest.mark.parametrize("variant", variants())
def test_a_product_is_in_flight_during_all_exponentials(variant: Variant) -> None:
    report = flash_report(variant, arch=90, dtype=torch.bfloat16)
    tile = variant.tile
    assert report.spill_bytes == report.stack_bytes == 0
    assert report.registers <= (128 if tile.block_kv == 64 else 255)
    assert report.shared_bytes <= report.shared_limit_bytes
    rows = tile.block_q // (8 * tile.num_warps)
    exponentials = tile.block_q * tile.block_kv // (32 * tile.num_warps) + rows
    # Scores and the product with V are issued, one is waited for, then the other.
    steps = re.fullmatch(r"AH{4}A(H+)1(e+)0", order(main_loop(report)))
    assert steps is not None
    assert len(steps[1]) == tile.block_kv // 16
    assert len(steps[2]) == exponentials
    # A tail of keys is one more such pass, and the last product.
    tail = constants(variant)["TAIL"]
    if tail:
        last = re.search(rf"AH{{4}}AH{{{len(steps[1])}}}1(e+)0A(H+)0$", order(report.code))
        assert last is not None
        assert len(last[1]) == tile.block_q * tail // (32 * tile.num_warps) + rows
        assert len(last[2]) == tail // 16
    # Shared memory holds queries, the two rings and the sums that hold the order.
    blocks = 2 * tile.num_stages + 1
    rows_held = tile.block_q + blocks * tile.block_kv
    assert report.shared_bytes >= 2 * HEAD_DIM * rows_held + 4 * tile.block_q


@pytest.mark.slow
def test_heads_of_32_and_float16_fit_too() -> None:
    for dtype, head_dim in ((torch.float16, 64), (torch.bfloat16, 32)):
        report = flash_report(variant_for(257, WIDE, head_dim), arch=90, dtype=dtype)
        assert report.spill_bytes == 0
        assert report.count("HGMMA") > 0


@pytest.mark.parametrize("tile", [NARROW, WIDE, DEEP, LONG])
@pytest.mark.parametrize("late_copies", [False, True])
@pytest.mark.parametrize("late_products", [False, True])
@pytest.mark.parametrize("n_tokens", [128, 257, 261, 305, 449, 1370, 1374])
def test_the_order_of_blocks_gives_the_reference(
    tile: Tile, late_copies: bool, late_products: bool, n_tokens: int
) -> None:
    qkv = torch.randn(1, n_tokens, 3, 1, HEAD_DIM, generator=torch.Generator().manual_seed(1))
    q, k, v = qkv[0, :, :, 0].unbind(1)
    queries = q[-tile.block_q :]
    found = attend(
        queries,
        k,
        v,
        constants(variant_for(n_tokens, tile, HEAD_DIM)),
        late_copies=late_copies,
        late_products=late_products,
    )
    torch.testing.assert_close(found, reference.attention(qkv)[0, -len(queries) :])


def test_values_in_a_ring_as_short_as_that_of_keys_would_be_overwritten() -> None:
    qkv = torch.randn(1, 449, 3, 1, HEAD_DIM)
    q, k, v = qkv[0, :, :, 0].unbind(1)
    wide = constants(variant_for(449, WIDE, HEAD_DIM))
    found = attend(q[:128], k, v, wide, late_copies=False, late_products=True, value_slots=0)
    assert not torch.allclose(found, reference.attention(qkv)[0, :128], atol=1e-2)

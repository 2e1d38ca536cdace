"""Attention's gradient, and the forward pass that keeps what it needs, compiled ahead of time."""

from collections.abc import Iterator

import pytest
import torch

from kernels.aot import KernelReport, count
from kernels.backward_tiles import TABLES, select_backward_tiles
from kernels.flash_variants import backward_report, flash_report, variants
from kernels.tiles import TileRow, Variant, select_tile, variant_for

BF16, FP32 = torch.bfloat16, torch.float32


def widest(rows: str, arch: int) -> Iterator[tuple[TileRow, Variant]]:
    """Of every tile the variants that hold most: with tails of rows, as 257 tokens have them, and
    the longest tail of what passes by."""
    for row, variant in variants(90 if arch == 90 else 80, 64, TABLES[rows]):
        longest = variant.tail == row.tile.block_kv and arch != 100
        with_rows = variant.tail_heads > 0 and variant.tail == 16
        if variant.full and (longest or with_rows):
            yield row, variant


def cases(arch: int, element_bytes: int) -> Iterator[object]:
    for rows in TABLES:
        for row, variant in widest(rows, arch):
            if row.element_bytes == element_bytes:
                parts = f"tail{variant.tail}-heads{variant.tail_heads}"
                dtype = BF16 if element_bytes == 2 else FP32
                yield pytest.param(arch, rows, variant, dtype, id=f"sm_{arch}-{rows}-{parts}")


def assert_sound(report: KernelReport) -> None:
    assert report.spill_bytes == 0
    assert report.stack_bytes == 0
    assert 0 < report.registers <= 255
    assert 0 < report.shared_bytes <= report.shared_limit_bytes


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arch", "rows", "variant", "dtype"),
    [*cases(90, 2), *cases(80, 2), *cases(100, 2), *cases(80, 4)],
)
def test_the_widest_variants_spill_nothing(
    arch: int, rows: str, variant: Variant, dtype: torch.dtype
) -> None:
    report = backward_report(rows, variant, arch=arch, dtype=dtype)
    assert_sound(report)
    if dtype == FP32:
        assert report.count("HGMMA") == report.count("HMMA") == 0  # exact: no tensor cores
    elif arch == 90:
        assert report.count("HGMMA") > 0
        assert (report.count("HMMA") > 0) == (variant.tail_heads > 0)


@pytest.mark.slow
@pytest.mark.parametrize("n_tokens", [257, 50])
def test_the_forward_pass_keeps_its_sums_without_a_spill(n_tokens: int) -> None:
    variant = variant_for(n_tokens, select_tile(90, n_tokens, 2), 64)
    report = flash_report(variant, arch=90, dtype=BF16, packed=True)
    assert_sound(report)
    assert report.registers <= (variant.tile.max_registers or 255)


@pytest.mark.slow
def test_a_score_costs_one_exponential_in_each_pass() -> None:
    selected = select_backward_tiles(90, 256, 2)
    for rows, tile in (("queries", selected.queries), ("keys", selected.keys)):
        report = backward_report(rows, variant_for(256, tile, 64), arch=90, dtype=BF16)
        per_thread = tile.block_q * tile.block_kv // (32 * tile.num_warps)
        assert {count(loop, "MUFU.EX2") for loop in report.loops} - {0} == {per_thread}

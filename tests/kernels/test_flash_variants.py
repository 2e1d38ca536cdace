from collections.abc import Iterator

import pytest
import torch

from kernels.aot import ELEMENT_NAMES, KernelReport, count
from kernels.flash_variants import flash_report, variants
from kernels.tiles import MIN_DOT, TILE_TABLE, Tile, Variant, select_tile, variant_for

REAL_TOKENS = (257, 261, 1370, 1374)
BF16, FP16, FP32 = torch.bfloat16, torch.float16, torch.float32


def name(arch: int, variant: Variant, dtype: torch.dtype) -> str:
    tile = variant.tile
    shape = f"{tile.block_q}x{tile.block_kv}w{tile.num_warps}s{tile.num_stages}"
    parts = f"tail{variant.tail}-full{variant.full:d}-heads{variant.tail_heads}"
    return f"sm_{arch}-{ELEMENT_NAMES[dtype]}-{shape}-{parts}"


def cases(arch: int, table_arch: int, dtype: torch.dtype) -> Iterator[object]:
    for row, variant in variants(table_arch, 64):
        if dtype.itemsize == row.element_bytes:
            yield pytest.param(arch, variant, dtype, id=name(arch, variant, dtype))


def widest(arch: int, table_arch: int, dtype: torch.dtype, head_dim: int = 64) -> Iterator[object]:
    """Of every tile the variants that hold most: query tails, and the longest tail of keys."""
    for row, variant in variants(table_arch, head_dim):
        most = variant.tail_heads > 0 or variant.tail == row.tile.block_kv
        if dtype.itemsize == row.element_bytes and variant.full and most:
            yield pytest.param(arch, variant, dtype, id=name(arch, variant, dtype))


def assert_sound(report: KernelReport) -> None:
    assert report.spill_bytes == 0
    assert report.stack_bytes == 0
    assert 0 < report.registers <= 255
    assert 0 < report.shared_bytes <= report.shared_limit_bytes


def exp2_in_loops(variant: Variant) -> set[int]:
    """Of one thread in one pass: one per score, and one per row for the rescaling."""
    tile = variant.tile
    rows = max(2, tile.block_q // (8 * tile.num_warps))
    block = tile.block_q * tile.block_kv // (32 * tile.num_warps) + rows
    query_tail = MIN_DOT * MIN_DOT // 32 + 2
    return ({block} if variant.full else set()) | ({query_tail} if variant.tail_heads else set())


def check(arch: int, variant: Variant, dtype: torch.dtype) -> None:
    report = flash_report(variant, arch=arch, dtype=dtype)
    assert_sound(report)
    assert report.registers <= (variant.tile.max_registers or 255)
    if arch < 100:  # from sm_100 on, loops that wait for a barrier surround the others
        counted = {count(loop, "MUFU.EX2") for loop in report.loops} - {0}
        assert counted == exp2_in_loops(variant)
    if dtype == FP32:
        assert report.count("HGMMA") == report.count("HMMA") == 0  # exact: no tensor cores
    elif arch == 90:
        assert report.count("HGMMA") > 0
        assert (report.count("HMMA") > 0) == (variant.tail_heads > 0)
        # Serialised wgmma (C7515 of ptxas) would have an ARRIVE before every HGMMA.
        assert {count(loop, "WARPGROUP.ARRIVE") for loop in report.loops} <= {0, 2}
        assert report.count("WARPGROUP.ARRIVE") <= 2 * (1 + -(-variant.tail // 32))
    elif arch < 100:
        assert report.count("HMMA") > 0
    else:
        assert report.count("UTCHMMA") + report.count("HMMA") > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arch", "variant", "dtype"),
    [*cases(90, 90, BF16), *cases(90, 90, FP32), *cases(80, 80, BF16), *widest(80, 80, FP32)],
)
def test_every_variant_of_the_table(arch: int, variant: Variant, dtype: torch.dtype) -> None:
    check(arch, variant, dtype)


@pytest.mark.slow
@pytest.mark.parametrize("n_tokens", REAL_TOKENS[::2])
@pytest.mark.parametrize("arch", [90, 80])
def test_float16_costs_what_bfloat16_does(arch: int, n_tokens: int) -> None:
    check(arch, variant_for(n_tokens, select_tile(arch, n_tokens, 2), 64), FP16)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arch", "variant", "dtype"),
    [case for chip in (86, 89, 100, 120) for case in widest(chip, 80, BF16)],
)
def test_the_widest_variants_on_other_chips(
    arch: int, variant: Variant, dtype: torch.dtype
) -> None:
    check(arch, variant, dtype)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arch", "variant", "dtype"),
    [*widest(90, 90, BF16, head_dim=32), *widest(80, 80, BF16, head_dim=32)],
)
def test_the_widest_variants_of_heads_of_32(
    arch: int, variant: Variant, dtype: torch.dtype
) -> None:
    check(arch, variant, dtype)


@pytest.mark.parametrize("arch", [90, 80])
def test_every_number_of_tokens_has_one_of_the_variants(arch: int) -> None:
    known = {(row.element_bytes, variant) for row, variant in variants(arch, 64)}
    needed = {
        (element_bytes, variant_for(n_tokens, select_tile(arch, n_tokens, element_bytes), 64))
        for n_tokens in range(1, 2000)
        for element_bytes in (2, 4)
    }
    assert needed == known
    assert {row for row, _ in variants(arch, 64)} == {row for row in TILE_TABLE if row.arch == arch}


@pytest.mark.slow
def test_a_spill_would_be_seen() -> None:
    too_large = variant_for(257, Tile(64, 64, num_warps=4, num_stages=2), 64)
    report = flash_report(too_large, arch=80, dtype=FP32)
    assert report.spill_store_bytes > 0
    assert report.spill_load_bytes > 0
    assert report.stack_bytes > 0


def test_other_dtypes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"dtype is torch\.float64; allowed: torch\.float16"):
        flash_report(variant_for(257, Tile(64, 64, 4, 2), 64), arch=90, dtype=torch.float64)

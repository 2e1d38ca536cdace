import pytest
import torch

from kernels.aot import ELEMENT_NAMES, KernelReport
from kernels.flash_variants import flash_report, variants
from kernels.tiles import Tile, select_tile


def cases(arch: int) -> list[object]:
    return [
        pytest.param(
            arch,
            row.tile,
            dtype,
            tail,
            id=f"sm_{arch}-{ELEMENT_NAMES[dtype]}-"
            f"{row.tile.block_q}x{row.tile.block_kv}w{row.tile.num_warps}s{row.tile.num_stages}-tail{tail}",
        )
        for row, dtype, tail in variants(arch)
    ]


def assert_sound(report: KernelReport) -> None:
    assert report.spill_bytes == 0
    assert report.stack_bytes == 0
    assert 0 < report.registers <= 255
    assert 0 < report.shared_bytes <= report.shared_limit_bytes


def exp2_needed(tile: Tile, tail: int) -> int:
    """One per score that a thread holds, and one per row and block for the rescaling."""
    scores = tile.block_q * (tile.block_kv + tail) // (32 * tile.num_warps)
    rescalings = 2 if tail else 1
    return scores + rescalings * max(2, tile.block_q // (8 * tile.num_warps))


@pytest.mark.parametrize(("arch", "tile", "dtype", "tail"), cases(90) + cases(80))
def test_every_variant_of_the_table(arch: int, tile: Tile, dtype: torch.dtype, tail: int) -> None:
    report = flash_report(tile, arch=arch, dtype=dtype, tail=tail)
    assert_sound(report)
    if dtype == torch.float32:
        assert report.count("HGMMA") == report.count("HMMA") == 0  # exact products: no tensor cores
    elif arch == 90:
        assert report.count("HGMMA") > 0
        assert report.count("HMMA") == 0
        assert report.count("MUFU.EX2") <= exp2_needed(tile, tail)
    else:
        assert report.count("HMMA") > 0
        assert report.count("MUFU.EX2") <= exp2_needed(tile, tail)


@pytest.mark.parametrize("arch", [86, 89, 100, 120])
@pytest.mark.parametrize("n_tokens", [257, 1370])
def test_other_chips_can_use_the_rows_of_sm_80(arch: int, n_tokens: int) -> None:
    tile = select_tile(arch, n_tokens, 2)
    assert_sound(flash_report(tile, arch=arch, dtype=torch.bfloat16, tail=16))


def test_a_spill_would_be_seen() -> None:
    too_large = Tile(64, 64, num_warps=4, num_stages=2)
    report = flash_report(too_large, arch=80, dtype=torch.float32, tail=16)
    assert report.spill_store_bytes > 0
    assert report.spill_load_bytes > 0
    assert report.stack_bytes > 0


def test_other_dtypes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"dtype is torch\.float64; allowed: torch\.float16"):
        flash_report(Tile(64, 64, 4, 2), arch=90, dtype=torch.float64, tail=16)

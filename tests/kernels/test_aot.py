import subprocess
import sys
from pathlib import Path

import pytest
import torch

from kernels.aot import ELEMENT_NAMES, KernelReport, compile_report, variants
from kernels.tiles import Tile, select_tile

ROOT = Path(__file__).parents[2]


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


def exp2_needed(report: KernelReport) -> int:
    """One per score that a thread holds, and one per row and block for the rescaling."""
    tile = report.tile
    columns = tile.block_kv + report.tail
    scores = tile.block_q * columns // (32 * tile.num_warps)
    rescalings = 2 if report.tail else 1
    return scores + rescalings * max(2, tile.block_q // (8 * tile.num_warps))


@pytest.mark.parametrize(("arch", "tile", "dtype", "tail"), cases(90) + cases(80))
def test_every_variant_of_the_table(arch: int, tile: Tile, dtype: torch.dtype, tail: int) -> None:
    report = compile_report(tile, arch=arch, dtype=dtype, tail=tail)
    assert_sound(report)
    if dtype == torch.float32:
        assert report.wgmma_count == report.mma_count == 0  # exact products: no tensor cores
    elif arch == 90:
        assert report.wgmma_count > 0
        assert report.mma_count == 0
        assert report.exp2_count <= exp2_needed(report)
    else:
        assert report.mma_count > 0
        assert report.exp2_count <= exp2_needed(report)


@pytest.mark.parametrize("arch", [86, 89, 100, 120])
@pytest.mark.parametrize("n_tokens", [257, 1370])
def test_other_chips_can_use_the_rows_of_sm_80(arch: int, n_tokens: int) -> None:
    tile = select_tile(arch, n_tokens, 2)
    assert_sound(compile_report(tile, arch=arch, dtype=torch.bfloat16, tail=16))


def test_a_spill_would_be_seen() -> None:
    too_large = Tile(64, 64, num_warps=4, num_stages=2)
    report = compile_report(too_large, arch=80, dtype=torch.float32, tail=16)
    assert report.spill_store_bytes > 0
    assert report.spill_load_bytes > 0
    assert report.stack_bytes > 0


def test_other_dtypes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"dtype is torch\.float64; allowed: torch\.float16"):
        compile_report(Tile(64, 64, 4, 2), arch=90, dtype=torch.float64, tail=16)


def test_an_interpreting_process_cannot_compile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    script = (
        "import torch; from kernels.aot import compile_report; from kernels.tiles import Tile;"
        "compile_report(Tile(64, 64, 4, 2), arch=90, dtype=torch.float16, tail=16)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 1
    assert "unset TRITON_INTERPRET to compile" in done.stderr

import pytest
import torch

from kernels.aot import KernelReport
from kernels.fused_variants import VARIANTS, WIDTHS, fused_report

# The widest of every kernel: most registers, and memory in the widest pieces.
WIDEST = [
    ("patches", 14),
    ("norm", 1536),
    ("add_norm", 384),
    ("add_norm", 1536),
    ("swiglu", 0),
    ("windows", 8),
    ("windows", 256),
]


def assert_sound(report: KernelReport) -> None:
    assert report.spill_bytes == 0
    assert report.stack_bytes == 0
    assert 0 < report.registers <= 64  # 1024 threads and more on a multiprocessor
    assert report.shared_bytes <= 4096


def assert_wide(report: KernelReport, kernel: str, size: int, dtype: torch.dtype) -> None:
    """Memory is read and written in the widest pieces that the shapes allow."""
    if kernel == "patches":  # two bytes: no more of them are sure to lie on an even address
        assert report.count("LDG") == report.count("LDG.E.U16") == 3 * 4
        wide = "STG.E.64" if dtype == torch.float32 else "STG.E"
        assert report.count("STG") == report.count(wide) == 3 * 4
    elif kernel == "windows":
        # Per element: each frame twice. The query and the result follow the width of a block.
        assert report.count("LDG.E.128") >= 2 * (2048 * dtype.itemsize) // (16 * 128)
    else:
        assert report.count("LDG") == report.count("LDG.E.128") > 0
        assert report.count("STG") == report.count("STG.E.128") > 0


def assert_lean(report: KernelReport, kernel: str, size: int) -> None:
    if size == 192:  # a row that one warp holds needs no barrier
        assert report.shared_bytes == report.count("BAR") == 0
    if kernel == "swiglu":  # one exponential per element
        assert report.count("MUFU.EX2") == 1024 // 128


def check(kernel: str, size: int, arch: int, dtype: torch.dtype) -> None:
    report = fused_report(kernel, size, arch=arch, dtype=dtype)
    assert_sound(report)
    assert_wide(report, kernel, size, dtype)
    assert_lean(report, kernel, size)


@pytest.mark.slow
@pytest.mark.parametrize(("kernel", "size"), VARIANTS)
def test_every_variant(kernel: str, size: int) -> None:
    check(kernel, size, 90, torch.bfloat16)


@pytest.mark.slow
@pytest.mark.parametrize(("kernel", "size"), WIDEST)
@pytest.mark.parametrize(
    ("arch", "dtype"),
    [(90, torch.float32), (80, torch.float32), (100, torch.bfloat16)],
    ids=["sm_90-float32", "sm_80-float32", "sm_100-bfloat16"],
)
def test_the_widest_in_float32_and_on_other_chips(
    kernel: str, size: int, arch: int, dtype: torch.dtype
) -> None:
    check(kernel, size, arch, dtype)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kernel", "size"), [("patches", 14), ("add_norm", 384), ("swiglu", 0), ("windows", 8)]
)
def test_float16_costs_what_bfloat16_does(kernel: str, size: int) -> None:
    check(kernel, size, 90, torch.float16)


@pytest.mark.slow
@pytest.mark.parametrize("arch", [80, 90, 100])
@pytest.mark.parametrize("kernel", ["norm", "add_norm"])
def test_a_float32_stream_of_bfloat16_branches(kernel: str, arch: int) -> None:
    """As the backbone has it on a GPU; of a branch a thread reads 8 bytes, of the rest 16."""
    for size in WIDTHS:
        report = fused_report(kernel, size, arch=arch, dtype=torch.bfloat16, stream=torch.float32)
        assert_sound(report)
        assert report.count("BAR") == 3  # two sums over a row that several warps share
        assert report.count("LDG") - report.count("LDG.E.128") == (kernel == "add_norm")


@pytest.mark.slow
@pytest.mark.parametrize("arch", [80, 90, 100])
def test_the_last_norm_of_a_model_is_not_rounded(arch: int) -> None:
    kinds = {"dtype": torch.bfloat16, "stream": torch.float32, "normed": torch.float32}
    for size in WIDTHS:
        report = fused_report("add_norm", size, arch=arch, **kinds)
        assert_sound(report)
        assert report.count("STG") == report.count("STG.E.128") > 0


@pytest.mark.parametrize(
    ("kernel", "size", "dtype", "message"),
    [
        ("norm", 200, torch.float32, "variant is norm, 200; allowed: "),
        ("swiglu", 0, torch.float64, r"dtype is torch\.float64; allowed: torch\.float16"),
    ],
)
def test_what_does_not_exist_is_refused(
    kernel: str, size: int, dtype: torch.dtype, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        fused_report(kernel, size, arch=90, dtype=dtype)

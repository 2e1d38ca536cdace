import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import triton
import triton.language as tl

from kernels import aot
from kernels.aot import KernelReport, compile_report, count

ROOT = Path(__file__).parents[2]


@triton.jit
def powers_of_two(x, out, n, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    for start in range(0, n, BLOCK):
        at = start + tl.arange(0, BLOCK)
        tl.store(out + at, tl.exp2(tl.load(x + at, mask=at < n)), mask=at < n)


def report(**changes: Any) -> KernelReport:
    case: dict[str, Any] = {
        "arch": 90,
        "signature": {"x": "*fp32", "out": "*fp32", "n": "i32"},
        "constants": {"BLOCK": 512},
        "options": {"num_warps": 2, "enable_fp_fusion": True},
    }
    return compile_report(powers_of_two, **case | changes)


@pytest.mark.slow
@pytest.mark.parametrize("arch", [80, 86, 89, 90, 100, 120])
def test_counts_what_the_loop_does(arch: int) -> None:
    done = report(arch=arch)
    assert (done.arch, done.num_warps, done.spill_bytes, done.stack_bytes) == (arch, 2, 0, 0)
    assert 0 < done.registers < 255
    assert done.shared_bytes == 0 < done.shared_limit_bytes
    assert done.count("MUFU.EX2") == count(done.loops[0], "MUFU.EX2") == 512 // (2 * 32)
    assert done.count("MUFU") >= done.count("MUFU.EX2")
    assert done.count("MUF") == 0


@pytest.mark.slow
def test_the_same_code_is_disassembled_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []
    run = aot._run_tool
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(aot, "_run_tool", lambda *words: started.append(words[0]) or run(*words))
    assert report() == report()
    assert started.count("nvdisasm") == 1
    report(arch=80)
    assert started.count("nvdisasm") == 2


@pytest.mark.slow
def test_aligned_pointers_are_read_four_floats_at_a_time() -> None:
    assert report().count("LDG.E.128") == 0
    aligned = report(aligned=("x", "out", "n"))
    assert aligned.count("LDG.E.128") > 0


@pytest.mark.slow
def test_a_spill_is_counted() -> None:
    options = {"num_warps": 2, "enable_fp_fusion": True, "maxnreg": 32}
    capped = report(constants={"BLOCK": 16384}, options=options)
    assert capped.registers <= 32
    assert capped.spill_store_bytes > 0
    assert capped.spill_load_bytes > 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"arch": 75}, "arch is 75; allowed: 80, 86, 89, 90, 100, 120"),
        ({"constants": {}}, "the kernel's arguments are .*'BLOCK'"),
        ({"aligned": ("y",)}, "aligned name .*'y'"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        report(**changes)


@pytest.mark.slow
def test_an_interpreting_process_cannot_compile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    script = (
        "from kernels.aot import compile_report; from kernels.flash import online_softmax_step;"
        "compile_report(online_softmax_step, arch=90, signature={}, constants={}, options={})"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 1
    assert "unset TRITON_INTERPRET to compile" in done.stderr

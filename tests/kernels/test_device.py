import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from kernels import device

ROOMS = ("patches", "residual", "swiglu", "windows")


@pytest.fixture(autouse=True)
def _choose_afresh() -> Iterator[None]:
    device._probed.cache_clear()
    yield
    device._probed.cache_clear()


def never(where: torch.device) -> None:
    raise AssertionError(f"launched on {where}")


def pretend_cuda(monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int]) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device: None)


def test_other_devices_are_told_apart_without_a_launch() -> None:
    reason = device.triton_obstacle(torch.device("cpu"), never)
    assert reason == "the Triton kernel needs a CUDA device, this is cpu"


@pytest.mark.skipif(torch.cuda.is_available(), reason="shows what a machine without a GPU says")
def test_a_missing_gpu_is_the_obstacle() -> None:
    assert device.triton_obstacle(torch.device("cuda"), never) == "torch sees no CUDA device"


def test_rocm_is_the_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.version, "hip", "6.4")
    reason = device.triton_obstacle(torch.device("cuda"), never)
    assert reason is not None
    assert reason.endswith("this torch is built for ROCm")


def test_an_old_chip_is_the_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_cuda(monkeypatch, (7, 5))
    reason = device.triton_obstacle(torch.device("cuda"), never)
    assert reason == "compute capability is 7.5, the Triton kernel needs 8.0 or newer"


def test_a_launch_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_cuda(monkeypatch, (9, 0))
    tried: list[torch.device] = []
    cuda = torch.device("cuda", 0)
    assert device.triton_obstacle(cuda, tried.append) is None
    assert tried == [cuda]

    def fails(where: torch.device) -> None:
        raise RuntimeError("no C compiler\nand more")

    reason = device.triton_obstacle(cuda, fails)
    assert reason == "the Triton kernel does not run here: RuntimeError: no C compiler"


def test_a_launch_without_memory_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_cuda(monkeypatch, (9, 0))

    def fails(where: torch.device) -> None:
        raise torch.OutOfMemoryError("out of memory")

    with pytest.raises(torch.OutOfMemoryError):
        device.triton_obstacle(torch.device("cuda"), fails)


def test_the_answer_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="kernels.device")
    assert not any(device.runs_triton(torch.device("cpu")) for _ in range(3))
    assert [record.levelname for record in caplog.records] == ["INFO"]
    assert caplog.messages == [
        "fused kernels on cpu: the Triton kernel needs a CUDA device, this is cpu"
    ]


def test_a_fallback_on_cuda_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pretend_cuda(monkeypatch, (7, 5))
    assert not device.runs_triton(torch.device("cuda", 0))
    assert [record.levelname for record in caplog.records] == ["WARNING"]


@pytest.mark.slow
def test_the_probe_counts(interpret_fused: Callable[..., dict[str, Any]]) -> None:
    assert interpret_fused("probed")["counted"]


@pytest.mark.needs_gpu
def test_the_probe_runs_on_a_gpu() -> None:
    assert device.runs_triton(torch.device("cuda", torch.cuda.current_device()))


@pytest.mark.slow
def test_public_modules_leave_triton_alone() -> None:
    rooms = ", ".join(f"kernels.{room}" for room in ROOMS)
    script = f"import sys, torch, {rooms}; assert 'triton' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parents[2])

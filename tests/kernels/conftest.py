"""What the kernel tests share: the GPU gate, and a process whose triton interprets kernels."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

ROOT = Path(__file__).parents[2]


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("needs_gpu") is None or torch.cuda.is_available():
        return
    if os.environ.get("REQUIRE_GPU") == "1":
        pytest.fail("REQUIRE_GPU=1, but torch sees no CUDA device")
    pytest.skip("torch sees no CUDA device")


def _conversation(script: str) -> Iterator[Callable[..., dict[str, Any]]]:
    """A process whose triton interprets kernels on the CPU, and a function that asks it.

    triton reads TRITON_INTERPRET once, when a kernel is defined, and an interpreted kernel can no
    longer be compiled; hence a process of its own, which leaves this one fit for the AOT tests.
    """
    child = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name(script))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"TRITON_INTERPRET": "1", "PYTHONPATH": str(ROOT)},
    )
    assert child.stdin is not None
    assert child.stdout is not None
    requests, replies = child.stdin, child.stdout

    def run(check: str, **case: Any) -> dict[str, Any]:
        print(json.dumps({"check": check, **case}), file=requests, flush=True)
        reply = replies.readline()
        if not reply:
            pytest.fail(f"the interpreter process ended with exit code {child.wait()}")
        answer: dict[str, Any] = json.loads(reply)
        if "error" in answer:
            pytest.fail(answer["error"])
        return answer

    with child:
        yield run
        requests.close()


@pytest.fixture(scope="session")
def interpret() -> Iterator[Callable[..., dict[str, Any]]]:
    """Run cases of the flash kernel in triton's interpreter, on the CPU."""
    yield from _conversation("interpreter_child.py")


@pytest.fixture(scope="session")
def interpret_fused() -> Iterator[Callable[..., dict[str, Any]]]:
    """Run cases of the kernels beside attention's in triton's interpreter, on the CPU."""
    yield from _conversation("fused_child.py")


@pytest.fixture(scope="session")
def interpret_gradient() -> Iterator[Callable[..., dict[str, Any]]]:
    """Run cases of attention's gradient, and of packs, in triton's interpreter, on the CPU."""
    yield from _conversation("gradient_child.py")

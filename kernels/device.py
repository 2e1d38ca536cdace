"""Whether Triton's kernels run on a device, and in words why not.

In: a torch device, and a launch that tries it. Out: None, or the obstacle as a sentence.
The one rule that every kernel's public function asks. Must not know any kernel but the probe, and
must not import triton before a CUDA device is asked for.
"""

import functools
import logging
from collections.abc import Callable

import torch

from .tiles import MIN_ARCH

_log = logging.getLogger(__name__)


def triton_obstacle(device: torch.device, launch: Callable[[torch.device], object]) -> str | None:
    """Say what keeps Triton from a device. On an NVIDIA chip of 8.0 or newer it is tried.

    Args:
        device: where a kernel shall run.
        launch: runs one there; called only where nothing else is in the way.

    Returns:
        None where it ran, else the reason.

    Raises:
        torch.OutOfMemoryError: the launch found no memory, which says nothing about Triton.
    """
    if device.type != "cuda":
        return f"the Triton kernel needs a CUDA device, this is {device}"
    if torch.version.hip is not None:
        return "the Triton kernel is made for NVIDIA chips, this torch is built for ROCm"
    if not torch.cuda.is_available():
        return "torch sees no CUDA device"
    major, minor = torch.cuda.get_device_capability(device)
    if 10 * major + minor < MIN_ARCH:
        return f"compute capability is {major}.{minor}, the Triton kernel needs 8.0 or newer"
    return _launch_error(device, launch)


def _launch_error(device: torch.device, launch: Callable[[torch.device], object]) -> str | None:
    # Triton needs its own wheel, a C compiler and a driver that fits; only a launch tells.
    try:
        launch(device)
        torch.cuda.synchronize(device)
    except torch.OutOfMemoryError:
        raise
    except Exception as error:
        first_line = (str(error).strip().splitlines() or ["no message"])[0]
        return f"the Triton kernel does not run here: {type(error).__name__}: {first_line}"
    return None


@functools.cache
def architecture(device: torch.device) -> int:
    """10 x major + minor compute capability of a CUDA device: 90 on an H200."""
    major, minor = torch.cuda.get_device_capability(device)
    return 10 * major + minor


def runs_triton(device: torch.device) -> bool:
    """Whether kernels other than attention's run on a device; told once in the log.

    Args:
        device: where their tensors are.

    Returns:
        True where the probe ran.
    """
    return _probed(device)


def constant_when_traced(function: Callable[..., object]) -> None:
    """Have torch.compile call a function while it traces, and keep the answer."""
    # torch.compiler.assume_constant_result sets this very mark, but imports torch._dynamo and with
    # it triton: 1-2 s at the start of every process (torch 2.15).
    function._dynamo_marked_constant = True  # type: ignore[attr-defined]


constant_when_traced(runs_triton)


@functools.cache
def _probed(device: torch.device) -> bool:
    obstacle = triton_obstacle(device, _launch_probe)
    level = logging.WARNING if obstacle and device.type == "cuda" else logging.INFO
    reason = obstacle or "the Triton kernels run"
    _log.log(level, "fused kernels on %s: %s", device, reason)
    return obstacle is None


def _launch_probe(device: torch.device) -> None:
    from .probe import count_up

    count_up(torch.zeros(16, device=device))

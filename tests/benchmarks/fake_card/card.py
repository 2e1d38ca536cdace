"""A CUDA device that is not there: its tensors are the host's, its kernels their float32 twins.

What a graph has recorded it has done; replaying does nothing. Clocks say a millisecond at least.
"""

import contextlib
import time
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from kernels import attention as public
from kernels import flash, flash_packed, probe, reference

NAME = "a card that is not there"
LEAST_MS = 1.0


def install() -> None:
    """For the rest of the process."""
    Host().__enter__()
    properties = SimpleNamespace(
        name=NAME, major=9, minor=0, multi_processor_count=1, total_memory=1 << 30
    )
    for name, value in {
        "is_available": lambda: True,
        "device_count": lambda: 1,
        "current_device": lambda: 0,
        "get_device_name": lambda device=None: NAME,
        "get_device_capability": lambda device=None: (9, 0),
        "get_device_properties": lambda device=None: properties,
        "mem_get_info": lambda device=None: (1 << 30, 1 << 30),
        "memory_allocated": lambda device=None: 0,
        "max_memory_allocated": lambda device=None: 1 << 20,
        "reset_peak_memory_stats": lambda device=None: None,
        "synchronize": lambda device=None: None,
        "current_stream": lambda device=None: Stream(),
        "stream": lambda stream: contextlib.nullcontext(),
        "graph": graph,
        "Stream": Stream,
        "Event": Event,
        "CUDAGraph": Graph,
    }.items():
        setattr(torch.cuda, name, value)
    torch.compile = lambda function, **_: function

    flash.launch = lambda qkv, out, tile: out.copy_(attention(qkv))
    flash.flash_attention = attention
    flash_packed.packed_flash_attention = packed_attention
    probe.count_up = lambda numbers: numbers.add_(1)
    asked = public.attention_path
    public.attention_path = lambda device, head_dim: asked(torch.device("cuda", 0), head_dim)


def attention(qkv: Tensor) -> Tensor:
    """Image by image, so that no bit depends on mates."""
    found = [reference.attention(image[None].float()) for image in qkv]
    return torch.cat(found).to(qkv.dtype)


def packed_attention(qkv: Tensor, lengths: Sequence[int]) -> tuple[Tensor, None]:
    """Sequence by sequence; torch differentiates it."""
    return reference.packed_attention(qkv, lengths), None


class Host(TorchFunctionMode):
    """Whatever shall lie on a card lies on the host."""

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func is torch.Tensor.cuda:
            return args[0]
        if func is torch.device:
            return func(*args, **kwargs or {})
        there = {name: self._there(value) for name, value in (kwargs or {}).items()}
        if "pin_memory" in there:
            there["pin_memory"] = False
        return func(*map(self._there, args), **there)

    def _there(self, value: object) -> object:
        if isinstance(value, torch.device | str) and str(value).startswith("cuda"):
            return torch.device("cpu")
        return value


class Stream:
    """Everything is done at once."""

    def __init__(self, device: object = None) -> None: ...

    def wait_stream(self, other: object) -> None: ...


class Event:
    """A moment of the host's clock."""

    def __init__(self, enable_timing: bool = False) -> None:
        self._at_s = 0.0

    def record(self, stream: object = None) -> None:
        self._at_s = time.perf_counter()

    def synchronize(self) -> None: ...

    def elapsed_time(self, later: "Event") -> float:
        """Milliseconds."""
        return max(LEAST_MS, 1000 * (later._at_s - self._at_s))


class Graph:
    """What was recorded is done."""

    def replay(self) -> None: ...


@contextlib.contextmanager
def graph(recorded: Graph) -> Iterator[None]:
    """Record, which here is to do."""
    yield

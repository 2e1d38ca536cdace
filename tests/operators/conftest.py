"""Fixtures for the operators' tests: seeded weights and features that depend on numpy alone."""

from __future__ import annotations

import runpy
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from operators.backbones.architectures import ARCHITECTURES, Architecture
from operators.frames import Features, FrameInfo


@pytest.fixture(scope="session")
def vit_recipe() -> SimpleNamespace:
    """The functions of `data/make_vit_goldens.py`: seeded_tensors, seeded_pixels, sampled."""
    script = Path(__file__).with_name("data") / "make_vit_goldens.py"
    return SimpleNamespace(**runpy.run_path(str(script)))


@pytest.fixture
def fill(vit_recipe: SimpleNamespace) -> Any:
    """Fill any module with seeded weights by its own names and return it, frozen."""

    def filled(module: torch.nn.Module) -> torch.nn.Module:
        shapes: Mapping[str, Any] = {k: tuple(v.shape) for k, v in module.state_dict().items()}
        tensors = vit_recipe.seeded_tensors(shapes)
        # Assigned, so that a module built without memory of its own (torch's meta) is filled too.
        module.load_state_dict({k: torch.from_numpy(v) for k, v in tensors.items()}, assign=True)
        return module.eval().requires_grad_(False)

    return filled


@pytest.fixture(scope="session")
def tiny() -> Architecture:
    """The smallest backbone."""
    return ARCHITECTURES["dinov2_vitti14"]


@pytest.fixture(scope="session")
def frame() -> Callable[..., FrameInfo]:
    """`frame(7)`, `frame(7, stream="b")`: the n-th frame of a stream at 5 frames/s."""

    def made(number: int, *, stream: str = "cam", **other: Any) -> FrameInfo:
        known = {
            "session": "0123456789ab",
            "position": str(number * 18_000),
            "pts": number * 18_000,
            "time_base": Fraction(1, 90_000),
            "event_time_us": number * 200_000,
            "ingest_time_us": 1_700_000_000_000_000,
            "source_hw": (360, 640),
        }
        return FrameInfo(stream=stream, **(known | other))

    return made


@pytest.fixture(scope="session")
def features_of() -> Callable[..., Features]:
    """Features that are a function of stream and position; rows of padding are NaN. Pixels are
    noise."""

    def made(
        infos: Sequence[FrameInfo],
        arch: Architecture,
        *,
        grid: tuple[int, int] = (4, 6),
        batch_size: int = 8,
        dtype: torch.dtype = torch.float32,
    ) -> Features:
        shape = (arch.depth + 1, 1 + grid[0] * grid[1], arch.width)
        tokens = torch.full((batch_size, *shape), torch.nan)
        size_hw = [side * arch.patch for side in grid]
        pixels = np.empty((len(infos), *size_hw, 3), dtype=np.uint8)
        for row, info in enumerate(infos):
            seed = [*info.stream.encode(), int(info.position.partition("+")[0])]
            draw = np.random.Generator(np.random.PCG64(seed))
            tokens[row] = torch.from_numpy(draw.standard_normal(shape, dtype=np.float32))
            pixels[row] = draw.integers(0, 256, pixels[row].shape, dtype=np.uint8)
        blocks = [
            (block[:, 1:].unflatten(1, grid), block[:, 0]) for block in tokens.to(dtype).unbind(1)
        ]
        patches, cls = blocks.pop()
        norm = torch.nn.LayerNorm(arch.width, eps=1e-6, dtype=dtype).requires_grad_(False)
        layers = dict(enumerate(blocks))
        return Features(tuple(infos), cls, patches, layers, norm, pixels=pixels)

    return made

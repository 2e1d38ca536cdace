"""Fixtures for the operators' tests: seeded weights that depend on numpy alone."""

from __future__ import annotations

import runpy
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch


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
        module.load_state_dict({k: torch.from_numpy(v) for k, v in tensors.items()})
        return module.eval().requires_grad_(False)

    return filled

"""A tiny backbone, features of noise, and bases fitted on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from operators.archive.basis import Basis, write_basis
from operators.archive.compression import compressed, read_maps
from operators.archive.kind import Kind
from operators.archive.layout import Layout, Numbers
from operators.archive.moments import Moments
from operators.backbones.architectures import architecture
from operators.backbones.backbone import Backbone
from operators.frames import Features, FrameBatch, FrameInfo
from operators.weights.load import load_backbone

ARCH = replace(architecture("dinov2_vitti14"), depth=3)  # deeper shows no more
SIZE_HW = (42, 70)


def layout_of(blocks, components=192) -> Layout:
    return Layout.of(blocks, depth=3, components=components, width=192, registers=0)


@pytest.fixture(scope="session")
def backbone() -> Backbone:
    return Backbone(load_backbone(ARCH, "random", seed=1), blocks=(1, 2), batch_size=4)


@pytest.fixture(scope="session")
def features(backbone: Backbone) -> Features:
    """Of four pictures of noise."""
    pixels = np.random.default_rng(0).integers(0, 256, (4, *SIZE_HW, 3), dtype=np.uint8)
    return backbone(FrameBatch((FrameInfo.of_picture(),) * 4, pixels))


@pytest.fixture(scope="session")
def basis_of(
    backbone: Backbone, features: Features, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Layout], Basis]:
    """A layout -> a basis of the features themselves, read from its file."""

    def basis(layout: Layout) -> Basis:
        found = {}
        for name, (patches, _) in read_maps(features, layout, slice(0, 4)).items():
            moments = Moments(layout.width)
            moments.add(patches)
            found[name], _ = moments.directions(min(layout.components, 60))
        path: Path = tmp_path_factory.mktemp("basis") / "basis.safetensors"
        facts = {"backbone": backbone.loaded.sha256, "model": ARCH.name}
        write_basis(path, found, facts)
        return Basis.read(path)

    return basis


@pytest.fixture(scope="session")
def kept_of(features: Features) -> Callable[..., np.ndarray]:
    """A layout and a basis -> the pictures of the four frames."""

    def kept(layout: Layout, basis: Basis) -> np.ndarray:
        pictures = []
        for row in range(4):
            own = compressed(features, layout, basis.chosen(layout), slice(row, row + 1))
            codes, scales, fine = (one[0].numpy() for one in own)
            halves = scales.view(np.float16), fine.view(np.float16)
            pictures.append(layout.packed(Numbers(codes.view(np.int8), *halves)))
        return np.stack(pictures)

    return kept


@pytest.fixture
def kind_of(backbone: Backbone) -> Callable[[Layout, Basis], Kind]:
    def kind(layout: Layout, basis: Basis) -> Kind:
        return Kind(layout, basis.sha256, ARCH.name, backbone.loaded.sha256, "torch, float32, cpu")

    return kind


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)

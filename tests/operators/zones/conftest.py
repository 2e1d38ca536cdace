"""Zones beside real heads: a person is where the first channel of a patch is above 0."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from operators.backbones.architectures import Architecture
from operators.depth.operator import Depth, build_depth
from operators.frames import Features, FrameInfo
from operators.places.places import Places
from operators.segmentation.labelsets import Label, LabelSet
from operators.segmentation.linear import segmentation_layout
from operators.segmentation.operator import Segmentation
from operators.weights.head_request import HeadRequest
from operators.weights.heads import Head
from operators.zones.operator import Zones, build_zones

GRID = (4, 6)
ROOM = LabelSet(
    "room",
    tuple(Label(number, name, (number, 0, 0)) for number, name in enumerate(("wall", "person"))),
)


@pytest.fixture
def segmentation(tiny: Architecture) -> Segmentation:
    """One cell per patch, so that a patch is wholly what it is."""
    tensors = {name: torch.zeros(size) for name, size in segmentation_layout(tiny, 2).items()}
    tensors["decode_head.bn.weight"] += 1
    tensors["decode_head.bn.running_var"] += 1
    tensors["decode_head.conv_seg.weight"][1, 0] = 1
    operator = Segmentation(
        Head("segmentation", "made", tensors, "b" * 64), tiny, ROOM, map_scale=1
    )
    operator.load(torch.device("cpu"), torch.float32)
    return operator


@pytest.fixture
def depth(tiny: Architecture) -> Depth:
    """Of a random head: metres that vary, and are known from its own map."""
    operator = build_depth({"map_scale": 2}, HeadRequest("depth", tiny, "a" * 64, random_seed=0))
    operator.load(torch.device("cpu"), torch.float32)
    return operator


@pytest.fixture
def zones(tiny: Architecture, segmentation: Segmentation, depth: Depth) -> Callable[..., Zones]:
    """`zones(places, classes=["person"], min_s=0)`."""

    def made(places: Places, **settings: Any) -> Zones:
        built = build_zones(settings, HeadRequest("zones", tiny, "a" * 64))
        operator = built.beside({"segmentation": segmentation, "depth": depth})
        operator.place("cam", places)
        return operator

    return made


@pytest.fixture
def scene(
    tiny: Architecture, features_of: Callable[..., Features], frame: Callable[..., FrameInfo]
) -> Callable[..., Features]:
    """`scene([(0, 1), ()], first=5)`: frames in whose upper row of patches a person is at these
    columns."""

    def made(columns: list[tuple[int, ...]], *, first: int = 0, **info: Any) -> Features:
        infos = [frame(first + number, **info) for number in range(len(columns))]
        seen = features_of(infos, tiny, grid=GRID, batch_size=max(8, len(infos)))
        seen.patches[..., 0] = -1
        for row, there in enumerate(columns):
            seen.patches[row, 0, list(there), 0] = 1
        return seen

    return made

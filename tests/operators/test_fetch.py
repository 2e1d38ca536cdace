"""One copy brings what all operators have computed on a GPU, and it is what each computes alone.

No card is needed: tensors of a CUDA device without memory show what is launched and what is waited
for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from operators.backbones.architectures import Architecture
from operators.backbones.precision import Precision
from operators.batch_operator import BatchOperator
from operators.depth import dpt_rows
from operators.depth.dpt import Dpt
from operators.depth.dpt_layouts import dinov2_dpt, file_shapes
from operators.depth.dpt_metric import DptDepth
from operators.errors import DinostreamError
from operators.fetch import Fetch
from operators.frames import Features, FrameInfo
from operators.landing import Landing
from operators.operator import StreamOperator
from operators.registry import build_operator
from operators.vector.embedding import Embedding
from operators.weights.heads import Head

NAMES = ("depth", "segmentation", "classify", "action", "embedding", "frames", "tamper", "anomaly")
CUDA = torch.device("cuda", 0)


class Traffic(TorchDispatchMode):
    """Counts copies from the device to the host, and what comes from there."""

    def __init__(self) -> None:
        super().__init__()
        self.copies = self.uploads = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        inputs = [one for one in args if isinstance(one, torch.Tensor)]
        came = any(one.device == CUDA for one in inputs)
        if came and isinstance(out, torch.Tensor) and out.device.type == "cpu":
            self.copies += 1
        if isinstance(out, torch.Tensor) and out.device == CUDA:
            self.uploads += any(one.device.type == "cpu" for one in inputs)
        return out


class OneStream(Landing):
    """Copies to pinned memory, without a stream of their own: there is no driver to give one."""

    def __init__(self) -> None:
        super().__init__(torch.device("cpu"))
        self._on_gpu = True


def operators(tiny: Architecture, *names: str) -> list[BatchOperator]:
    built = [
        build_operator(name, {}, architecture=tiny, backbone_sha256="0" * 64, random_seed=0)
        for name in names or NAMES
    ]
    assert all(isinstance(one, BatchOperator) for one in built)
    return built


def on_card(infos: Sequence[FrameInfo], arch: Architecture, batch_size: int = 8) -> Features:
    """Features of a batch on a card that is not there."""
    half = {"device": CUDA, "dtype": torch.bfloat16}
    patches = torch.empty(batch_size, 4, 6, arch.width, **half)
    cls = torch.empty(batch_size, arch.width, **half)
    norm = torch.nn.LayerNorm(arch.width, **half).requires_grad_(False)
    layers = dict.fromkeys(range(arch.depth), (patches, cls))
    pixels = np.zeros((len(infos), 56, 84, 3), dtype=np.uint8)
    return Features(tuple(infos), cls, patches, layers, norm, pixels=pixels)


def test_a_card_is_waited_for_once(tiny: Architecture, frame: Callable[..., FrameInfo]) -> None:
    """A number that is read before would stop it here: there are none to read."""
    chosen = operators(tiny)
    with FakeTensorMode(allow_non_fake_inputs=True):
        for one in chosen:
            one.load(CUDA, torch.bfloat16)
        features = on_card([frame(0), frame(1)], tiny)
        with Traffic() as traffic:
            Fetch(features, chosen, OneStream())
    assert traffic.copies == 1


def test_what_comes_is_what_each_says_alone(
    tiny: Architecture, features_of: Callable[..., Features], frame: Callable[..., FrameInfo]
) -> None:
    infos = [frame(number, stream=f"cam{number % 2}") for number in range(6)]
    features = features_of(infos, tiny)
    chosen, alone = operators(tiny), operators(tiny)
    for one in [*chosen, *alone]:
        one.load(torch.device("cpu"), torch.float32)
    fetch = Fetch(features, chosen)
    fetch.wait()
    rows = [1, 2, 5]
    for together, by_itself in zip(chosen, alone, strict=True):
        got, want = fetch.say(together, rows), by_itself(features.take(rows))
        assert [(one.info, one.operator, one.attributes) for one in got] == [
            (one.info, one.operator, one.attributes) for one in want
        ]
        if together.name in ("embedding", "segmentation", "frames"):
            assert got == want


def test_a_frame_without_numbers_is_named(
    tiny: Architecture, features_of: Callable[..., Features], frame: Callable[..., FrameInfo]
) -> None:
    features = features_of([frame(0), frame(1), frame(2)], tiny)
    features.cls[1] = features.patches[1] = torch.nan
    for patches, cls in features.layers.values():
        patches[1] = cls[1] = torch.nan
    chosen = operators(tiny, *(name for name in NAMES if name != "frames"))  # which reads none
    for one in chosen:
        one.load(torch.device("cpu"), torch.float32)
    fetch = Fetch(features, chosen)
    fetch.wait()
    for one in chosen:
        with pytest.raises(DinostreamError, match=f"{one.name}: frame 18000 of cam"):
            fetch.say(one, [0, 1, 2])
        if not isinstance(one, StreamOperator):
            assert fetch.say(one, [0, 2])


def test_what_a_card_cannot_bring_is_named(
    tiny: Architecture, features_of: Callable[..., Features], frame: Callable[..., FrameInfo]
) -> None:
    class Count(Embedding):
        name = "count"

        def compute(self, features: Features, rows: slice) -> tuple[torch.Tensor, ...]:
            return (features.cls[rows].argmax(dim=1),)

    features = features_of([frame(0)], tiny)
    allowed = "count: compute gives int64; allowed are float32, uint16, uint8, bool"
    for attempt in (lambda: Count()(features), lambda: Fetch(features, [Count()])):
        with pytest.raises(DinostreamError, match=allowed):
            attempt()


def dpt_depth(tiny: Architecture) -> DptDepth:
    tensors = {name: torch.zeros(shape) for name, shape in file_shapes(dinov2_dpt(tiny)).items()}
    return DptDepth(Head("depth", "made", tensors, "a" * 64), tiny, range_m=(1, 9), map_scale=4)


@pytest.mark.parametrize("precision", Precision)
def test_between_slices_of_a_batch_no_card_is_waited_for(
    precision: Precision,
    tiny: Architecture,
    frame: Callable[..., FrameInfo],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dpt_rows, "SLICE_BYTES", 1)
    depth = dpt_depth(tiny)
    with FakeTensorMode(allow_non_fake_inputs=True):
        depth.load(CUDA)
        seen = on_card([frame(0), frame(1), frame(2)], tiny)
        features = replace(seen, precision=precision)
        with Traffic() as traffic:
            metres = depth.metres(features, slice(0, 8))
    assert metres.shape == (3, 16, 24)
    assert metres.device == CUDA
    assert traffic.copies == traffic.uploads == 0


def test_rows_of_padding_go_through_no_fine_decoder(
    tiny: Architecture,
    features_of: Callable[..., Features],
    frame: Callable[..., FrameInfo],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One of them takes as long as a frame's."""
    decoded: list[Any] = []

    def counting(self: Dpt, read: Any, precision: Precision) -> torch.Tensor:
        decoded.append(read)
        return torch.ones(1, 64, 96)

    monkeypatch.setattr(Dpt, "__call__", counting)
    metres = dpt_depth(tiny).metres(features_of([frame(0), frame(1)], tiny), slice(0, 8))
    assert len(decoded) == len(metres) == 2

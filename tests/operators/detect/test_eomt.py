"""EoMT: parity with transformers' through files that it wrote, in every engine of a CPU."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from operators.backbones.backbone import Backbone
from operators.backbones.engines.choice import EXACT, Choice
from operators.backbones.preprocess import normalise
from operators.detect.eomt import Eomt, Seen
from operators.errors import UsageError, WeightsError
from operators.frames import FrameBatch, FrameInfo
from operators.weights.head_request import HeadRequest
from operators.weights.heads import trained_head
from operators.weights.load import load_backbone

MAX_ERROR = 1e-4
OTHER_ORDER = 3e-4  # of masks, where constants are folded into two axes: logits reach 30
ROUNDED = Choice("torch", torch.bfloat16, "")
OPENVINO = Choice("openvino", torch.float32, "")


def drawn(grid: tuple[int, int], count: int = 1) -> np.ndarray:
    size = (count, 16 * grid[0], 16 * grid[1], 3)
    return np.random.default_rng(3).integers(0, 256, size, dtype=np.uint8)


def head_of(twin, backbone_sha256: str) -> Eomt:
    request = HeadRequest("detect", twin.arch, backbone_sha256, str(twin.path))
    eomt = Eomt(trained_head(request), twin.arch)
    eomt.load(torch.device("cpu"))
    return eomt


def sees(twin, pixels: np.ndarray, frame, choice: Choice = EXACT, rows=slice(1)) -> Seen:
    """What we see with the file of a twin."""
    loaded = load_backbone(twin.arch, str(twin.path))
    eomt = head_of(twin, loaded.sha256)
    backbone = Backbone(loaded, blocks=eomt.layers, batch_size=4, choice=choice)
    infos = tuple(frame(number) for number in range(len(pixels)))
    seen = eomt(backbone(FrameBatch(infos, pixels)), rows)
    backbone.close()
    return seen


def masks(seen: Seen) -> torch.Tensor:
    every = torch.arange(seen.queries.shape[1]).expand(len(seen.queries), -1)
    return seen.masks(every)


def off(got: torch.Tensor, want: torch.Tensor) -> float:
    return (got - want).abs().max().item()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "sizes"),
    [("eomt_small_640", {}), ("eomt_giant_640", {"width": 384, "heads": 6})],
)
def test_it_computes_what_transformers_does(twin_of, frame, name, sizes) -> None:
    twin, pixels = twin_of(name, **sizes), drawn((5, 5))
    classes, want = twin.sees(normalise(torch.from_numpy(pixels), torch.float32))
    seen = sees(twin, pixels, frame)
    assert want.abs().max() > 5
    assert off(seen.classes, classes) <= MAX_ERROR
    assert off(masks(seen), want) <= MAX_ERROR


@pytest.mark.slow
def test_behind_openvino_too(twin_of, frame) -> None:
    pytest.importorskip("openvino", reason="the extra cpu is not installed")
    twin, pixels = twin_of("eomt_small_640"), drawn((5, 5))
    classes, want = twin.sees(normalise(torch.from_numpy(pixels), torch.float32))
    seen = sees(twin, pixels, frame, OPENVINO)
    assert off(seen.classes, classes) <= MAX_ERROR
    assert off(masks(seen), want) <= OTHER_ORDER


@pytest.mark.slow
@pytest.mark.parametrize("grid", [(3, 5), (5, 2)])
def test_a_wide_or_an_upright_frame_stands_in_the_corner(twin_of, frame, grid) -> None:
    """Where training had it: it padded pictures to a square, below and on the right."""
    twin, pixels = twin_of("eomt_small_640"), drawn(grid)
    classes, want = twin.cornered(grid).sees(normalise(torch.from_numpy(pixels), torch.float32))
    seen = sees(twin, pixels, frame)
    assert off(seen.classes, classes) <= MAX_ERROR
    assert off(masks(seen), want) <= MAX_ERROR


@pytest.mark.slow
def test_a_frame_has_the_same_bits_with_any_mates_also_when_rounded(twin_of, frame) -> None:
    twin, pixels = twin_of("eomt_small_640"), drawn((3, 4), count=3)
    found = []
    for choice in (EXACT, ROUNDED):
        alone = sees(twin, pixels[2:], frame, choice)
        among = sees(twin, pixels, frame, choice, rows=slice(2, 3))
        assert torch.equal(alone.classes, among.classes)
        assert torch.equal(masks(alone), masks(among))
        found.append(masks(alone).flatten(2))
    assert 0.999 < torch.nn.functional.cosine_similarity(*found, dim=2).min() < 1


def test_pixels_are_normalised_as_its_processor_does() -> None:
    transformers = pytest.importorskip("transformers")
    square = {"shortest_edge": 80, "longest_edge": 80}
    (pixels,) = drawn((5, 5))
    theirs = transformers.EomtImageProcessorPil(size=square)(images=pixels, return_tensors="pt")
    ours = normalise(torch.from_numpy(pixels[None]), torch.float32)
    torch.testing.assert_close(theirs["pixel_values"], ours, rtol=0, atol=1e-6)


def test_its_head_reads_no_other_backbone(twin_of) -> None:
    twin = twin_of("eomt_small_640")
    with pytest.raises(WeightsError, match="was trained on the backbone with sha256"):
        head_of(twin, "a" * 64)


def test_another_model_than_the_files_is_refused(twin_of) -> None:
    twin = twin_of("eomt_small_640")
    sha256 = load_backbone(twin.arch, str(twin.path)).sha256
    longer = replace(twin, arch=replace(twin.arch, depth=3))
    with pytest.raises(WeightsError, match=r"does not fit the model; missing keys: blocks\.5"):
        head_of(longer, sha256)
    plain = replace(twin, arch=replace(twin.arch, own_blocks=0))
    with pytest.raises(WeightsError, match="an EoMT's, which eomt_small_640 is not"):
        head_of(plain, sha256)


def test_features_without_registers_are_refused(
    twin_of, features_of: Callable, frame: Callable[..., FrameInfo]
) -> None:
    twin = twin_of("eomt_small_640")
    eomt = head_of(twin, load_backbone(twin.arch, str(twin.path)).sha256)
    with pytest.raises(UsageError, match="reads register tokens, which features have in a job"):
        eomt(features_of([frame(0)], twin.arch), slice(1))

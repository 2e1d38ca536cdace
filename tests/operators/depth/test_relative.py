"""Relative depth: parity with Depth Anything V2, the published map, and whose head it is."""

from __future__ import annotations

import json
import logging
import runpy
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from operators.backbones.architectures import ARCHITECTURES
from operators.backbones.backbone import Backbone
from operators.backbones.loaded import LoadedBackbone
from operators.backbones.vit import VisionTransformer
from operators.depth.dpt_layouts import depth_anything_dpt, file_shapes
from operators.depth.operator import build_depth
from operators.depth.relative import STEP, RelativeDepth
from operators.errors import DinostreamError, WeightsError
from operators.frames import Features, FrameBatch, FrameInfo
from operators.weights import backbone_choice, head_request
from operators.weights.depth_anything_files import DEPTH_ANYTHING
from operators.weights.head_request import HeadRequest
from operators.weights.heads import Head
from operators.weights.load import load_backbone
from operators.weights.official_file import OfficialFile

DATA = Path(__file__).parents[1] / "data"
HASH = "a" * 64
SMALL = ARCHITECTURES["dinov2_vits14"]


@pytest.fixture(scope="module")
def recipe() -> SimpleNamespace:
    return SimpleNamespace(**runpy.run_path(str(DATA / "make_head_goldens.py")))


@pytest.fixture(scope="module")
def decoder(recipe: SimpleNamespace) -> dict[str, torch.Tensor]:
    arrays = recipe.seeded_head(file_shapes(depth_anything_dpt(SMALL)))
    return {name: torch.from_numpy(one) for name, one in arrays.items()}


@pytest.fixture(scope="module")
def whole(
    recipe: SimpleNamespace,
    vit_recipe: SimpleNamespace,
    decoder: dict[str, torch.Tensor],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A file as Depth Anything V2's authors publish it, with the goldens' seeded numbers."""
    with torch.device("meta"):
        shapes = recipe.shapes_of(VisionTransformer(SMALL))
    encoder = {
        f"pretrained.{name}": torch.from_numpy(one)
        for name, one in vit_recipe.seeded_tensors(shapes).items()
    }
    path = tmp_path_factory.mktemp("whole") / "depth_anything_v2_vits.pth"
    torch.save(encoder | decoder, path)
    return path


@pytest.fixture(scope="module")
def loaded(whole: Path) -> LoadedBackbone:
    return load_backbone(SMALL, str(whole))


@pytest.fixture
def operator(whole: Path, loaded: LoadedBackbone) -> Callable[..., RelativeDepth]:
    """`operator(map_scale=14)`: from the file, for the backbone from the same file."""

    def made(**settings: int) -> RelativeDepth:
        depth = build_depth(settings, HeadRequest("depth", SMALL, loaded.sha256, str(whole)))
        assert isinstance(depth, RelativeDepth)
        depth.load(torch.device("cpu"), torch.float32)
        return depth

    return made


@pytest.mark.slow
@pytest.mark.parametrize("size", ["70x98", "56x84"])
def test_the_file_computes_what_upstreams_model_does(
    operator: Callable[..., RelativeDepth],
    loaded: LoadedBackbone,
    recipe: SimpleNamespace,
    vit_recipe: SimpleNamespace,
    frame: Callable[..., FrameInfo],
    size: str,
) -> None:
    depth, (height, width) = operator(map_scale=14), map(int, size.split("x"))
    grid = (height // 14, width // 14)
    with torch.inference_mode():
        pixels = torch.from_numpy(vit_recipe.seeded_pixels((height, width)))
        _, kept = loaded.model(pixels, depth.layers)
        layers = {block: (t[:, 1:].unflatten(1, grid), t[:, 0]) for block, t in kept.items()}
        patches, cls = layers[11]
        features = Features((frame(0),), cls, patches, layers, loaded.model.norm)
        got = depth.disparity(features, slice(1))[0].numpy()

    assert got.shape == (height, width)
    with np.load(DATA / "head_goldens.npz") as goldens:
        want = goldens[f"depth-anything/{size}/picture"]
    every = recipe.EVERY
    np.testing.assert_allclose(got[::every, ::every], want, rtol=0, atol=1e-4)


@pytest.mark.parametrize("model", [f"dinov2_vit{size}14" for size in "sbl"])
def test_every_size_has_the_tensors_of_upstreams(recipe: SimpleNamespace, model: str) -> None:
    arch = ARCHITECTURES[model]
    with torch.device("meta"):
        encoder = recipe.shapes_of(VisionTransformer(arch))
    ours = {f"pretrained.{name}": shape for name, shape in encoder.items()}
    digest = recipe.layout_digest(ours | file_shapes(depth_anything_dpt(arch)))
    with np.load(DATA / "head_goldens.npz") as goldens:
        assert digest == str(goldens[f"layout/depth-anything/{model}"])


@pytest.mark.slow
def test_consumers_get_disparity_and_the_same_summary(
    operator: Callable[..., RelativeDepth], loaded: LoadedBackbone, frame: Callable[..., FrameInfo]
) -> None:
    depth = operator()
    backbone = Backbone(loaded, blocks=depth.layers, batch_size=2)
    pixels = np.random.Generator(np.random.PCG64(3)).integers(0, 256, (2, 28, 42, 3), np.uint8)
    features = backbone(FrameBatch((frame(0), frame(1)), pixels))

    results = depth(features)
    alone = depth(backbone(FrameBatch((frame(1),), pixels[1:])))

    assert alone == results[2:]
    assert depth.version == 3, "summaries that are rounded otherwise have other ids"
    assert [result.operator for result in results] == 2 * ["depth", "depth.summary"]
    for row, (picture, summary) in enumerate(zip(results[::2], results[1::2], strict=True)):
        image = Image.open(BytesIO(picture.data))
        assert (image.mode, image.size) == ("I;16", (12, 8))
        assert dict(picture.attributes) == {
            "depthkind": "relativedisparity",
            "depthcalibrated": "false",
            "depthscale": "0.0009765625",
        }
        steps = np.asarray(image)
        assert steps.min() >= 1  # 0 says unknown
        got = depth.disparity(features, slice(row, row + 1))[0].numpy()
        np.testing.assert_allclose(steps * STEP, got.clip(STEP, None), rtol=0, atol=STEP * 0.501)
        said = json.loads(summary.data)
        assert said["unit"] is None
        assert said["percentiles"]["50"] == pytest.approx(np.median(steps) * STEP, abs=1e-3)
        assert dict(summary.attributes) == {
            "depthkind": "relativedisparity",
            "depthcalibrated": "false",
        }
    backbone.close()


@pytest.mark.slow
def test_one_name_fetches_the_backbone_and_its_head(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = OfficialFile(whole.as_uri(), "depth", SMALL.name, DEPTH_ANYTHING)
    for module in (backbone_choice, head_request):
        monkeypatch.setattr(module, "official_head", lambda *_: file)
    loaded = load_backbone(SMALL, DEPTH_ANYTHING, cache_dir=tmp_path)
    request = HeadRequest("depth", SMALL, loaded.sha256, "depth_anything_v2", cache_dir=tmp_path)
    depth = build_depth({}, request)
    assert isinstance(depth, RelativeDepth)
    assert depth.head_sha256 == loaded.sha256


def test_beyond_the_largest_step_it_says_the_largest(
    decoder: dict[str, torch.Tensor],
    features_of: Callable[..., Features],
    frame: Callable[..., FrameInfo],
) -> None:
    near = decoder | {"depth_head.scratch.output_conv2.2.bias": torch.tensor([1e6])}
    depth = RelativeDepth(Head("depth", "near", near, HASH), SMALL, map_scale=1)
    picture, _ = depth(features_of([frame(0)], SMALL, grid=(2, 2)))
    assert np.asarray(Image.open(BytesIO(picture.data))).tolist() == [[65535] * 2] * 2


def test_nan_is_an_error_of_its_frame(
    decoder: dict[str, torch.Tensor],
    features_of: Callable[..., Features],
    frame: Callable[..., FrameInfo],
) -> None:
    features = features_of([frame(0), frame(1)], SMALL, grid=(2, 2))
    features.layers[5][0][1, 1, 1, 4] = torch.nan
    with pytest.raises(DinostreamError, match="depth: frame 18000 of cam"):
        RelativeDepth(Head("depth", "x", decoder, HASH), SMALL, map_scale=1)(features)


@pytest.mark.slow
def test_its_encoder_takes_no_other_head_and_its_head_no_other_encoder(
    whole: Path, loaded: LoadedBackbone, tmp_path: Path
) -> None:
    with pytest.raises(WeightsError, match=f"trained on the backbone with sha256 {loaded.sha256}"):
        build_depth({}, HeadRequest("depth", SMALL, HASH, str(whole)))
    renamed = tmp_path / "mine.pth"
    renamed.write_bytes(whole.read_bytes())
    with pytest.raises(WeightsError, match=f"trained on the backbone with sha256 {loaded.sha256}"):
        build_depth({}, HeadRequest("depth", SMALL, HASH, str(renamed)))
    for name in ("nyu-linear4", "kitti-dpt"):  # before anything is fetched
        with pytest.raises(WeightsError, match="trained on the backbone with sha256 b938bf1b"):
            build_depth({}, HeadRequest("depth", SMALL, loaded.sha256, name, cache_dir=tmp_path))
    with pytest.raises(WeightsError, match="trained on the backbone with sha256 715fade1"):
        build_depth({}, HeadRequest("depth", SMALL, HASH, "depth-anything-v2", cache_dir=tmp_path))


@pytest.mark.parametrize(("model", "why"), [("dinov2_vitti14", "there are S, B and L")])
def test_sizes_that_were_never_published(
    decoder: dict[str, torch.Tensor], model: str, why: str
) -> None:
    with pytest.raises(WeightsError, match=why):
        RelativeDepth(Head("depth", "x", decoder, HASH), ARCHITECTURES[model], map_scale=4)


@pytest.mark.slow
def test_a_name_that_says_nothing_is_not_taken_for_relative(
    whole: Path, loaded: LoadedBackbone, tmp_path: Path
) -> None:
    renamed = tmp_path / "model.pth"
    renamed.write_bytes(whole.read_bytes())
    request = HeadRequest("depth", SMALL, loaded.sha256, str(renamed))
    with pytest.raises(WeightsError, match=r"set domain of depth to relative, hypersim or vkitti"):
        build_depth({}, request)
    with pytest.raises(WeightsError, match=r"set domain of depth to relative, hypersim or vkitti"):
        build_depth({"domain": "da3metric"}, request)
    assert isinstance(build_depth({"domain": "relative"}, request), RelativeDepth)


def test_a_domain_means_nothing_to_it(whole: Path, loaded: LoadedBackbone) -> None:
    request = HeadRequest("depth", SMALL, loaded.sha256, str(whole))
    with pytest.raises(WeightsError, match="it is relative; leave out the setting domain=nyu"):
        build_depth({"domain": "nyu"}, request)


@pytest.mark.slow
def test_a_licence_that_forbids_commerce_is_said_aloud(
    whole: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        load_backbone(SMALL, str(whole))  # S is free
    assert "commercial" not in caplog.text
    base = tmp_path / "depth_anything_v2_vitb.pth"
    base.write_bytes(whole.read_bytes())  # of the wrong size inside: it is said before that
    with caplog.at_level(logging.WARNING), pytest.raises(WeightsError, match="another size"):
        load_backbone(ARCHITECTURES["dinov2_vitb14"], str(base))
    assert "CC-BY-NC-4.0" in caplog.text
    assert "not for commercial use" in caplog.text

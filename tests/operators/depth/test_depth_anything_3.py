"""Depth Anything 3 of one view: parity with its twin, the sky, a focal length, and other files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from operators.backbones.architectures import ARCHITECTURES
from operators.backbones.loaded import LoadedBackbone
from operators.backbones.vit import VisionTransformer
from operators.depth.calibrated import CalibratedDepth
from operators.depth.calibration import RELATIVE, Calibration
from operators.depth.depth_anything_3 import DISPARITY
from operators.depth.dpt_layouts import depth_anything_3_dpt, file_shapes
from operators.depth.operator import build_depth
from operators.depth.relative import STEP, RelativeDepth
from operators.errors import DinostreamError, WeightsError
from operators.frames import Features, FrameInfo
from operators.weights import backbone_choice, head_request
from operators.weights.head_request import HeadRequest
from operators.weights.inspection import inspect_weights
from operators.weights.load import load_backbone
from operators.weights.official_file import OfficialFile
from tests.operators.depth.depth_anything_3_twin import Twin, without_hidden

SMALL = ARCHITECTURES["dinov2_vits14"]  # published are L, whose tensors are a test of their own
BLOCKS = (2, 5, 8, 11)


@pytest.fixture(scope="module")
def twin(vit_recipe: Any) -> Twin:
    model = Twin(SMALL.width)
    shapes = {name: tuple(one.shape) for name, one in model.state_dict().items()}
    seeded = vit_recipe.seeded_tensors(shapes)
    model.load_state_dict({name: torch.from_numpy(one) for name, one in seeded.items()})
    return model.double().eval().requires_grad_(False)


@pytest.fixture(scope="module")
def tensors(twin: Twin, vit_recipe: Any) -> dict[str, torch.Tensor]:
    with torch.device("meta"):
        shapes = {k: tuple(v.shape) for k, v in VisionTransformer(SMALL).state_dict().items()}
    seeded = vit_recipe.seeded_tensors(shapes)
    encoder = {name: torch.from_numpy(one) for name, one in seeded.items()}
    return without_hidden(encoder) | twin.published()


@pytest.fixture(scope="module")
def whole(tensors: dict[str, torch.Tensor], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("da3") / "model.safetensors"
    save_file(tensors, path)
    return path


@pytest.fixture(scope="module")
def loaded(whole: Path) -> LoadedBackbone:
    return load_backbone(SMALL, str(whole))


@pytest.fixture
def operator(whole: Path, loaded: LoadedBackbone) -> Callable[..., RelativeDepth]:
    """`operator(map_scale=14)`: of that file, as DA3METRIC's."""

    def made(**settings: Any) -> RelativeDepth:
        request = HeadRequest("depth", SMALL, loaded.sha256, str(whole))
        depth = build_depth({"domain": "da3metric"} | settings, request)
        assert isinstance(depth, RelativeDepth)
        depth.load(torch.device("cpu"), torch.float32)
        return depth

    return made


def looked(
    model: VisionTransformer, info: FrameInfo, pixels: np.ndarray[Any, Any]
) -> tuple[Features, list[torch.Tensor]]:
    """What the backbone sees, and the blocks' patches."""
    grid = (pixels.shape[2] // 14, pixels.shape[3] // 14)
    _, kept = model(torch.from_numpy(pixels), BLOCKS)
    layers = {block: (t[:, 1:].unflatten(1, grid), t[:, 0]) for block, t in kept.items()}
    patches, cls = layers[11]
    features = Features((info,), cls, patches, layers, model.norm)
    return features, [layers[block][0] for block in BLOCKS]


@pytest.mark.slow
@pytest.mark.parametrize("size", [(70, 98), (112, 42)])
def test_metres_by_a_focal_length_are_the_twins(
    twin: Twin,
    loaded: LoadedBackbone,
    operator: Callable[..., RelativeDepth],
    vit_recipe: Any,
    frame: Callable[..., FrameInfo],
    size: tuple[int, int],
) -> None:
    focal_px = 131.0  # of the picture that the model sees
    depth = operator(map_scale=14)
    with torch.inference_mode():
        pixels = vit_recipe.seeded_pixels(size)
        features, blocks = looked(loaded.model, frame(0), pixels)
        output, sky = (one[0].numpy() for one in twin([block.double() for block in blocks]))
        got = depth.disparity(features, slice(1))[0].numpy()

    hidden = sky >= 0.3
    assert 0.1 < hidden.mean() < 0.9, "sky and no sky"
    certain = abs(sky - 0.3) > 1e-4
    assert ((got < 0) == hidden)[certain].all()
    line = Calibration(RELATIVE, size[1] / (DISPARITY * focal_px), 0.0)
    seen = certain & ~hidden
    metres, want = line.metres(got)[seen], (focal_px * output / 300)[seen]
    assert np.ptp(want) > 0.2
    np.testing.assert_allclose(metres, want, rtol=0, atol=1e-4)
    assert not line.metres(got)[hidden & certain].any(), "the sky has no metres"


@pytest.mark.slow
def test_its_norm_is_its_own_and_not_the_backbones(
    twin: Twin,
    operator: Callable[..., RelativeDepth],
    features_of: Callable[..., Features],
    frame: Callable[..., FrameInfo],
) -> None:
    """Tokens so small that what is added to their variance counts: 1e-5, in the backbone 1e-6."""
    features = features_of([frame(0)], SMALL, grid=(3, 4), batch_size=1)
    small = {block: (0.01 * one, cls) for block, (one, cls) in features.layers.items()}
    with torch.inference_mode():
        output, sky = twin([small[block][0].double() for block in BLOCKS])
        got = operator(map_scale=14).disparity(replace(features, layers=small), slice(1))
    known = (sky < 0.3) & (got > 0)
    assert known.any()
    want = DISPARITY * 300 / (4 * 14 * output[known])
    np.testing.assert_allclose(got[known], want, rtol=1e-4, atol=0)


@pytest.mark.slow
def test_the_sky_is_unknown_in_the_records_calibrated_or_not(
    loaded: LoadedBackbone,
    operator: Callable[..., RelativeDepth],
    vit_recipe: Any,
    frame: Callable[..., FrameInfo],
) -> None:
    depth, info = operator(), frame(0)
    with torch.inference_mode():
        features, _ = looked(loaded.model, info, vit_recipe.seeded_pixels((70, 98)))
        disparity = depth.disparity(features, slice(1))[0].numpy()
        picture, summary = depth(features)
        metric, _ = CalibratedDepth(depth, {"cam": Calibration(RELATIVE, 0.1, 0.5)})(features)

    steps = np.asarray(Image.open(BytesIO(picture.data)))
    assert ((steps == 0) == (disparity < 0)).all()
    assert 0 < (steps == 0).mean() < 1
    known = steps > 0
    said = disparity[known].clip(STEP, 65_535 * STEP)
    np.testing.assert_allclose(steps[known] * STEP, said, rtol=0, atol=STEP * 0.501)
    assert dict(summary.attributes) == {
        **{"depthkind": "relativedisparity", "depthhead": "da3metric", "depthcalibrated": "false"}
    }
    assert metric.attributes["depthdomain"] == "calibrated"
    assert "depthhead" not in metric.attributes
    assert ((np.asarray(Image.open(BytesIO(metric.data))) == 0) == ~known).all()


@pytest.mark.slow
def test_nan_is_an_error_of_its_frame_and_no_sky(
    operator: Callable[..., RelativeDepth],
    features_of: Callable[..., Features],
    frame: Callable[..., FrameInfo],
) -> None:
    features = features_of([frame(0), frame(1)], SMALL, grid=(2, 2))
    features.layers[5][0][1, 1, 1, 4] = torch.nan
    with pytest.raises(DinostreamError, match="depth: frame 18000 of cam"):
        operator()(features)


@pytest.mark.slow
def test_a_token_that_is_none_is_named(tensors: dict[str, torch.Tensor], tmp_path: Path) -> None:
    path = tmp_path / "lame.safetensors"
    save_file(tensors | {"model.backbone.pretrained.cls_token": torch.zeros(())}, path)
    with pytest.raises(WeightsError, match=r"lame\.safetensors: .*cls_token"):
        load_backbone(SMALL, str(path))


def test_the_large_one_has_the_published_names() -> None:
    large = ARCHITECTURES["dinov2_vitl14"]
    with torch.device("meta"):
        twin = Twin(large.width)
    published = {
        f"model.{'backbone.pretrained.' if name.startswith('norm.') else ''}{name}": one.shape
        for name, one in twin.state_dict().items()
    }
    assert file_shapes(depth_anything_3_dpt(large)) == published
    with pytest.raises(ValueError, match="there is no Depth Anything 3 for dinov2_vitg14"):
        depth_anything_3_dpt(ARCHITECTURES["dinov2_vitg14"])


@pytest.mark.slow
def test_which_of_the_two_it_is_must_be_said(whole: Path, loaded: LoadedBackbone) -> None:
    request = HeadRequest("depth", SMALL, loaded.sha256, str(whole))
    for settings in ({}, {"domain": "hypersim"}):
        with pytest.raises(
            WeightsError, match=r"it is a Depth Anything 3, .* to da3mono or da3metric"
        ):
            build_depth(settings, request)
    mono = build_depth({"domain": "da3mono"}, request)
    assert isinstance(mono, RelativeDepth)
    assert mono.settings()["depthhead"] == "da3mono"
    with pytest.raises(WeightsError, match=f"trained on the backbone with sha256 {loaded.sha256}"):
        build_depth({}, replace(request, backbone_sha256="a" * 64))


@pytest.mark.slow
def test_an_official_name_says_it(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "da3metric-large"
    file = OfficialFile(
        whole.as_uri(), "depth", SMALL.name, name, kept_as="da3metric-large.safetensors"
    )
    for module in (backbone_choice, head_request):
        monkeypatch.setattr(module, "official_head", lambda *_: file)
    loaded = load_backbone(SMALL, name, cache_dir=tmp_path)
    assert (tmp_path / "da3metric-large.safetensors").is_file()
    depth = build_depth({}, HeadRequest("depth", SMALL, loaded.sha256, name, cache_dir=tmp_path))
    assert isinstance(depth, RelativeDepth)
    assert depth.domain == "da3metric"
    other = HeadRequest("depth", SMALL, "a" * 64, name, cache_dir=tmp_path)
    with pytest.raises(WeightsError, match=f"trained on the backbone with sha256 {loaded.sha256}"):
        build_depth({}, other)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["model.backbone.pretrained.camera_token", "model.cam_dec.fc_t.weight"]
)
def test_one_that_looks_across_pictures_is_refused(
    tensors: dict[str, torch.Tensor], tmp_path: Path, name: str
) -> None:
    path = tmp_path / "many.safetensors"
    save_file(tensors | {name: torch.zeros(1)}, path)
    with pytest.raises(WeightsError, match=r"many\.safetensors: a Depth Anything 3 of many views"):
        load_backbone(SMALL, str(path))
    assert inspect_weights(path)["layout"] == "Depth Anything 3 of many views"

"""Depth Anything V2 in metres: parity with transformers, and whose file says how far it reaches."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from operators.backbones.architectures import ARCHITECTURES
from operators.backbones.loaded import LoadedBackbone
from operators.depth.dpt_layouts import depth_anything_dpt, file_shapes
from operators.depth.operator import Depth, build_depth
from operators.depth.relative import RelativeDepth
from operators.errors import WeightsError
from operators.frames import Features, FrameInfo
from operators.weights.depth_anything_hf import to_authors
from operators.weights.head_request import HeadRequest
from operators.weights.inspection import inspect_weights
from operators.weights.load import load_backbone

os.environ.setdefault("HF_HUB_OFFLINE", "1")

SIDE = 5  # patches that positions are stored for; other sizes transformers resizes in its own way
SMALL = replace(ARCHITECTURES["dinov2_vits14"], grid=SIDE)
REACH_M = {"hypersim": 20.0, "vkitti": 80.0}


@pytest.fixture(scope="module")
def twin(vit_recipe: Any) -> Any:
    """Theirs, seeded; what its last step makes of a number is set by the tests."""
    import transformers

    backbone = transformers.Dinov2Config(
        hidden_size=SMALL.width,
        num_hidden_layers=SMALL.depth,
        num_attention_heads=SMALL.heads,
        image_size=SIDE * SMALL.patch,
        patch_size=SMALL.patch,
        out_indices=[3, 6, 9, 12],
        reshape_hidden_states=False,
        apply_layernorm=True,
    )
    model = transformers.DepthAnythingForDepthEstimation(
        transformers.DepthAnythingConfig(
            backbone_config=backbone,
            reassemble_hidden_size=SMALL.width,
            neck_hidden_sizes=[48, 96, 192, 384],
            fusion_hidden_size=64,
            head_in_index=-1,
            head_hidden_size=32,
            depth_estimation_type="metric",
            max_depth=1,
        )
    )
    shapes = {name: tuple(one.shape) for name, one in model.state_dict().items()}
    seeded = vit_recipe.seeded_tensors(shapes)
    model.load_state_dict({name: torch.from_numpy(one) for name, one in seeded.items()})
    return model.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def published(twin: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that transformers wrote."""
    folder = tmp_path_factory.mktemp("metric")
    twin.save_pretrained(folder)
    return folder / "model.safetensors"


@pytest.fixture(scope="module")
def loaded(published: Path) -> LoadedBackbone:
    return load_backbone(SMALL, str(published))


@pytest.fixture
def operator(published: Path, loaded: LoadedBackbone) -> Callable[[str], Depth]:
    """`operator("vkitti")`: of the same file, its maps as fine as the picture."""

    def made(domain: str) -> Depth:
        request = HeadRequest("depth", SMALL, loaded.sha256, str(published))
        depth = build_depth({"domain": domain, "map_scale": SMALL.patch}, request)
        assert isinstance(depth, Depth)
        depth.load(torch.device("cpu"), torch.float32)
        return depth

    return made


def seen(info: FrameInfo, tokens: dict[int, torch.Tensor], grid: Any, norm: Any) -> Features:
    layers = {block: (t[:, 1:].unflatten(1, grid), t[:, 0]) for block, t in tokens.items()}
    patches, cls = layers[11]
    return Features((info,), cls, patches, layers, norm)


@pytest.mark.slow
@pytest.mark.parametrize("domain", REACH_M)
def test_backbone_and_head_compute_what_transformers_does(
    twin: Any,
    loaded: LoadedBackbone,
    operator: Callable[[str], Depth],
    vit_recipe: Any,
    frame: Callable[..., FrameInfo],
    domain: str,
) -> None:
    depth = operator(domain)
    pixels = torch.from_numpy(vit_recipe.seeded_pixels((SIDE * 14, SIDE * 14)))
    with torch.inference_mode():
        twin.head.max_depth = REACH_M[domain]
        want = twin(pixels).predicted_depth[0]
        _, kept = loaded.model(pixels, depth.layers)
        got = depth.metres(seen(frame(0), kept, (SIDE, SIDE), loaded.model.norm), slice(1))[0]

    assert 0.05 < float(want.max() - want.min()) / REACH_M[domain] < 1
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("grid", [(3, 7), (8, 5)])
def test_the_head_does_so_on_wide_and_upright_frames(
    twin: Any,
    loaded: LoadedBackbone,
    operator: Callable[[str], Depth],
    vit_recipe: Any,
    frame: Callable[..., FrameInfo],
    grid: tuple[int, int],
) -> None:
    depth = operator("vkitti")
    pixels = torch.from_numpy(vit_recipe.seeded_pixels((grid[0] * 14, grid[1] * 14)))
    with torch.inference_mode():
        twin.head.max_depth = REACH_M["vkitti"]
        theirs = twin(pixels, output_hidden_states=True)
        tokens = {block: theirs.hidden_states[block + 1] for block in depth.layers}
        got = depth.metres(seen(frame(0), tokens, grid, loaded.model.norm), slice(1))[0]

    np.testing.assert_allclose(got, theirs.predicted_depth[0], rtol=0, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(("domain", "depthscale"), [("hypersim", 0.001), ("vkitti", 0.00390625)])
def test_its_records_are_metres_of_other_cameras(
    operator: Callable[[str], Depth],
    features_of: Callable[..., Features],
    frame: Callable[..., FrameInfo],
    domain: str,
    depthscale: float,
) -> None:
    depth = operator(domain)
    features = replace(features_of([frame(0)], SMALL, grid=(2, 3)), norm=torch.nn.Identity())
    picture, summary = depth(features)
    kind = {
        **{"depthkind": "metric", "depthdomain": "own", "depthhead": domain},
        "depthcalibrated": "false",
    }
    assert dict(summary.attributes) == kind
    assert dict(picture.attributes) == kind | {"depthscale": str(depthscale)}
    assert json.loads(summary.data)["unit"] == "m"
    assert depth.settings()["range_m"] == [0.0, REACH_M[domain]]


@pytest.mark.slow
def test_only_a_name_or_a_setting_says_how_far_it_reaches(
    published: Path, loaded: LoadedBackbone, tmp_path: Path
) -> None:
    def request(path: Path) -> HeadRequest:
        return HeadRequest("depth", SMALL, loaded.sha256, str(path))

    with pytest.raises(
        WeightsError,
        match=r"model\.safetensors.*set domain of depth to relative, hypersim or vkitti, or give",
    ):
        build_depth({}, request(published))
    assert isinstance(build_depth({"domain": "relative"}, request(published)), RelativeDepth)

    named = tmp_path / "depth_anything_v2_metric_vkitti_vits.pth"
    named.write_bytes(published.read_bytes())
    depth = build_depth({}, request(named))
    assert isinstance(depth, Depth)
    assert (depth.domain, depth.range_m, depth.head_sha256) == ("vkitti", (0, 80), loaded.sha256)
    with pytest.raises(WeightsError, match="it is vkitti; leave out the setting domain=hypersim"):
        build_depth({"domain": "hypersim"}, request(named))


@pytest.mark.slow
def test_hugging_faces_names_are_the_authors_other_names(published: Path, tmp_path: Path) -> None:
    assert "Depth Anything V2" in inspect_weights(published)["layout"]
    tensors = to_authors(load_file(published))
    head = {name: one for name, one in tensors.items() if name.startswith("depth_head.")}
    assert {name: tuple(one.shape) for name, one in head.items()} == file_shapes(
        depth_anything_dpt(SMALL)
    )
    lame = load_file(published)
    lame["neck.fusion_stage.layers.0.surprise"] = lame.pop("neck.convs.2.weight")
    save_file(lame, tmp_path / "lame.safetensors")
    backbone = load_backbone(SMALL, str(tmp_path / "lame.safetensors"))
    request = HeadRequest("depth", SMALL, backbone.sha256, str(tmp_path / "lame.safetensors"))
    with pytest.raises(
        WeightsError, match=r"missing keys: depth_head.scratch.layer3_rn.weight; un"
    ):
        build_depth({"domain": "vkitti"}, request)

"""Depth: parity with upstream's own heads, the published map, and what it refuses."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from operators.backbones.architectures import ARCHITECTURES, Architecture
from operators.backbones.vit import VisionTransformer
from operators.depth.linear import depth_layout
from operators.depth.operator import RANGES_M, Depth, build_depth
from operators.depth.summary import depth_summary
from operators.errors import DinostreamError, UsageError, WeightsError
from operators.frames import Features, FrameInfo
from operators.weights.head_request import HeadRequest, MissingHead
from operators.weights.heads import Head

DATA = Path(__file__).parents[1] / "data"
HASH = "a" * 64


@pytest.fixture(scope="module")
def goldens() -> Mapping[str, Any]:
    with np.load(DATA / "depth_goldens.npz") as file:
        return dict(file)


@pytest.fixture(scope="module")
def recipe() -> SimpleNamespace:
    return SimpleNamespace(**runpy.run_path(str(DATA / "make_depth_goldens.py")))


@pytest.fixture
def operator(recipe: SimpleNamespace) -> Callable[..., Depth]:
    """`operator(arch, 4)`: with the goldens' seeded head over so many blocks."""

    def made(arch: Architecture, blocks: int, domain: str = "nyu", **options: Any) -> Depth:
        arrays = recipe.seeded_head(arch.width, blocks)
        tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
        head = Head("depth", "seeded", tensors, HASH)
        depth = Depth(head, arch, range_m=RANGES_M[domain], domain=domain, **options)
        depth.load(torch.device("cpu"), torch.float32)
        return depth

    return made


@pytest.mark.parametrize("blocks", [1, 4])
@pytest.mark.parametrize("domain", RANGES_M)
def test_the_head_computes_what_upstreams_does(
    goldens: Mapping[str, Any],
    recipe: SimpleNamespace,
    operator: Callable[..., Depth],
    tiny: Architecture,
    frame: Callable[..., FrameInfo],
    domain: str,
    blocks: int,
) -> None:
    depth = operator(tiny, blocks, domain)
    read = [tuple(map(torch.from_numpy, one)) for one in recipe.seeded_features(blocks)]
    layers = dict(zip(depth.layers, read, strict=True))
    patches, cls = read[0]
    features = Features((frame(0), frame(1)), cls, patches, layers)

    got = depth.metres(features, slice(2)).numpy()

    want = goldens[f"head/{domain}/{blocks}"]
    assert got.dtype == want.dtype == np.float32
    assert np.ptp(want) > 0.5 * RANGES_M[domain][1]
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("blocks", [1, 4])
def test_backbone_blocks_and_head_together_compute_what_upstreams_do(
    goldens: Mapping[str, Any],
    recipe: SimpleNamespace,
    vit_recipe: SimpleNamespace,
    fill: Callable[[torch.nn.Module], VisionTransformer],
    operator: Callable[..., Depth],
    frame: Callable[..., FrameInfo],
    blocks: int,
) -> None:
    arch = ARCHITECTURES[recipe.WHOLE_MODEL]
    depth = operator(arch, blocks, "kitti")
    height, width = recipe.WHOLE_SIZE_HW
    grid = (height // 14, width // 14)
    with torch.inference_mode():
        pixels = torch.from_numpy(vit_recipe.seeded_pixels((height, width)))
        _, kept = fill(VisionTransformer(arch))(pixels, depth.layers)
        layers = {block: (t[:, 1:].unflatten(1, grid), t[:, 0]) for block, t in kept.items()}
        patches, cls = layers[depth.layers[-1]]
        got = depth.metres(Features((frame(0),), cls, patches, layers), slice(1))[0].numpy()

    # Twelve blocks of rounding lie in front of the head here, and 80 m behind it.
    np.testing.assert_allclose(got, goldens[f"whole/{blocks}"][0], rtol=0, atol=5e-4)


@pytest.mark.parametrize("blocks", [1, 4])
@pytest.mark.parametrize("model", [f"dinov2_vit{size}14" for size in "sblg"])
def test_it_reads_the_blocks_that_upstream_reads(
    goldens: Mapping[str, Any], operator: Callable[..., Depth], model: str, blocks: int
) -> None:
    depth = operator(ARCHITECTURES[model], blocks)
    assert list(depth.layers) == goldens[f"blocks/{model}/{blocks}"].tolist()


@pytest.mark.parametrize("map_scale", [1, 2, 4])
@pytest.mark.parametrize("domain", RANGES_M)
def test_consumers_get_metres_and_the_same_summary(
    operator: Callable[..., Depth],
    features_of: Callable[..., Features],
    frame: Callable[..., FrameInfo],
    tiny: Architecture,
    domain: str,
    map_scale: int,
) -> None:
    depth = operator(tiny, 4, domain, map_scale=map_scale)
    features = features_of([frame(0), frame(1, stream="door")], tiny, grid=(4, 6))

    results = depth(features)

    kinds = [(result.info.stream, result.operator) for result in results]
    assert kinds == [(s, t) for s in ("cam", "door") for t in ("depth", "depth.summary")]
    assert set(depth.topics) == {topic for _, topic in kinds}
    assert depth.version == 4, "summaries that are rounded otherwise have other ids"
    for row, (picture, summary) in enumerate(zip(results[::2], results[1::2], strict=True)):
        image = Image.open(BytesIO(picture.data))
        assert (image.mode, image.size) == ("I;16", (6 * map_scale, 4 * map_scale))
        scale = float(picture.attributes["depthscale"])
        assert scale == {"nyu": 0.001, "kitti": 0.00390625}[domain]
        got = np.asarray(image) * scale
        (want,) = depth.metres(features, slice(row, row + 1))
        np.testing.assert_allclose(got, want, rtol=0, atol=scale * 0.501)
        assert picture.attributes["depthkind"] == "metric"
        assert picture.attributes["depthdomain"] == domain
        assert json.loads(summary.data) == depth_summary(np.asarray(image), scale)


def test_the_nearest_depth_is_not_taken_for_unknown(
    tiny: Architecture, features_of: Callable[..., Features], frame: Callable[..., FrameInfo]
) -> None:
    layout = depth_layout(tiny, 1)
    tensors = {name: torch.zeros(shape) for name, shape in layout.items()}
    tensors["decode_head.conv_depth.bias"][0] = 1e9  # all weight on the first bin, 0.001 m
    depth = Depth(Head("depth", "near", tensors, HASH), tiny, range_m=(0.001, 80.0), domain="kitti")

    picture, _ = depth(features_of([frame(0)], tiny))

    assert np.asarray(Image.open(BytesIO(picture.data))).max() == 1


def test_a_frames_records_do_not_depend_on_batch_mates_or_padding(
    operator: Callable[..., Depth],
    features_of: Callable[..., Features],
    frame: Callable[..., FrameInfo],
    tiny: Architecture,
) -> None:
    depth = operator(tiny, 4)
    frames = [frame(number) for number in range(8)]
    together = depth(features_of(frames, tiny))
    turned = depth(features_of(frames[::-1], tiny))
    for number, info in enumerate(frames):
        alone = depth(features_of([info], tiny, batch_size=3))
        assert alone == together[2 * number : 2 * number + 2]
        assert alone == turned[14 - 2 * number : 16 - 2 * number]


def test_nan_is_an_error_of_its_frame(
    operator: Callable[..., Depth],
    features_of: Callable[..., Features],
    frame: Callable[..., FrameInfo],
    tiny: Architecture,
) -> None:
    features = features_of([frame(0), frame(1)], tiny)
    features.layers[11][0][1, 2, 3, 4] = torch.nan
    with pytest.raises(DinostreamError, match="depth: frame 18000 of cam"):
        operator(tiny, 1)(features)


def request(arch: Architecture, **options: Any) -> HeadRequest:
    return HeadRequest("depth", arch, HASH, **options)


def saved(path: Path, arch: Architecture, blocks: int) -> Path:
    shapes = depth_layout(arch, blocks)
    torch.save({"state_dict": {name: torch.zeros(shape) for name, shape in shapes.items()}}, path)
    return path


def test_random_is_seeded_and_says_so(tiny: Architecture) -> None:
    one, same = (build_depth({}, request(tiny, random_seed=1)) for _ in range(2))
    other = build_depth({}, request(tiny, random_seed=2))
    assert one.untrained
    assert one.head_sha256 == same.head_sha256 != other.head_sha256
    assert one.settings() == {"map_scale": 4, "range_m": [0.001, 10.0], "domain": "own"}


def test_no_head_says_which_there_are(tiny: Architecture) -> None:
    with pytest.raises(MissingHead, match=r"depth does not run: .*--head depth=PATH"):
        build_depth({}, request(tiny))
    with pytest.raises(MissingHead, match=r"nyu-linear4.*kitti-linear4"):
        build_depth({}, request(ARCHITECTURES["dinov2_vits14"]))


@pytest.mark.parametrize("model", ["dinov2_vits14_reg", "deit_small_distilled_patch16_224"])
def test_a_backbone_with_registers_takes_heads_that_were_fitted_on_it(
    tmp_path: Path, model: str
) -> None:
    arch = ARCHITECTURES[model]
    head = {"format": 1, "operator": "depth", "backbone": HASH, "range_m": [0.1, 5.0]}
    tensors = {name: torch.zeros(shape) for name, shape in depth_layout(arch, 4).items()}
    path = tmp_path / "own.safetensors"
    save_file(tensors, path, {"dinostream": json.dumps(head)})

    fitted = build_depth({}, request(arch, choice=str(path)))

    assert (fitted.domain, fitted.range_m, fitted.untrained) == ("own", (0.1, 5.0), False)
    assert build_depth({}, request(arch, random_seed=0)).untrained
    with pytest.raises(WeightsError, match=f"no official depth head 'nyu-linear' for {model}"):
        build_depth({}, request(arch, choice="nyu-linear"))


@pytest.mark.parametrize("blocks", [1, 4])
@pytest.mark.parametrize(("domain", "top_m"), [("nyu", 10.0), ("kitti", 80.0)])
def test_an_official_file_brings_its_range(
    tmp_path: Path, domain: str, top_m: float, blocks: int
) -> None:
    arch = ARCHITECTURES["dinov2_vits14"]
    number = "4" if blocks == 4 else ""
    path = saved(tmp_path / f"dinov2_vits14_{domain}_linear{number}_head.pth", arch, blocks)
    sha256 = "b938bf1bc15cd2ec0feacfe3a1bb553fe8ea9ca46a7e1d8d00217f29aef60cd9"

    depth = build_depth({}, HeadRequest("depth", arch, sha256, str(path)))

    assert (depth.domain, depth.range_m, len(depth.layers)) == (domain, (0.001, top_m), blocks)
    assert not depth.untrained


def test_a_file_that_does_not_say_its_range_needs_a_setting(
    tmp_path: Path, tiny: Architecture
) -> None:
    path = str(saved(tmp_path / "mine.pth", tiny, 1))
    with pytest.raises(WeightsError, match=r"mine\.pth: depth head: .* set domain of depth to nyu"):
        build_depth({}, request(tiny, choice=path))
    depth = build_depth({"domain": "kitti"}, request(tiny, choice=path))
    assert (depth.domain, depth.range_m) == ("kitti", (0.001, 80.0))


def test_a_setting_may_not_contradict_the_head(tmp_path: Path) -> None:
    arch = ARCHITECTURES["dinov2_vitg14"]
    path = saved(tmp_path / "dinov2_vitg14_nyu_linear_head.pth", arch, 1)
    with pytest.raises(WeightsError, match="it is for nyu; leave out the setting domain=kitti"):
        build_depth({"domain": "kitti"}, request(arch, choice=str(path)))


def test_only_known_domains(tiny: Architecture) -> None:
    known = "nyu, kitti, relative, hypersim, vkitti, da3mono, da3metric"
    with pytest.raises(UsageError, match=f"depth: domain must be one of {known}, got 'mars'"):
        build_depth({"domain": "mars"}, request(tiny, random_seed=0))


def test_a_head_of_another_size_names_the_key(tmp_path: Path, tiny: Architecture) -> None:
    path = saved(tmp_path / "mine.pth", ARCHITECTURES["dinov2_vits14"], 4)
    with pytest.raises(WeightsError, match=r"mine\.pth.*conv_depth\.weight is \[256, 3072, 1, 1\]"):
        build_depth({"domain": "nyu"}, request(tiny, choice=str(path)))

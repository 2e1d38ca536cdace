"""DPT depth heads: parity with upstream's, by layout and by name, and what is refused."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from operators.backbones.architectures import ARCHITECTURES, Architecture
from operators.backbones.vit import VisionTransformer
from operators.depth.dpt_layouts import dinov2_dpt, file_shapes
from operators.depth.operator import RANGES_M, Depth, build_depth
from operators.errors import WeightsError
from operators.frames import Features, FrameInfo
from operators.weights.head_request import HeadRequest
from operators.weights.heads import Head

DATA = Path(__file__).parents[1] / "data"
HASH = "a" * 64
SIZES = ["70x98", "56x84"]


@pytest.fixture(scope="module")
def recipe() -> SimpleNamespace:
    return SimpleNamespace(**runpy.run_path(str(DATA / "make_head_goldens.py")))


@pytest.fixture(scope="module")
def tensors(recipe: SimpleNamespace) -> Callable[[Architecture], dict[str, torch.Tensor]]:
    def made(arch: Architecture) -> dict[str, torch.Tensor]:
        arrays = recipe.seeded_head(file_shapes(dinov2_dpt(arch)))
        return {name: torch.from_numpy(one) for name, one in arrays.items()}

    return made


@pytest.fixture(scope="module")
def small() -> Architecture:
    return ARCHITECTURES["dinov2_vits14"]


@pytest.fixture
def features(
    vit_recipe: SimpleNamespace,
    fill: Callable[[torch.nn.Module], VisionTransformer],
    frame: Callable[..., FrameInfo],
    small: Architecture,
) -> Callable[[str], Features]:
    """`features("70x98")`: what the goldens' backbone sees in the goldens' picture."""

    def made(size: str) -> Features:
        height, width = map(int, size.split("x"))
        grid = (height // 14, width // 14)
        with torch.inference_mode():
            pixels = torch.from_numpy(vit_recipe.seeded_pixels((height, width)))
            _, kept = fill(VisionTransformer(small))(pixels, (2, 5, 8, 11))
        layers = {block: (t[:, 1:].unflatten(1, grid), t[:, 0]) for block, t in kept.items()}
        patches, cls = layers[11]
        return Features((frame(0),), cls, patches, layers)

    return made


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("domain", RANGES_M)
def test_backbone_and_head_compute_what_upstreams_depther_does(
    features: Callable[[str], Features],
    tensors: Callable[[Architecture], dict[str, torch.Tensor]],
    recipe: SimpleNamespace,
    small: Architecture,
    domain: str,
    size: str,
) -> None:
    head = Head("depth", "seeded", tensors(small), HASH)
    seen, every = features(size), recipe.EVERY
    got = {}
    for name, map_scale in (("map", 4), ("picture", 14)):
        depth = Depth(head, small, range_m=RANGES_M[domain], domain=domain, map_scale=map_scale)
        with torch.inference_mode():
            got[name] = depth.metres(seen, slice(1))[0].numpy()

    with np.load(DATA / "head_goldens.npz") as goldens:
        want = {name: goldens[f"dpt/{size}/{domain}/{name}"] for name in got}
    assert np.ptp(want["map"]) > 9  # the range is reached at both ends, and values between
    np.testing.assert_allclose(got["map"], want["map"], rtol=0, atol=1e-4)
    np.testing.assert_allclose(got["picture"][::every, ::every], want["picture"], rtol=0, atol=1e-4)


@pytest.mark.parametrize("model", [f"dinov2_vit{size}14" for size in "sblg"])
def test_every_size_has_the_tensors_and_reads_the_blocks_of_upstreams(
    recipe: SimpleNamespace, model: str
) -> None:
    arch = ARCHITECTURES[model]
    zeros = {name: torch.zeros(shape) for name, shape in file_shapes(dinov2_dpt(arch)).items()}
    depth = Depth(Head("depth", "zeros", zeros, HASH), arch, range_m=(0.001, 10.0), domain="nyu")
    with np.load(DATA / "head_goldens.npz") as goldens:
        assert list(depth.layers) == goldens[f"blocks/{model}"].tolist()
        digest = str(goldens[f"layout/dpt/{model}"])
    assert recipe.layout_digest(file_shapes(dinov2_dpt(arch))) == digest


@pytest.mark.slow
def test_a_frames_records_do_not_depend_on_batch_mates_or_padding(
    tensors: Callable[[Architecture], dict[str, torch.Tensor]],
    features_of: Callable[..., Features],
    frame: Callable[..., FrameInfo],
    tiny: Architecture,
) -> None:
    head = Head("depth", "seeded", tensors(tiny), HASH)
    depth = Depth(head, tiny, range_m=(0.001, 10.0), domain="nyu")
    depth.load(torch.device("cpu"), torch.float32)
    frames = [frame(number) for number in range(3)]
    together = depth(features_of(frames, tiny, grid=(2, 3)))
    for number, info in enumerate(frames):
        alone = depth(features_of([info], tiny, grid=(2, 3), batch_size=2))
        assert alone == together[2 * number : 2 * number + 2]


@pytest.mark.slow
@pytest.mark.parametrize("domain", RANGES_M)
def test_an_official_file_is_known_by_its_name(
    tmp_path: Path,
    tensors: Callable[[Architecture], dict[str, torch.Tensor]],
    small: Architecture,
    domain: str,
) -> None:
    path = tmp_path / f"dinov2_vits14_{domain}_dpt_head.pth"
    torch.save({"state_dict": tensors(small)}, path)
    sha256 = "b938bf1bc15cd2ec0feacfe3a1bb553fe8ea9ca46a7e1d8d00217f29aef60cd9"
    depth = build_depth({}, HeadRequest("depth", small, sha256, str(path)))
    assert isinstance(depth, Depth)
    assert (depth.domain, depth.range_m) == (domain, RANGES_M[domain])
    assert depth.layers == (2, 5, 8, 11)
    with pytest.raises(WeightsError, match="was trained on the backbone with sha256 b938bf1b"):
        build_depth({}, HeadRequest("depth", small, HASH, str(path)))


@pytest.mark.slow
def test_a_file_that_lacks_a_part_names_it(
    tmp_path: Path, tensors: Callable[[Architecture], dict[str, torch.Tensor]], tiny: Architecture
) -> None:
    lame = tensors(tiny)
    del lame["decode_head.convs.2.conv.weight"]
    torch.save(lame, tmp_path / "lame.pth")
    request = HeadRequest("depth", tiny, HASH, str(tmp_path / "lame.pth"))
    with pytest.raises(WeightsError, match=r"lame\.pth.*missing.*decode_head\.convs\.2\.conv"):
        build_depth({"domain": "nyu"}, request)

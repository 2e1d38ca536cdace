"""Segmentation over four blocks and at several scales: parity with upstream's, and its passes."""

from __future__ import annotations

import runpy
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from operators.backbones.architectures import ARCHITECTURES, Architecture
from operators.backbones.backbone import Backbone
from operators.backbones.loaded import LoadedBackbone
from operators.backbones.preprocess import normalise
from operators.backbones.vit import VisionTransformer
from operators.errors import UsageError
from operators.frames import Features, FrameBatch, FrameInfo
from operators.segmentation.labelsets import label_set
from operators.segmentation.linear import LinearSegmentation, segmentation_layout
from operators.segmentation.operator import SCALES, Segmentation, build_segmentation
from operators.weights.head_request import HeadRequest
from operators.weights.heads import Head
from operators.weights.load import load_backbone

DATA = Path(__file__).parents[1] / "data"
HASH = "a" * 64


@pytest.fixture(scope="module")
def recipe() -> SimpleNamespace:
    return SimpleNamespace(**runpy.run_path(str(DATA / "make_head_goldens.py")))


@pytest.fixture
def head(recipe: SimpleNamespace) -> Callable[[Architecture, int], Head]:
    """`head(arch, 4)`: the goldens' seeded head over so many blocks, 21 classes."""

    def made(arch: Architecture, blocks: int) -> Head:
        layout = dict(segmentation_layout(arch, recipe.CLASSES, blocks))
        del layout["decode_head.bn.num_batches_tracked"]
        tensors = {n: torch.from_numpy(one) for n, one in recipe.seeded_head(layout).items()}
        tensors["decode_head.bn.num_batches_tracked"] = torch.tensor(0)
        return Head("segmentation", "seeded", tensors, HASH)

    return made


@pytest.mark.slow
@pytest.mark.parametrize("size", ["70x98", "56x84"])
@pytest.mark.parametrize(("name", "blocks"), [("linear", 1), ("ms", 4)])
def test_backbone_and_head_compute_what_upstreams_do(
    head: Callable[[Architecture, int], Head],
    vit_recipe: SimpleNamespace,
    fill: Callable[[torch.nn.Module], VisionTransformer],
    frame: Callable[..., FrameInfo],
    recipe: SimpleNamespace,
    name: str,
    blocks: int,
    size: str,
) -> None:
    arch = ARCHITECTURES["dinov2_vits14"]
    linear = LinearSegmentation(head(arch, blocks), arch, recipe.CLASSES)
    height, width = map(int, size.split("x"))
    grid = (height // 14, width // 14)
    model = fill(VisionTransformer(arch))
    with torch.inference_mode():
        pixels = torch.from_numpy(vit_recipe.seeded_pixels((height, width)))
        normed, kept = model(pixels, linear.layers)
        layers = {block: (t[:, 1:].unflatten(1, grid), t[:, 0]) for block, t in kept.items()}
        patches = normed[:, 1:].unflatten(1, grid)
        features = Features((frame(0),), normed[:, 0], patches, layers, model.norm)
        got = linear.logits(features, slice(1))[0].numpy()

    with np.load(DATA / "head_goldens.npz") as goldens:
        want = goldens[f"segmentation/{size}/{name}"]
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("model", "layers"),
    [
        ("dinov2_vits14", (8, 9, 10)),
        ("dinov2_vitl14", (20, 21, 22)),
        ("dinov2_vitg14", (36, 37, 38)),
    ],
)
def test_four_blocks_are_the_last_four(
    head: Callable[[Architecture, int], Head], model: str, layers: tuple[int, ...]
) -> None:
    arch = ARCHITECTURES[model]
    operator = Segmentation(head(arch, 4), arch, label_set("voc2012"))
    assert operator.layers == layers  # and the normalised patches, which are always there


def test_four_blocks_need_the_final_norm(
    head: Callable[[Architecture, int], Head],
    features_of: Callable[..., Features],
    frame: Callable[..., FrameInfo],
    tiny: Architecture,
) -> None:
    features = replace(features_of([frame(0)], tiny), norm=None)
    with pytest.raises(ValueError, match="carry no final norm"):
        Segmentation(head(tiny, 4), tiny, label_set("voc2012"))(features)


@pytest.fixture(scope="module")
def loaded(tiny: Architecture) -> LoadedBackbone:
    return load_backbone(tiny, "random", seed=5)


@pytest.fixture
def backbone(loaded: LoadedBackbone) -> Iterator[Callable[..., Backbone]]:
    """`backbone(batch_size=2)` with the blocks that a head over four reads."""
    made = []

    def new(**options: int) -> Backbone:
        made.append(Backbone(loaded, blocks=(8, 9, 10), **options))
        return made[-1]

    yield new
    for one in made:
        one.close()


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    return np.random.Generator(np.random.PCG64(8)).integers(0, 256, (3, 42, 56, 3), np.uint8)


@pytest.mark.slow
def test_every_scale_is_a_pass_and_a_mirrored_one_and_probabilities_are_averaged(
    head: Callable[[Architecture, int], Head],
    backbone: Callable[..., Backbone],
    frame: Callable[..., FrameInfo],
    loaded: LoadedBackbone,
    tiny: Architecture,
    pixels: np.ndarray,
) -> None:
    operator = Segmentation(head(tiny, 4), tiny, label_set("voc2012"), scales=3)
    features = backbone(batch_size=1)(FrameBatch((frame(0),), pixels[:1]))
    with torch.inference_mode():
        got = operator.scores(features, slice(1))[0]

        want = []
        linear = LinearSegmentation(head(tiny, 4), tiny, 21)
        for scale in (1.0, 1.32, 1.73):
            grid = (round(scale * 3), round(scale * 4))
            plain = normalise(torch.from_numpy(pixels[:1]), torch.float32)
            resized = interpolate(plain, size=[14 * side for side in grid], mode="bilinear")
            for picture, turned in ((resized, ()), (resized.flip(3), (1,))):
                normed, kept = loaded.model(picture, (8, 9, 10))
                layers = {b: (t[:, 1:].unflatten(1, grid), t[:, 0]) for b, t in kept.items()}
                patches = normed[:, 1:].unflatten(1, grid)
                seen = Features((frame(0),), normed[:, 0], patches, layers, loaded.model.norm)
                logits = linear.logits(seen, slice(1))[0].permute(2, 0, 1)[None]
                fine = interpolate(logits, size=(12, 16), mode="bilinear", align_corners=False)
                want.append(fine[0].permute(1, 2, 0).softmax(-1).flip(turned))
    torch.testing.assert_close(got, torch.stack(want).mean(0), rtol=0, atol=1e-5)
    torch.testing.assert_close(got.sum(-1), torch.ones(12, 16))


@pytest.mark.slow
def test_scales_do_not_depend_on_batch_mates_threads_or_the_rows_taken(
    head: Callable[[Architecture, int], Head],
    backbone: Callable[..., Backbone],
    frame: Callable[..., FrameInfo],
    tiny: Architecture,
    pixels: np.ndarray,
) -> None:
    operator = Segmentation(head(tiny, 4), tiny, label_set("voc2012"), scales=2)
    infos = tuple(frame(number) for number in range(3))
    features = backbone(batch_size=4, threads=2)(FrameBatch(infos, pixels))
    together = operator(features)
    alone = operator(backbone(batch_size=1)(FrameBatch(infos[2:], pixels[2:])))
    assert alone == together[4:]
    assert operator(features.take([2, 0])) == together[4:] + together[:2]


def test_features_of_no_backbone_cannot_be_seen_again(
    head: Callable[[Architecture, int], Head],
    features_of: Callable[..., Features],
    frame: Callable[..., FrameInfo],
    tiny: Architecture,
) -> None:
    operator = Segmentation(head(tiny, 4), tiny, label_set("voc2012"), scales=2)
    with pytest.raises(ValueError, match="hold no pixels; build them with Backbone"):
        operator(features_of([frame(0)], tiny))


def test_scales_are_a_setting_and_part_of_the_identity(tiny: Architecture) -> None:
    request = HeadRequest("segmentation", tiny, HASH, random_seed=1)
    settings = [build_segmentation({"scales": n}, request).settings() for n in (1, len(SCALES))]
    assert [said["scales"] for said in settings] == [1, 5]
    with pytest.raises(UsageError, match="scales must be a whole number from 1 to 5, got 6"):
        build_segmentation({"scales": 6}, request)


@pytest.mark.parametrize("labels", ["ade20k", "voc2012"])
def test_an_official_multi_scale_file_is_known_by_its_name(
    recipe: SimpleNamespace, tmp_path: Path, labels: str
) -> None:
    arch = ARCHITECTURES["dinov2_vits14"]
    layout = segmentation_layout(arch, len(label_set(labels).labels), 4)
    tensors = {name: torch.ones(shape) for name, shape in layout.items()}
    path = tmp_path / f"dinov2_vits14_{labels}_ms_head.pth"
    torch.save({"state_dict": tensors}, path)
    sha256 = "b938bf1bc15cd2ec0feacfe3a1bb553fe8ea9ca46a7e1d8d00217f29aef60cd9"
    operator = build_segmentation({}, HeadRequest("segmentation", arch, sha256, str(path)))
    assert (operator.labels.name, operator.layers) == (labels, (8, 9, 10))

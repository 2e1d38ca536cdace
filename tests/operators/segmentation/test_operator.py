"""Segmentation: parity with batch norm and convolution, the published map, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import interpolate

from operators.backbones.architectures import ARCHITECTURES, Architecture
from operators.errors import DinostreamError, UsageError, WeightsError
from operators.frames import Features, FrameInfo
from operators.segmentation.labelsets import OFFICIAL, label_set
from operators.segmentation.linear import segmentation_layout
from operators.segmentation.operator import Segmentation, build_segmentation
from operators.weights.head_request import HeadRequest, MissingHead
from operators.weights.heads import Head

HASH = "a" * 64


def seeded_tensors(arch: Architecture, classes: int) -> dict[str, torch.Tensor]:
    draw = np.random.default_rng(classes)
    tensors = {
        name: torch.from_numpy(draw.standard_normal(shape, dtype=np.float32))
        for name, shape in segmentation_layout(arch, classes).items()
        if shape
    }
    tensors["decode_head.conv_seg.weight"] /= arch.width**0.5
    tensors["decode_head.bn.running_var"] = tensors["decode_head.bn.running_var"].square() + 0.1
    tensors["decode_head.bn.num_batches_tracked"] = torch.tensor(40_000)
    return tensors


@pytest.fixture
def operator(tiny: Architecture) -> Callable[..., Segmentation]:
    """`operator("ade20k")`: with a seeded head."""

    def made(name: str, **options: Any) -> Segmentation:
        head = Head("segmentation", "seeded", seeded_tensors(tiny, OFFICIAL[name]), HASH)
        segmentation = Segmentation(head, tiny, label_set(name), **options)
        segmentation.load(torch.device("cpu"), torch.float32)
        return segmentation

    return made


def upstream_logits(tensors: dict[str, torch.Tensor], patches: torch.Tensor) -> torch.Tensor:
    """Upstream's BNHead in evaluation (synchronised batch norm, then a 1x1 convolution), with
    torch's own modules; then the upsampling that mmsegmentation does before its arg max."""
    classes, width = tensors["decode_head.conv_seg.weight"].shape[:2]
    head = torch.nn.ModuleDict(
        {"bn": torch.nn.SyncBatchNorm(width), "conv_seg": torch.nn.Conv2d(width, classes, 1)}
    )
    head.load_state_dict({k.removeprefix("decode_head."): v for k, v in tensors.items()})
    with torch.inference_mode():
        logits = head.eval()["conv_seg"](head["bn"](patches.permute(0, 3, 1, 2)))
        return interpolate(logits, scale_factor=4, mode="bilinear", align_corners=False)


@pytest.mark.parametrize("name", OFFICIAL)
def test_the_head_computes_what_upstreams_does(
    operator: Callable[..., Segmentation],
    features_of: Callable[..., Features],
    frame: Callable[..., FrameInfo],
    tiny: Architecture,
    name: str,
) -> None:
    features = features_of([frame(0), frame(1)], tiny, grid=(5, 7), batch_size=2)
    tensors = seeded_tensors(tiny, OFFICIAL[name])

    got = operator(name).scores(features, slice(2))

    want = upstream_logits(tensors, features.patches).permute(0, 2, 3, 1)
    torch.testing.assert_close(got, want, rtol=0, atol=1e-4)


@pytest.mark.parametrize("map_scale", [1, 4])
@pytest.mark.parametrize("name", OFFICIAL)
def test_consumers_get_class_ids_and_their_names(
    operator: Callable[..., Segmentation],
    features_of: Callable[..., Features],
    frame: Callable[..., FrameInfo],
    tiny: Architecture,
    name: str,
    map_scale: int,
) -> None:
    segmentation = operator(name, map_scale=map_scale)
    features = features_of([frame(0), frame(1, stream="door")], tiny)

    results = segmentation(features)

    assert [result.operator for result in results] == [*segmentation.topics] * 2
    (named, published), *others = segmentation.label_sets().items()
    assert not others
    for row, (picture, summary) in enumerate(zip(results[::2], results[1::2], strict=True)):
        assert picture.attributes == summary.attributes == {"labelset": named}
        image = Image.open(BytesIO(picture.data))
        assert (image.mode, image.size) == ("P", (6 * map_scale, 4 * map_scale))
        ids = np.asarray(image)
        (scores,) = segmentation.scores(features, slice(row, row + 1))
        np.testing.assert_array_equal(ids, scores.argmax(-1).numpy())
        colours = np.array([label["rgb"] for label in published])
        np.testing.assert_array_equal(np.asarray(image.convert("RGB")), colours[ids])
        for said in json.loads(summary.data)["classes"]:
            assert said["name"] == published[said["id"]]["name"]
            assert said["share"] == pytest.approx((ids == said["id"]).mean(), abs=1e-6)


def test_a_frames_records_do_not_depend_on_batch_mates_or_padding(
    operator: Callable[..., Segmentation],
    features_of: Callable[..., Features],
    frame: Callable[..., FrameInfo],
    tiny: Architecture,
) -> None:
    segmentation = operator("ade20k")
    frames = [frame(number) for number in range(8)]
    together = segmentation(features_of(frames, tiny))
    for number, info in enumerate(frames):
        alone = segmentation(features_of([info], tiny, batch_size=3))
        assert alone == together[2 * number : 2 * number + 2]
        rows = [
            segmentation.scores(features_of(f, tiny), slice(r, r + 1))
            for f, r in ((frames, number), ([info], 0))
        ]
        assert torch.equal(*rows)


def test_nan_is_an_error_of_its_frame(
    operator: Callable[..., Segmentation],
    features_of: Callable[..., Features],
    frame: Callable[..., FrameInfo],
    tiny: Architecture,
) -> None:
    features = features_of([frame(0), frame(1)], tiny)
    features.patches[1, 2, 3, 4] = torch.nan
    with pytest.raises(DinostreamError, match="segmentation: frame 18000 of cam"):
        operator("voc2012")(features)


def request(arch: Architecture, **options: Any) -> HeadRequest:
    return HeadRequest("segmentation", arch, HASH, **options)


@pytest.mark.parametrize(("name", "classes"), OFFICIAL.items())
def test_an_official_layout_tells_its_labels_by_its_classes(
    tmp_path: Path, tiny: Architecture, name: str, classes: int
) -> None:
    path = tmp_path / "mine.pth"
    torch.save({"meta": {}, "state_dict": seeded_tensors(tiny, classes)}, path)
    segmentation = build_segmentation({"regions": 2}, request(tiny, choice=str(path)))
    assert segmentation.labels.name == name
    assert segmentation.settings() == {
        "map_scale": 4,
        "regions": 2,
        "min_share": 0.005,
        "labelset": name,
        "scales": 1,
    }


def test_unknown_classes_are_refused(tmp_path: Path, tiny: Architecture) -> None:
    path = tmp_path / "mine.pth"
    torch.save(seeded_tensors(tiny, 7), path)
    with pytest.raises(WeightsError, match="nothing says what its 7 classes are"):
        build_segmentation({}, request(tiny, choice=str(path)))


def test_random_and_missing(tiny: Architecture) -> None:
    segmentation = build_segmentation({}, request(tiny, random_seed=3))
    assert segmentation.untrained
    assert segmentation.labels.name == "ade20k"
    with pytest.raises(MissingHead, match="ade20k-linear, ade20k-ms, voc2012-linear"):
        build_segmentation({}, request(ARCHITECTURES["dinov2_vitb14"]))
    with pytest.raises(UsageError, match="did you mean regions"):
        build_segmentation({"region": 1}, request(tiny, random_seed=3))

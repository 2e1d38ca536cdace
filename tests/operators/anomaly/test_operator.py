"""The operator: a map and a summary of every frame, whatever its batch mates."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from operators.anomaly.operator import Anomaly, build_anomaly
from operators.backbones.architectures import Architecture
from operators.errors import DinostreamError, GridError, UsageError, WeightsError
from operators.frames import Features, FrameInfo
from operators.learn.head_file import write_head
from operators.weights.head_request import HeadRequest, MissingHead

Saw = Callable[..., Features]
Numbered = Callable[..., FrameInfo]

BACKBONE = "a" * 64


def of_file(tiny: Architecture, path: Path, **settings: float) -> Anomaly:
    operator = build_anomaly(settings, HeadRequest("anomaly", tiny, BACKBONE, str(path)))
    operator.load(torch.device("cpu"), torch.float32)
    return operator


@pytest.fixture
def head(tiny: Architecture, features_of: Saw, frame: Numbered, tmp_path: Path) -> Path:
    """Of a camera that showed what frame 0 shows."""
    usual = features_of([frame(0)], tiny).patches[0][:, :, None]
    path = tmp_path / "yard.safetensors"
    write_head(
        path, "anomaly", {"prototypes": usual.half()}, {"backbone": BACKBONE, "threshold": 0.25}
    )
    return path


def test_a_frame_has_a_map_and_a_summary_that_agree(
    tiny: Architecture, features_of: Saw, frame: Numbered, head: Path
) -> None:
    usual, other = frame(0), frame(1)
    results = of_file(tiny, head)(features_of([usual, other], tiny))
    assert [one.operator for one in results] == ["anomaly", "anomaly.summary"] * 2
    calm, told = (json.loads(one.data) for one in results[1::2])
    assert (calm["over"], calm["largest"], calm["patches"]) == (False, None, 0)
    assert calm["score"] < 0.001
    assert (told["over"], told["threshold"]) == (True, 0.25)
    assert told["largest"] == {"box": [0, 0, 640, 360], "patches": 24}
    with Image.open(io.BytesIO(results[2].data)) as picture:
        assert (picture.mode, picture.size) == ("I;16", (6, 4))  # a cell per patch
        steps = np.asarray(picture)
    assert told["highest"] == round(int(steps.max()) * 0.0001, 4) == told["score"]


def test_batch_mates_and_padding_change_no_byte(
    tiny: Architecture, features_of: Saw, frame: Numbered, head: Path
) -> None:
    operator = of_file(tiny, head)
    infos = [frame(number) for number in range(5)]
    together = operator(features_of(infos, tiny))
    alone = [one for info in infos for one in operator(features_of([info], tiny, batch_size=1))]
    assert [one.data for one in together] == [one.data for one in alone]


def test_a_picture_of_another_shape_says_which(
    tiny: Architecture, features_of: Saw, frame: Numbered, head: Path
) -> None:
    with pytest.raises(GridError, match=r"pictures of 4 x 6 patches .* one of 3 x 6 patches"):
        of_file(tiny, head)(features_of([frame(0)], tiny, grid=(3, 6)))


def test_nan_is_no_fact(tiny: Architecture, features_of: Saw, frame: Numbered, head: Path) -> None:
    features = features_of([frame(0)], tiny)
    features.patches[0, 1, 1] = torch.nan
    with pytest.raises(DinostreamError, match=r"anomaly: frame 0 of cam gives NaN"):
        of_file(tiny, head)(features)


def test_a_threshold_of_the_users_own_is_part_of_the_identity(
    tiny: Architecture, head: Path
) -> None:
    assert of_file(tiny, head).settings() == {"threshold": 0.25}
    assert of_file(tiny, head, threshold=0.5).settings() == {"threshold": 0.5}
    with pytest.raises(UsageError, match="threshold must be a number from 0 to 2"):
        of_file(tiny, head, threshold=3)


@pytest.mark.parametrize("threshold", [None, "high", True, -0.1])
def test_a_head_without_a_threshold_is_refused(
    tiny: Architecture, tmp_path: Path, threshold: object
) -> None:
    facts = {"backbone": BACKBONE, "threshold": threshold}
    prototypes = torch.ones(1, 1, 1, tiny.width)
    write_head(tmp_path / "odd.safetensors", "anomaly", {"prototypes": prototypes}, facts)
    with pytest.raises(WeightsError, match="threshold in its header must be a number from 0 to 2"):
        of_file(tiny, tmp_path / "odd.safetensors")


def test_a_head_of_another_backbone_and_no_head_are_refused(tiny: Architecture, head: Path) -> None:
    with pytest.raises(WeightsError, match="was trained on the backbone with sha256 aaaa"):
        build_anomaly({}, HeadRequest("anomaly", tiny, "b" * 64, str(head)))
    with pytest.raises(MissingHead, match="anomaly does not run: it has no head"):
        build_anomaly({}, HeadRequest("anomaly", tiny, BACKBONE))


def test_random_heads_run_on_pictures_of_any_shape(
    tiny: Architecture, features_of: Saw, frame: Numbered
) -> None:
    operator = build_anomaly({}, HeadRequest("anomaly", tiny, BACKBONE, random_seed=0))
    assert operator.untrained
    for grid in ((1, 1), (4, 6), (5, 3)):
        assert len(operator(features_of([frame(0)], tiny, grid=grid))) == 2

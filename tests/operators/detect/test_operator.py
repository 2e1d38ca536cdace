"""Detection: what a frame's record says, that batch mates change nothing, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from operators.backbones.architectures import Architecture
from operators.backbones.precision import Precision
from operators.detect.box_finder import BoxFinder
from operators.detect.build import build_detect
from operators.detect.decoder import DecoderShape, decoder_layout
from operators.detect.operator import Detect
from operators.errors import DinostreamError, UsageError, WeightsError
from operators.frames import Features, FrameInfo
from operators.segmentation.labelsets import Label, LabelSet
from operators.weights.head_request import HeadRequest, MissingHead
from operators.weights.heads import Head, random_head

LABELS = LabelSet("things", (Label(0, "box", (200, 0, 0)), Label(1, "ball", (0, 200, 0))))
SIZES = {"width": 64, "heads": 4, "layers": 2, "queries": 12}
SHAPE = DecoderShape.from_json(SIZES)

Made = Callable[..., Detect]
Saw = Callable[..., Features]
Numbered = Callable[..., FrameInfo]


MASKED = replace(SHAPE, mask_width=8)


def seeded_head(arch: Architecture, shape: DecoderShape = SHAPE, **facts: Any) -> Head:
    request = HeadRequest("detect", arch, "a" * 64, random_seed=1)
    known = {"labelset": "things", "labels": LABELS.records()}
    head = random_head(request, decoder_layout(arch, 2, shape), known | facts)
    return replace(head, untrained=False)


@pytest.fixture
def detect(tiny: Architecture) -> Made:
    """`detect(thresholds=(0.4, 0.4))`: with a seeded head."""

    def made(*, thresholds: tuple[float, float] = (0.0, 0.0)) -> Detect:
        head = seeded_head(tiny)
        finder = BoxFinder(head, tiny, len(LABELS.labels), SHAPE)
        own = Detect(head, finder, LABELS, thresholds=thresholds)
        own.load(torch.device("cpu"), torch.float32)
        return own

    return made


def said(operator: Detect, features: Features) -> list[list[dict[str, Any]]]:
    return [json.loads(result.data)["objects"] for result in operator(features)]


def test_a_frame_has_one_record_with_boxes_in_pixels_of_its_source(
    detect: Made, features_of: Saw, frame: Numbered, tiny: Architecture
) -> None:
    operator = detect()
    features = features_of([frame(0), frame(1, source_hw=(1080, 1920))], tiny)
    first, second = operator(features)
    assert (first.operator, first.attributes) == ("detections", {"labelset": "things"})
    shares, scores, labels = (one[0].numpy() for one in operator.compute(features, slice(1)))
    objects = json.loads(first.data)["objects"]
    assert len(objects) == SHAPE.queries
    for object_, box, score, label in zip(objects, shares, scores, labels, strict=True):
        assert object_["box"] == pytest.approx(box * [640, 360, 640, 360], abs=0.006)
        assert object_["score"] == pytest.approx(score, abs=1e-6)
        assert (object_["id"], object_["name"]) == (label, LABELS.labels[int(label)].name)
    assert max(edge for one in json.loads(second.data)["objects"] for edge in one["box"]) > 640


def test_the_surest_comes_first_and_what_is_below_its_labels_threshold_not_at_all(
    detect: Made, features_of: Saw, frame: Numbered, tiny: Architecture
) -> None:
    features = features_of([frame(0)], tiny)
    (every,) = said(detect(), features)
    scores = [one["score"] for one in every]
    assert scores == sorted(scores, reverse=True)
    by_label = [sorted(one["score"] for one in every if one["id"] == id_) for id_ in (0, 1)]
    assert min(map(len, by_label)) > 1, "this seed finds both"
    least = tuple(own[len(own) // 2] - 1e-6 for own in by_label)
    (told,) = said(detect(thresholds=least), features_of([frame(0)], tiny))
    assert told == [one for one in every if one["score"] >= least[one["id"]]]
    assert 0 < len(told) < len(every)
    assert said(detect(thresholds=(1.1, 1.1)), features_of([frame(0)], tiny)) == [[]]


def test_batch_mates_and_padding_change_no_bit(
    detect: Made, features_of: Saw, frame: Numbered, tiny: Architecture
) -> None:
    operator = detect()
    for precision in (None, Precision.BFLOAT16):
        many = features_of([frame(0), frame(1), frame(2)], tiny)
        alone = features_of([frame(2)], tiny)
        got = operator(replace(many, precision=precision))
        (same,) = operator(replace(alone, precision=precision))
        assert same == got[2]
        assert len({result.data for result in got}) == 3


def test_its_numbers_are_computed_once_for_whoever_shares_them(
    detect: Made, features_of: Saw, frame: Numbered, tiny: Architecture
) -> None:
    operator = detect(thresholds=(0.2, 0.2))
    info = frame(0)
    features = features_of([info], tiny)
    numbers = operator.shared(features, slice(0, 1))
    assert [tuple(one.shape) for one in numbers] == [(1, 12, 4), (1, 12), (1, 12)]
    assert {one.dtype for one in numbers} == {torch.float32}
    (objects,) = said(operator, features)
    found = operator.detections(info, *(np.asarray(one[0]) for one in numbers))
    assert [round(float(score), 6) for score in found.scores] == [o["score"] for o in objects]
    assert (found.boxes.dtype, found.labels.dtype) == (np.float32, np.int64)
    assert operator.shared(features, slice(0, 1)) is numbers


def test_a_picture_of_fewer_patches_than_queries_has_as_many_things_at_most(
    detect: Made, features_of: Saw, frame: Numbered, tiny: Architecture
) -> None:
    operator = detect()
    features = features_of([frame(0)], tiny, grid=(2, 3))
    boxes, scores, _ = operator.compute(features, slice(1))
    assert (tuple(boxes.shape), tuple(scores.shape)) == ((1, 12, 4), (1, 12))
    (objects,) = said(operator, features)
    assert len(objects) == 6


def test_features_that_went_wrong_are_no_detections(
    detect: Made, features_of: Saw, frame: Numbered, tiny: Architecture
) -> None:
    features = features_of([frame(0)], tiny)
    features.patches[0, 0, 0, 0] = torch.nan
    with pytest.raises(DinostreamError, match=r"detect: frame 0 of cam gives NaN"):
        detect(thresholds=(0.9, 0.9))(features)


def test_rounding_as_a_bfloat16_backbone_does_moves_scores_a_little(
    detect: Made, features_of: Saw, frame: Numbered, tiny: Architecture
) -> None:
    operator = detect()
    exact = operator.compute(features_of([frame(0)], tiny), slice(1))
    features = replace(features_of([frame(0)], tiny), precision=Precision.BFLOAT16)
    rounded = operator.compute(features, slice(1))
    difference = exact[1].sort().values - rounded[1].sort().values
    assert 0 < float(difference.abs().max()) < 0.1


def masked(arch: Architecture, *, masks: bool) -> Detect:
    operator = built(
        arch, seeded_head(arch, MASKED, decoder=MASKED.plain()), masks=masks, threshold=0
    )
    operator.load(torch.device("cpu"), torch.float32)
    return operator


def test_masks_stand_beside_boxes_that_are_the_same_without_them(
    features_of: Saw, frame: Numbered, tiny: Architecture
) -> None:
    plain, both = (masked(tiny, masks=masks) for masks in (False, True))
    assert both.settings() == plain.settings() | {"masks": True}
    assert (both.tells_masks, plain.tells_masks) == (True, False)
    for precision in (None, Precision.BFLOAT16):
        features = replace(features_of([frame(0)], tiny), precision=precision)
        (told,) = said(both, features)
        (without,) = said(plain, replace(features, memo={}))
        masks = [one.pop("mask") for one in told]
        assert told == without
        *_, cells = both.guesses(features, slice(1))
        assert (cells.dtype, tuple(cells.shape)) == (torch.bool, (1, 12, 16, 24))
        assert all(one["size"] == [16, 24] for one in masks)
        inside = sorted(sum(one["counts"][1::2]) for one in masks)
        assert inside == sorted(cells[0].flatten(1).sum(dim=1).tolist())
        assert len({str(one) for one in masks}) > 1


def test_batch_mates_change_no_bit_of_a_mask(
    features_of: Saw, frame: Numbered, tiny: Architecture
) -> None:
    operator = masked(tiny, masks=True)
    for precision in (None, Precision.BFLOAT16):
        many = replace(features_of([frame(0), frame(1)], tiny), precision=precision)
        alone = replace(features_of([frame(1)], tiny), precision=precision)
        assert operator(alone) == operator(many)[1:]


def test_a_guess_that_a_small_picture_lacks_has_an_empty_mask(
    features_of: Saw, frame: Numbered, tiny: Architecture
) -> None:
    *_, cells = masked(tiny, masks=True).guesses(
        features_of([frame(0)], tiny, grid=(2, 3)), slice(1)
    )
    assert tuple(cells.shape) == (1, 12, 8, 12)
    assert not cells[0, 6:].any()


def test_masks_are_asked_of_a_head_that_has_them(tiny: Architecture) -> None:
    with pytest.raises(WeightsError, match="it has boxes alone; leave out the setting masks"):
        built(tiny, seeded_head(tiny, decoder=SIZES), masks=True)
    with pytest.raises(WeightsError, match=r"told_mask\."):
        built(tiny, seeded_head(tiny, decoder=MASKED.plain()))


def built(arch: Architecture, head: Head, **settings: Any) -> Detect:
    request = HeadRequest("detect", arch, "a" * 64, "head.safetensors")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("operators.detect.build.trained_head", lambda _: head)
        return build_detect(settings, request)


def test_a_head_says_its_labels_its_thresholds_and_its_decoders_sizes(tiny: Architecture) -> None:
    head = seeded_head(tiny, decoder=SIZES, thresholds=[0.3, 1.1])
    assert built(tiny, head).settings() == {"labelset": "things", "thresholds": [0.3, 1.1]}
    assert built(tiny, head, threshold=0.2).settings()["thresholds"] == [0.2, 0.2]
    assert built(tiny, seeded_head(tiny, decoder=SIZES)).settings()["thresholds"] == [0.5, 0.5]
    assert built(tiny, head).label_sets() == {"things": LABELS.records()}


@pytest.mark.parametrize(
    ("facts", "error"),
    [
        ({"labels": None}, "must say labelset and labels"),
        ({"labels": [{"id": 1, "name": "box", "rgb": [1, 2, 3]}]}, "ids must be 0, 1, 2"),
        ({"decoder": None}, "must say the decoder's sizes, got None"),
        ({"decoder": {"width": 64}}, "want width, heads, layers, queries"),
        ({"decoder": SIZES | {"heads": 5}}, "a multiple of its 5 heads"),
        ({"decoder": SIZES | {"heads": True}}, "whole numbers from 1"),
        ({"decoder": SIZES | {"layers": 1}}, r"layers\.1\.among"),
        ({"thresholds": [0.5]}, "a number from 0 for each of 2 labels, got"),
        ({"thresholds": [0.5, -1]}, "a number from 0 for each of 2 labels, got"),
    ],
)
def test_a_head_that_says_something_else_is_refused(
    tiny: Architecture, facts: dict[str, Any], error: str
) -> None:
    with pytest.raises(WeightsError, match=error):
        built(tiny, seeded_head(tiny, **({"decoder": SIZES} | facts)))


def test_settings_that_do_not_do_are_refused(tiny: Architecture) -> None:
    request = HeadRequest("detect", tiny, "a" * 64)
    with pytest.raises(MissingHead, match="detect does not run: it has no head"):
        build_detect({}, request)
    with pytest.raises(UsageError, match="operator detect has no setting 'thresholds'"):
        build_detect({"thresholds": [1]}, request)
    with pytest.raises(UsageError, match="threshold must be a number from 0 to 1, got 2"):
        build_detect({"threshold": 2}, replace(request, random_seed=0))

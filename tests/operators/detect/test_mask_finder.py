"""What `detect` says by an EoMT: held to its authors' way to read instances off its queries."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from pycocotools import mask as coco_mask

from operators.backbones.architectures import ARCHITECTURES
from operators.backbones.backbone import Backbone
from operators.backbones.preprocess import normalise
from operators.detect.build import build_detect
from operators.detect.things import THINGS
from operators.errors import DinostreamError, UsageError, WeightsError
from operators.frames import FrameBatch
from operators.registry import build_operator
from operators.segmentation.labelsets import label_set
from operators.weights.head_request import HeadRequest, MissingHead
from operators.weights.load import load_backbone

SIDE = 80  # pixels: five patches


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    return np.random.default_rng(4).integers(0, 256, (1, SIDE, SIDE, 3), dtype=np.uint8)


def detect_of(twin, **settings):
    sha256 = load_backbone(twin.arch, str(twin.path)).sha256
    request = HeadRequest("detect", twin.arch, sha256, str(twin.path))
    operator = build_detect(settings, request)
    operator.load(torch.device("cpu"), torch.float32)
    return operator


def features_of(twin, operator, pixels, frame, **source):
    backbone = Backbone(
        load_backbone(twin.arch, str(twin.path)), blocks=operator.layers, batch_size=2
    )
    features = backbone(FrameBatch((frame(0, **source),), pixels))
    backbone.close()
    return replace(features, pool=None)


def said(operator, features):
    (result,) = operator(features)
    assert result.operator == "detections"
    assert result.attributes == {"labelset": operator.labels.name}
    return json.loads(result.data)["objects"]


def theirs(twin, pixels):
    """Of every query that has a mask: score and class, its mask as drawn, and its cells; best
    first."""
    import transformers

    size = {"shortest_edge": SIDE, "longest_edge": SIDE}
    with torch.inference_mode():
        seen = twin.model(normalise(torch.from_numpy(pixels), torch.float32))
    processor = transformers.EomtImageProcessorPil(size=size)
    (found,) = processor.post_process_instance_segmentation(seen, [(SIDE, SIDE)], threshold=0)
    masks = torch.nn.functional.interpolate(
        seen.masks_queries_logits, (SIDE, SIDE), mode="bilinear"
    )
    both = zip(masks[0] > 0, seen.masks_queries_logits[0] > 0, strict=True)
    kept = [(mask, cells) for mask, cells in both if mask.any()]
    rows = zip(found["segments_info"], kept, strict=True)
    return sorted(rows, key=lambda row: -row[0]["score"])


@pytest.mark.slow
def test_scores_labels_and_boxes_are_its_authors(twin_of, frame, pixels) -> None:
    twin = twin_of("eomt_small_640")
    operator = detect_of(twin, threshold=0, masks=True)
    features = features_of(twin, operator, pixels, frame, source_hw=(360, 640))
    objects, want = said(operator, features), theirs(twin, pixels)
    assert len(objects) == len(want) == 7
    for object_, (segment, (mask, cells)) in zip(objects, want, strict=True):
        assert object_["id"] == segment["label_id"]
        assert object_["name"] == label_set("coco").labels[object_["id"]].name
        assert object_["score"] == pytest.approx(
            segment["score"], rel=0.1
        )  # of cells, not of pixels
        rows, columns = mask.any(1).nonzero().flatten(), mask.any(0).nonzero().flatten()
        edges = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
        scale = np.array([640, 360, 640, 360]) / SIDE
        np.testing.assert_allclose(object_["box"], np.array(edges) * scale, atol=scale.max())
        assert object_["mask"]["size"] == [20, 20]
        inside = int(coco_mask.area(coco_mask.frPyObjects(object_["mask"], 20, 20)))
        assert abs(inside - cells.sum().item()) <= 1


@pytest.mark.slow
def test_masks_are_said_where_they_are_asked_for(twin_of, frame, pixels) -> None:
    twin = twin_of("eomt_small_640")
    plain, with_masks = (detect_of(twin, threshold=0, masks=masks) for masks in (False, True))
    features = features_of(twin, plain, pixels, frame)
    without = [{**one} for one in said(with_masks, features)]
    assert all(one.pop("mask") for one in without)
    assert said(plain, features) == without
    assert plain.settings() == with_masks.settings() | {"masks": False}
    assert detect_of(twin).settings()["thresholds"] == [0.5] * 80
    assert said(detect_of(twin), features) == [], "seeded weights are sure of nothing"


@pytest.mark.slow
@pytest.mark.parametrize(("classes", "name"), [(133, "coco"), (150, "ade20k")])
def test_of_panoptic_ones_things_alone_are_told(twin_of, frame, pixels, classes, name) -> None:
    twin = twin_of("eomt_small_640", classes=classes)
    operator = detect_of(twin, threshold=0)
    objects = said(operator, features_of(twin, operator, pixels, frame))
    assert operator.labels.name == name
    assert objects
    assert {one["id"] for one in objects} <= set(THINGS[classes][1])


def test_stuff_is_no_thing() -> None:
    ade20k = label_set("ade20k").labels
    things = {ade20k[id_].name for id_ in THINGS[150][1]}
    assert len(things) >= 99
    assert {"person", "car", "chair", "door"} <= things
    assert not {"wall", "sky", "road", "floor", "grass"} & things


@pytest.mark.slow
def test_what_went_wrong_is_no_detection(twin_of, frame, pixels) -> None:
    twin = twin_of("eomt_small_640")
    operator = detect_of(twin)
    features = features_of(twin, operator, pixels, frame)
    (block,) = operator.layers
    patches, cls = (tokens.clone() for tokens in features.layers[block])
    patches[0, 2, 2, 0] = torch.nan
    with pytest.raises(DinostreamError, match="detect: frame 0 of cam gives NaN"):
        operator(replace(features, layers={block: (patches, cls)}))


def test_heads_that_do_not_belong_are_refused(twin_of) -> None:
    with pytest.raises(WeightsError, match=r"what its 3 classes are; known are those of COCO"):
        detect_of(twin_of("eomt_small_640", classes=3))
    with pytest.raises(
        MissingHead, match="in its weights' file: --head detect=PATH, the same path"
    ):
        build_detect({}, HeadRequest("detect", ARCHITECTURES["eomt_small_640"], ""))
    with pytest.raises(UsageError, match="masks must be true or false, got 'all'"):
        build_detect({"masks": "all"}, HeadRequest("detect", ARCHITECTURES["eomt_small_640"], ""))


def test_untrained_it_runs_and_says_so(frame, features_of, tiny) -> None:
    arch = replace(ARCHITECTURES["eomt_small_640"], depth=2, width=64, heads=1)
    known = {"architecture": arch, "backbone_sha256": "a" * 64, "random_seed": 0}
    operator = build_operator("detect", {}, **known)
    operator.load(torch.device("cpu"), torch.float32)
    features = features_of([frame(0)], arch)
    registers = {1: torch.zeros(len(features.cls), 4, arch.width)}
    (result,) = operator(replace(features, registers=registers))
    assert operator.untrained
    assert 0 < len(json.loads(result.data)["objects"]) <= 100
    masks = build_operator("detect", {"masks": True}, **known)
    masks.load(torch.device("cpu"), torch.float32)
    track = build_operator("track", {}, **known).beside({"detect": masks})
    tracks, *_ = track(replace(features, registers=registers, memo={}))
    assert tracks.operator == "tracks"
    plain = build_operator("detect", {}, **known | {"architecture": tiny})
    assert plain.settings()["thresholds"] == [0, 0, 0]
    with pytest.raises(WeightsError, match="it has boxes alone; leave out the setting masks"):
        build_operator("detect", {"masks": True}, **known | {"architecture": tiny})

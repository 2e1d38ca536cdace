"""Average precision of boxes and masks against pycocotools, its intervals, and thresholds."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from operators.learn.detection_metrics import Found, _label, _overlaps, detection_scores
from operators.learn.mask_overlaps import mask_overlaps
from operators.learn.thresholds import NEVER

CLASSES = 3
Flags = np.ndarray[Any, np.dtype[np.bool_]]
ONE = np.array([[0, 10, 10, 30, 30, 0.0]])


def seeded(seed: int, pictures: int = 12) -> tuple[list[Found], list[np.ndarray[Any, Any]]]:
    """True things, some of which do not count, and guesses beside them; scores are often equal."""
    draw = np.random.default_rng(seed)
    found, truths = [], []
    for _ in range(pictures):
        count = int(draw.integers(0, 8))
        corner, size = draw.random((count, 2)) * 60, draw.random((count, 2)) * 30 + 4
        label, lax = draw.integers(0, CLASSES, (count, 1)), draw.random((count, 1)) < 0.15
        truth = np.concatenate([label, corner, corner + size, lax], axis=1).round(1)
        guesses = int(draw.integers(0, 130)) if count else 0
        at = draw.integers(0, max(count, 1), guesses)
        boxes = truth[at, 1:5] + draw.normal(0, 3, (guesses, 4))
        boxes[:, 2:] = np.maximum(boxes[:, 2:], boxes[:, :2] + 1)
        other = draw.integers(0, CLASSES, guesses)
        labels = np.where(draw.random(guesses) < 0.8, truth[at, 0], other)
        found.append(Found(boxes, draw.random(guesses).round(2), labels))
        truths.append(truth)
    return found, truths


def of_pycocotools(
    found: Sequence[Found],
    truths: Sequence[np.ndarray[Any, Any]],
    masks: Sequence[tuple[Flags, Flags]] = (),
) -> list[float]:
    """AP50:95 and AP50 of boxes, or of masks: of each picture guesses' and things'."""
    from pycocotools import mask as coco_mask
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    def drawn(picture: int, side: int, row: int) -> dict[str, Any]:
        if not masks:
            return {}
        one = masks[picture - 1][side][row]
        return {"segmentation": coco_mask.encode(np.asfortranarray(one, dtype=np.uint8))}

    def said(picture: int, label: float, box: Any, **more: Any) -> dict[str, Any]:
        left, top, right, bottom = map(float, box)
        sides = [left, top, right - left, bottom - top]
        return {"image_id": picture, "category_id": int(label) + 1, "bbox": sides, **more}

    true = [
        said(picture, row[0], row[1:5], iscrowd=int(row[5]), area=1.0, **drawn(picture, 1, number))
        for picture, truth in enumerate(truths, start=1)
        for number, row in enumerate(truth)
    ]
    guesses = [
        said(picture, label, box, score=float(score), **drawn(picture, 0, number))
        for picture, one in enumerate(found, start=1)
        for number, (box, score, label) in enumerate(
            zip(one.boxes, one.scores, one.labels, strict=True)
        )
    ]
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "images": [
                {"id": picture, "height": 100, "width": 100}
                for picture in range(1, len(truths) + 1)
            ],
            "annotations": [{"id": id_, **one} for id_, one in enumerate(true, start=1)],
            "categories": [{"id": id_} for id_ in range(1, CLASSES + 1)],
        }
        coco.createIndex()
        judge = COCOeval(coco, coco.loadRes(guesses), "segm" if masks else "bbox")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return [float(judge.stats[0]), float(judge.stats[1])]


@pytest.mark.parametrize("seed", range(12))
def test_it_is_what_pycocotools_says(seed: int) -> None:
    found, truths = seeded(seed)
    ours = detection_scores(found, truths, [str(n) for n in range(len(found))], CLASSES).estimates
    theirs = of_pycocotools(found, truths)
    assert [ours["ap50_95"].value, ours["ap50"].value] == pytest.approx(theirs, abs=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_of_masks_it_is_what_pycocotools_says_too(seed: int) -> None:
    """Ellipses with holes in the boxes, some guesses empty."""
    found, truths = seeded(seed, pictures=8)
    draw = np.random.default_rng(seed)
    side = np.arange(100) + 0.5

    def ellipses(boxes: np.ndarray[Any, Any]) -> Flags:
        low, high = boxes[:, :2, None], boxes[:, 2:, None]
        away = ((side - (low + high) / 2) / (high - low) * 2) ** 2
        inside = away[:, 1, :, None] + away[:, 0, None, :] < 1
        return inside & (draw.random((len(boxes), 100, 100)) < 0.98)

    masks = [
        (ellipses(one.boxes), ellipses(truth[:, 1:5]))
        for one, truth in zip(found, truths, strict=True)
    ]
    for guesses, _ in masks:
        guesses[::17] = False
    overlaps = [
        mask_overlaps(guesses, things, truth[:, 5] > 0)
        for (guesses, things), truth in zip(masks, truths, strict=True)
    ]
    groups = [str(number) for number in range(len(found))]
    ours = detection_scores(found, truths, groups, CLASSES, overlaps=overlaps).estimates
    theirs = of_pycocotools(found, truths, masks)
    assert 0.02 < theirs[0] < theirs[1] < 0.99
    assert [ours["ap50_95"].value, ours["ap50"].value] == pytest.approx(theirs, abs=1e-6)


def test_a_picture_drawn_twice_counts_as_two() -> None:
    """What intervals are made of."""
    found, truths = seeded(3, pictures=4)
    draw = np.random.default_rng(0)
    found = [replace(one, scores=draw.random(len(one.scores))) for one in found]  # none is equal
    twice = [0, 0, 1, 2, 3, 3, 3]
    groups = ["a", "b", "c", "d"]
    overlaps = [
        _overlaps(one.boxes, truth[:, 1:5], truth[:, 5] > 0)
        for one, truth in zip(found, truths, strict=True)
    ]
    told = list(zip(found, truths, overlaps, range(4), strict=True))
    labels = [_label(told, 4, id_) for id_ in range(CLASSES)]
    weighed = [one.precision(np.array([[2.0, 1, 1, 3]]), slice(10))[0] for one in labels]
    again = detection_scores(
        [found[n] for n in twice], [truths[n] for n in twice], [str(n) for n in range(7)], CLASSES
    )
    assert np.mean(weighed) == pytest.approx(again.estimates["ap50_95"].value, abs=1e-9)
    estimate = detection_scores(found, truths, groups, CLASSES).estimates["ap50"]
    assert estimate.low is not None
    assert estimate.low <= estimate.value <= estimate.high


def one_label(boxes: list[list[float]], scores: list[float]) -> Found:
    return Found(np.array(boxes, float).reshape(-1, 4), np.array(scores), np.zeros(len(scores)))


def test_a_thing_is_found_once_and_what_does_not_count_is_neither_right_nor_wrong() -> None:
    lax = np.array([[0, 50, 50, 90, 90, 1.0]])
    truth = np.concatenate([ONE, lax])
    box = [10.0, 10, 30, 30]
    scores = detection_scores([one_label([box], [0.9])], [truth], ["a"], 1)
    assert (scores.estimates["ap50"].value, scores.things) == (pytest.approx(1), 1)
    on_lax = one_label([[55, 55, 70, 70], [60, 60, 80, 80], box], [0.99, 0.98, 0.9])
    assert detection_scores([on_lax], [truth], ["a"], 1).estimates["ap50"].value == pytest.approx(1)
    doubled = one_label([box, box], [0.9, 0.8])
    more = [np.concatenate([ONE, np.array([[0, 60, 60, 80, 80, 0.0]])])]
    value = detection_scores([doubled], more, ["a"], 1).estimates["ap50"].value
    assert value == pytest.approx(51 / 101)


def test_a_threshold_lies_where_f1_is_best_in_the_middle_to_the_next_score() -> None:
    far = [70.0, 70, 80, 80]
    box = [10.0, 10, 30, 30]
    found = [one_label([box, far], [0.8, 0.4]), one_label([box], [0.7])]
    scores = detection_scores(found, [ONE, ONE], ["a", "b"], 2)
    assert scores.thresholds == [pytest.approx(0.55), NEVER]
    assert scores.per_class == {0: pytest.approx(1)}
    nothing = detection_scores([one_label([], [])], [ONE], ["a"], 1)
    assert (nothing.thresholds, nothing.estimates["ap50"].value) == ([NEVER], 0.0)
    equal = detection_scores([one_label([box, far], [0.8, 0.8])], [ONE], ["a"], 1)
    assert equal.thresholds == [pytest.approx(0.4)]

"""From pictures with boxes to a head that a run uses, and its measure."""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from operators.detect.run_lengths import run_lengths
from pipeline.cli import main
from pipeline.configuration.resolve import resolve
from pipeline.configuration.streams import stream_specs
from pipeline.media.encode import write_clip
from pipeline.runtime.inline import InlineRun
from pipeline.sinks.uri import open_reader

PICTURES = 20
SIZE_HW = (84, 112)


def drawn(number: int) -> tuple[np.ndarray[Any, Any], tuple[int, int, int, int]]:
    """A bright square on dark noise, and its box."""
    draw = np.random.default_rng(number)
    side = int(draw.integers(28, 42))
    left, top = int(draw.integers(0, 112 - side)), int(draw.integers(0, 84 - side))
    picture = draw.integers(20, 60, (*SIZE_HW, 3)).astype(np.uint8)
    picture[top : top + side, left : left + side] = (230, 40, 30)
    return picture, (left, top, left + side, top + side)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures, COCO's JSON, and a clip of one of them."""
    folder = tmp_path_factory.mktemp("squares")
    (folder / "pictures").mkdir()
    images, annotations = [], []
    for number in range(PICTURES):
        picture, (left, top, right, bottom) = drawn(number)
        Image.fromarray(picture).save(folder / "pictures" / f"{number}.png")
        name = {"id": number, "file_name": f"{number}.png", "width": 112, "height": 84}
        box = [left, top, right - left, bottom - top]
        images.append(name)
        annotations.append({"image_id": number, "category_id": 1, "bbox": box})
    said = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "lid"}]}
    (folder / "boxes.json").write_text(json.dumps(said))
    still = drawn(1000)[0].repeat(8, axis=0).repeat(8, axis=1)
    write_clip(folder / "lid.mp4", np.stack([still] * 3), fps=5)
    return folder


def ran(*arguments: object) -> dict[str, Any]:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        code = main([*map(str, arguments), "--json"])
    assert code == 0
    said: dict[str, Any] = json.loads(printed.getvalue())
    return said


def refused(why: str, *arguments: object) -> None:
    printed = io.StringIO()
    with contextlib.redirect_stderr(printed):
        assert main([*map(str, arguments)]) == 2
    assert re.search(why, printed.getvalue())


@pytest.fixture(scope="module")
def fitted(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    out = folder / "detect.safetensors"
    threads = torch.get_num_threads()
    given = ("--images", folder / "pictures", "--boxes", folder / "boxes.json")
    size = ("--weights", "demo", "--short-side", 84, "--cache", folder / "cache")
    report = ran("fit", "detect", *given, *size, "--steps", 30, "--queries", 10, "-o", out)
    yield out, report
    torch.set_num_threads(threads)


@pytest.mark.slow
def test_boxes_make_a_head_that_says_what_it_is(fitted: tuple[Path, dict[str, Any]]) -> None:
    _, report = fitted
    assert [label["name"] for label in report["labels"]] == ["lid"]
    assert (report["labelset"], report["short_side"]) == ("boxes", 84)
    assert report["decoder"] == {"width": 128, "heads": 4, "layers": 2, "queries": 10}
    losses = report["metrics"]["validation_losses"]
    assert losses[-1] < 0.8 * losses[0]
    assert 0 < report["thresholds"][0] <= 1.1
    assert any("measured on 4 files only" in note for note in report["notes"])


@pytest.mark.slow
def test_eval_says_the_same_of_the_pictures_put_aside_and_warns_of_the_others(
    folder: Path, fitted: tuple[Path, dict[str, Any]]
) -> None:
    out, report = fitted
    given = ("--images", folder / "pictures", "--boxes", folder / "boxes.json")
    options = ("--weights", "demo", "--head", out, "--cache", folder / "cache")
    measured = ran("eval", "detect", *given, *options)
    assert (measured["task"], measured["samples"], measured["given_to_fit"]) == (
        "detect",
        PICTURES,
        PICTURES,
    )
    assert set(measured["estimates"]) == {"ap50_95", "ap50"}
    assert measured["per_class"]["lid"] == pytest.approx(
        measured["estimates"]["ap50"]["value"], abs=1e-6
    )
    assert report["metrics"].keys() == {"ap50_95", "ap50", "validation_losses"}
    other = json.loads((folder / "boxes.json").read_text())
    other["categories"][0]["name"] = "pot"
    (folder / "pots.json").write_text(json.dumps(other))
    strange = ("--images", folder / "pictures", "--boxes", folder / "pots.json")
    refused("does not know pot of these data; it knows lid", "eval", "detect", *strange, *options)


@pytest.mark.slow
def test_a_run_finds_such_things(
    folder: Path, fitted: tuple[Path, dict[str, Any]], detections: Callable[..., Any]
) -> None:
    for record in detections(folder / "lid.mp4", fitted[0], folder / "found.db"):
        assert record.headers["ce_labelset"] == "boxes"
        best = json.loads(record.value)["objects"][0]
        assert (best["id"], best["name"]) == (0, "lid")
        assert 0 <= best["box"][0] < best["box"][2] <= 896
        assert 0 <= best["box"][1] < best["box"][3] <= 672


@pytest.fixture
def detections() -> Callable[..., list[Any]]:
    def run(clip: Path, head: Path, database: Path, *settings: str) -> list[Any]:
        uri = f"sqlite:{database}"
        given = {
            "sources": [str(clip)],
            "weights": "demo",
            "operators": ["detect"],
            "heads": {"detect": str(head)},
            "runtime": "inline",
            "sink": uri,
        }
        config = resolve(None, given, ["operators.detect.threshold=0", *settings])
        specs = stream_specs(config, live=False)
        InlineRun(config, specs, fresh=False, tell=lambda _: None).run()
        with contextlib.closing(open_reader(uri)) as reader:
            records = [record.message for record in reader.records(["detections"])]
        assert len(records) == 3
        return records

    return run


@pytest.fixture(scope="module")
def masked(folder: Path) -> Path:
    """The same boxes with masks: polygons, run lengths, and one that has none."""
    said = json.loads((folder / "boxes.json").read_text())
    for number, one in enumerate(said["annotations"]):
        left, top, width, height = one["bbox"]
        right, bottom = left + width, top + height
        one["segmentation"] = [[left, top, right, top, right, bottom, left, bottom]]
        if number % 2:
            inside = np.zeros(SIZE_HW, bool)
            inside[top:bottom, left:right] = True
            one["segmentation"] = run_lengths(inside)
    said["annotations"][3]["segmentation"] = []
    path = folder / "masks.json"
    path.write_text(json.dumps(said))
    return path


@pytest.mark.slow
def test_masks_make_a_head_that_tells_them_and_is_measured_on_them(
    folder: Path, masked: Path, detections: Callable[..., Any]
) -> None:
    out = folder / "masks.safetensors"
    given = ("--images", folder / "pictures", "--boxes", masked)
    weights = ("--weights", "demo", "--short-side", 84, "--cache", folder / "cache")
    report = ran("fit", "detect", *given, *weights, "--steps", 20, "--queries", 10, "-o", out)
    assert report["decoder"]["mask_width"] == 32
    numbers = {"ap50_95", "ap50", "mask_ap50_95", "mask_ap50"}
    assert report["metrics"].keys() == numbers | {"validation_losses"}
    assert any("1 of 20 things have no mask" in note for note in report["notes"])

    options = ("--weights", "demo", "--head", out, "--cache", folder / "cache")
    measured = ran("eval", "detect", *given, *options)
    assert measured["estimates"].keys() == numbers
    boxes = ("--images", folder / "pictures", "--boxes", folder / "boxes.json")
    assert ran("eval", "detect", *boxes, *options)["estimates"].keys() == {"ap50_95", "ap50"}

    for record in detections(
        folder / "lid.mp4", out, folder / "masks.db", "operators.detect.masks=true"
    ):
        best = json.loads(record.value)["objects"][0]
        assert best["mask"]["size"] == [24, 32]
        assert sum(best["mask"]["counts"]) == 24 * 32


def test_masks_are_not_learnt_of_boxes_alone(folder: Path) -> None:
    given = ("--images", folder / "pictures", "--boxes", folder / "boxes.json", "--masks")
    refused("no thing of these pictures has one", "fit", "detect", *given, "--weights", "demo")


def test_data_are_given_in_one_way(folder: Path) -> None:
    wanted = r"give --images DIR and --boxes JSON\|DIR, or --synthetic SCENE and --seeds A:B"
    refused(wanted, "fit", "detect", "--images", folder, "--weights", "demo")

"""Dense heads from real files: pictures of two halves, masks, depth maps and clicks."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from operators.backbones.backbone import Backbone
from operators.errors import UsageError
from operators.learn.depth_head import depth_blocks
from pipeline.errors import SourceError
from pipeline.features.backbone import open_backbone
from pipeline.features.reading import Reading
from pipeline.features.store import FeatureStore
from pipeline.fit.clicks import clicked, read_clicks
from pipeline.fit.dense_data import DenseData
from pipeline.fit.dense_plan import DensePlan
from pipeline.fit.fit_clicks import fit_clicks
from pipeline.fit.fit_depth import fit_depth
from pipeline.fit.fit_segmentation import fit_segmentation
from pipeline.fit.mask_labels import read_labels
from pipeline.fit.pairs import pairs
from pipeline.fit.truth_files import DepthFile, MaskFile

SHORT_SIDE = 56
SIZE = (56, 84)


def quiet(what: str, done: int, total: int) -> None:
    """Nobody watches."""


def halves(number: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A picture whose left part is dark and right part bright, and its mask; rows 0-3 unknown."""
    draw = np.random.default_rng(number)
    edge = int(draw.integers(20, 64))
    mask = np.zeros(SIZE, np.uint8)
    mask[:, edge:] = 1
    picture = np.where(mask[..., None] == 1, 210, 40) + draw.integers(-20, 20, (*SIZE, 3))
    mask[:4] = 255
    return picture.astype(np.uint8), mask


@pytest.fixture(scope="module")
def backbone() -> Any:
    opened = open_backbone("dinov2_vitti14", "random", threads=2, blocks=(2, 5, 8, 11))
    yield opened
    opened.close()


@pytest.fixture
def data(tmp_path: Path) -> Callable[[], tuple[Path, Path, Path]]:
    """Folders of pictures, masks and depth maps."""

    def written(count: int = 8) -> tuple[Path, Path, Path]:
        folders = [tmp_path / name for name in ("images", "masks", "depth")]
        for folder in folders:
            (folder / "yard").mkdir(parents=True, exist_ok=True)
        for number in range(count):
            picture, mask = halves(number)
            Image.fromarray(picture).save(folders[0] / "yard" / f"{number}.png")
            Image.fromarray(mask).save(folders[1] / "yard" / f"{number}.png")
            metres = np.where(mask == 1, 2.0, 4.0)
            metres[mask == 255] = 0
            if number % 2:
                steps = (metres * 1000).astype(np.uint16)
                Image.fromarray(steps).save(folders[2] / "yard" / f"{number}.png")
            else:
                np.save(folders[2] / "yard" / f"{number}.npy", metres.astype(np.float32))
        return folders[0], folders[1], folders[2]

    return written


@pytest.fixture
def plan(tmp_path: Path) -> DensePlan:
    return DensePlan(SHORT_SIDE, tmp_path / "cache", steps=60, rate=1e-2, validation=0.25)


@pytest.mark.slow
def test_masks_make_a_head_that_finds_the_halves(data, backbone, plan):
    images, masks, _ = data()
    items = pairs(images, masks, MaskFile())
    fit = fit_segmentation(items, None, backbone, plan, tell=quiet)
    assert fit.facts["metrics"]["miou"]["value"] > 0.6
    assert [label["name"] for label in fit.facts["labels"]] == ["class 0", "class 1"]
    assert fit.facts["short_side"] == SHORT_SIDE
    again = fit_segmentation(items, None, backbone, plan, tell=quiet)
    assert all(torch.equal(fit.tensors[name], again.tensors[name]) for name in fit.tensors)
    assert fit.facts == again.facts


@pytest.mark.slow
def test_depth_maps_of_both_kinds_make_a_head(data, backbone, plan):
    images, _, depth = data()
    blocks = depth_blocks(backbone.loaded.model.architecture, 4)
    fit = fit_depth(
        pairs(images, depth, DepthFile(0.001)), None, backbone, plan, blocks=blocks, tell=quiet
    )
    assert fit.facts["range_m"] == [0.001, 4.0]
    assert fit.facts["metrics"]["abs_rel"]["value"] < 0.3


@pytest.mark.slow
def test_clicks_make_a_head_and_files_are_left_out_in_turn(data, backbone, tmp_path):
    _images, _, _ = data(4)
    rows = [["file", "time", "x", "y", "label"]]
    for number in range(4):
        for x, label in ((3, "dark"), (12, "dark"), (72, "bright"), (80, "bright")):
            rows.append([f"images/yard/{number}.png", "", str(x), "30", label])
    path = tmp_path / "clicks.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    store = FeatureStore(tmp_path / "cache", backbone, short_side=SHORT_SIDE)
    seen = clicked(read_clicks(path), store, tell=quiet)
    wide = clicked(read_clicks(path), store, around=1, tell=quiet)
    store.close()
    assert len(seen.labels) == 16 < len(wide.labels)
    fit = fit_clicks(seen, backbone, short_side=SHORT_SIDE)
    assert fit.facts["backbone"] == backbone.loaded.sha256
    assert fit.facts["metrics"]["top1"]["value"] > 0.8
    assert [label["name"] for label in fit.facts["labels"]] == ["bright", "dark"]


def test_a_click_outside_is_named(data, backbone, tmp_path):
    data(2)
    path = tmp_path / "clicks.csv"
    path.write_text("file,time,x,y,label\nimages/yard/0.png,,3,3,a\nimages/yard/1.png,,84,3,b\n")
    store = FeatureStore(tmp_path / "cache", backbone, short_side=SHORT_SIDE)
    with pytest.raises(UsageError, match=r"line 3: the click at 84, 3 .* 84x56"):
        clicked(read_clicks(path), store, tell=quiet)
    store.close()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("file,x,y,label\n", "its first line must be file,time,x,y,label"),
        ("file,time,x,y,label\nnone.png,,1,1,a\n", "line 2: no such file"),
        ("file,time,x,y,label\nclicks.csv,,x,1,a\n", "line 2: could not convert"),
        ("file,time,x,y,label\nclicks.csv,,1,1,a\n", "two classes or more, got ['a']"),
    ],
)
def test_wrong_clicks_are_named(tmp_path, text, said):
    path = tmp_path / "clicks.csv"
    path.write_text(text)
    with pytest.raises(UsageError) as error:
        read_clicks(path)
    assert said in str(error.value)


def test_a_missing_partner_and_another_size_are_named(data):
    images, masks, _ = data(3)
    (masks / "yard" / "1.png").unlink()
    with pytest.raises(UsageError, match=r"nothing in .*masks for .*1\.png"):
        pairs(images, masks, MaskFile())
    Image.new("L", (10, 10)).save(masks / "yard" / "1.png")
    with pytest.raises(UsageError, match=r"1\.png is 84x56, .*1\.png is 10x10"):
        pairs(images, masks, MaskFile())


def test_unreadable_files_are_named(data, backbone, plan):
    images, masks, depth = data(3)
    (images / "yard" / "2.png").write_bytes(b"no picture")
    with pytest.raises(SourceError, match=r"2\.png: cannot be read"):
        pairs(images, masks, MaskFile())
    data(3)
    content = (masks / "yard" / "0.png").read_bytes()
    (masks / "yard" / "0.png").write_bytes(content[: len(content) // 2])
    items = pairs(images, masks, MaskFile())
    with pytest.raises(SourceError, match=r"0\.png: cannot be read"):
        fit_segmentation(items, None, backbone, plan, tell=quiet)
    np.save(depth / "yard" / "0.npy", np.array([["a", "b"]], dtype=object), allow_pickle=True)
    with pytest.raises(SourceError, match=r"0\.npy: cannot be read as an array"):
        pairs(images, depth, DepthFile(0.001))


def test_an_empty_class_one_class_and_unknown_ids_are_refused(data, backbone, plan, tmp_path):
    images, masks, _ = data(3)
    items = pairs(images, masks, MaskFile())
    labels = tmp_path / "labels.csv"
    labels.write_text("id,name\n0,dark\n1,bright\n2,never\n")
    with pytest.raises(UsageError, match="no pixel of any mask is of class never"):
        fit_segmentation(items, read_labels(labels, name="own"), backbone, plan, tell=quiet)
    labels.write_text("0,dark\n")
    with pytest.raises(UsageError, match="its mask has class 1, the labels end at 0"):
        fit_segmentation(items, read_labels(labels, name="own"), backbone, plan, tell=quiet)
    for number in range(3):
        Image.new("L", (84, 56)).save(masks / "yard" / f"{number}.png")
    with pytest.raises(UsageError, match="one class only"):
        fit_segmentation(pairs(images, masks, MaskFile()), None, backbone, plan, tell=quiet)


def test_a_depth_scale_that_cannot_be_is_refused(data, backbone, plan):
    images, _, depth = data(4)
    for path in depth.rglob("*.npy"):
        np.save(path, np.full(SIZE, np.nan, np.float32))
    blocks = (11,)
    with pytest.raises(UsageError, match="is the scale right"):
        fit_depth(
            pairs(images, depth, DepthFile(1.0)), None, backbone, plan, blocks=blocks, tell=quiet
        )


def test_a_second_fit_computes_no_features(data, backbone: Backbone, plan):
    images, masks, _ = data(4)
    items = pairs(images, masks, MaskFile())
    reading = Reading((2, 5, 8, 11))

    class Never:
        """A backbone that must not be called."""

        def __init__(self) -> None:
            self.loaded, self.identity = backbone.loaded, backbone.identity
            self.device, self.batch_size = backbone.device, backbone.batch_size
            self.blocks = backbone.blocks

    def data_of(looks: Backbone | Never) -> DenseData:
        store = FeatureStore(plan.cache, looks, short_side=SHORT_SIDE)
        return DenseData(store, items, reading=reading)

    store = data_of(backbone)
    store.compute(lambda done, total: None)
    again = data_of(Never())
    again.compute(lambda done, total: None)
    assert torch.equal(store.read(2).patches, again.read(2).patches)
    assert again.read(2).patches.shape == (5, 4, 6, 192)
    assert again.data_sha256 == store.data_sha256


def test_copies_of_a_picture_are_one_group(tmp_path: Path) -> None:
    for number, name in enumerate(("a", "b", "c")):
        picture, mask = halves(number // 2)
        for folder, pixels in (("pictures", picture), ("masks", mask)):
            (tmp_path / folder).mkdir(exist_ok=True)
            Image.fromarray(pixels).save(tmp_path / folder / f"{name}.png")
    first, copy, other = pairs(tmp_path / "pictures", tmp_path / "masks", MaskFile())
    assert first.group == copy.group != other.group

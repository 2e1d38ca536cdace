"""Dense heads learn what the features hold, and say it through the real operators."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from operators.depth.operator import Depth
from operators.frames import CELLS, Features
from operators.learn.dense_pictures import DensePicture, batches, cell_truth, dense_batch
from operators.learn.dense_training import Schedule, Split
from operators.learn.depth_head import RATE, fit_depth_head
from operators.learn.metrics import IGNORED
from operators.learn.segmentation_head import fit_segmentation_head, segmentation_from_clicks
from operators.segmentation.labelsets import parse_label_set
from operators.segmentation.operator import Segmentation
from operators.weights.heads import Head

GRID = (7, 9)
NOISY = 12  # channels that hold noise or what is to be learnt; the others say nothing
SPLIT = Split(range(10), range(10, 14))


@dataclass
class Pictures:
    """Pictures in a list."""

    made: list[DensePicture]

    @property
    def groups(self):
        return [str(index) for index in range(len(self.made))]

    @property
    def grids(self):
        return [one.grid for one in self.made]

    def read(self, index):
        return self.made[index]


def per_patch(values, pixels=14):
    return torch.from_numpy(np.kron(values, np.ones((pixels, pixels)))).to(
        torch.uint8 if values.dtype.kind == "i" else torch.float32
    )


@pytest.fixture
def labelled(tiny):
    """Pictures of stripes; channel k of a patch is larger where its class is k."""

    def made(number):
        draw = np.random.Generator(np.random.PCG64(number))
        stripes = (np.arange(GRID[1]) // 3 + draw.integers(3)) % 3
        ids = np.broadcast_to(stripes, GRID)
        patches = draw.standard_normal((1, *GRID, tiny.width)).astype(np.float32) * 5 + 20
        patches[..., NOISY:] = 1.0
        for id_ in range(3):
            patches[0, ..., id_] += 30 * (ids == id_)
        truth = per_patch(np.array(ids))
        truth[:2] = IGNORED
        return DensePicture(torch.from_numpy(patches), torch.zeros(1, tiny.width), truth)

    return Pictures([made(number) for number in range(14)])


@pytest.fixture
def ranged(tiny):
    """Pictures of slopes; the last block's channel 7 and its class token tell the depth."""

    def made(number, blocks):
        draw = np.random.Generator(np.random.PCG64(100 + number))
        patches = draw.standard_normal((blocks, *GRID, tiny.width)).astype(np.float32)
        cls = draw.standard_normal((blocks, tiny.width)).astype(np.float32)
        slope = np.linspace(-2.0, 2.0, GRID[1]) * draw.choice([-1.0, 1.0])
        depth = np.broadcast_to(4.0 + slope + np.tanh(cls[-1, 2]), GRID)
        patches[..., NOISY:] = cls[..., NOISY:] = 0.5
        patches[-1, ..., 7] = slope + 0.1 * patches[-1, ..., 7]
        truth = per_patch(np.array(depth))
        truth[0] = 0.0
        return DensePicture(torch.from_numpy(patches), torch.from_numpy(cls), truth)

    return lambda blocks, count=30: Pictures([made(number, blocks) for number in range(count)])


def features(picture, tiny, frame, blocks=()):
    """What the backbone would hand the operators for one stored picture."""
    patches = picture.patches.float()
    layers = {
        block: (patches[row][None], picture.cls[row][None]) for row, block in enumerate(blocks)
    }
    return Features((frame(0),), picture.cls[:1], patches[:1], layers)


@pytest.mark.slow
def test_a_segmentation_head_learns_and_the_operator_reads_it(labelled, tiny, frame):
    schedule = Schedule(steps=150, rate=2e-2)
    tensors, fitted = fit_segmentation_head(
        labelled, SPLIT, 3, schedule=schedule, tell=lambda done, total: None
    )
    assert min(fitted.losses) < 0.5
    rows = [{"id": i, "name": f"c{i}", "rgb": [i, i, i]} for i in range(3)]
    head = Head("segmentation", "test", tensors, "0" * 64)
    operator = Segmentation(head, tiny, parse_label_set("own", rows))
    logits = operator.scores(features(labelled.made[12], tiny, frame), slice(1))[0]
    truth = cell_truth(labelled.made[12].truth, GRID)
    known = truth != IGNORED
    assert (logits.argmax(-1)[known] == truth[known]).float().mean() > 0.8
    again, _ = fit_segmentation_head(
        labelled, SPLIT, 3, schedule=schedule, tell=lambda done, total: None
    )
    assert all(torch.equal(tensors[name], again[name]) for name in tensors), "seeded"


@pytest.mark.slow
@pytest.mark.parametrize(("blocks", "layers"), [(1, (11,)), (4, (2, 5, 8, 11))])
def test_a_depth_head_learns_and_the_operator_reads_it(ranged, tiny, frame, blocks, layers):
    pictures = ranged(blocks)
    split = Split(range(26), range(26, 30))
    steps = []
    tensors, _ = fit_depth_head(
        pictures,
        split,
        (0.5, 9.0),
        schedule=Schedule(steps=20, rate=RATE),
        tell=lambda done, total: steps.append((done, total)),
    )
    assert steps[-1] == (20, 20)
    operator = Depth(
        Head("depth", "test", tensors, "0" * 64), tiny, range_m=(0.5, 9.0), domain="own"
    )
    assert tuple(operator.layers) == layers
    picture = pictures.made[3]
    metres = operator.metres(features(picture, tiny, frame, layers), slice(1))[0]
    truth = cell_truth(picture.truth, GRID)
    known = truth > 0
    off = ((metres - truth).abs() / truth)[known].mean()
    constant = ((truth[known].median() - truth[known]).abs() / truth[known]).mean()
    assert off < 0.7 * constant


@pytest.mark.parametrize("classes", [2, 3])
def test_a_few_clicks_make_a_head(labelled, tiny, frame, classes):
    patches = torch.cat([one.patches[0].flatten(0, 1) for one in labelled.made[:2]])
    ids = torch.cat([one.truth[7::14, 7::14].flatten() for one in labelled.made[:2]])
    chosen = ids < classes
    tensors = segmentation_from_clicks(patches[chosen], ids[chosen].tolist(), classes)
    rows = [{"id": i, "name": f"c{i}", "rgb": [i, i, i]} for i in range(classes)]
    operator = Segmentation(
        Head("segmentation", "test", tensors, "0" * 64), tiny, parse_label_set("own", rows)
    )
    picture = labelled.made[5]
    logits = operator.scores(features(picture, tiny, frame), slice(1))[0, 1::CELLS, 1::CELLS]
    truth = picture.truth[7::14, 7::14]
    known = truth < classes
    assert (logits.argmax(-1)[known] == truth[known]).float().mean() > 0.7


def test_batches_hold_one_size_and_every_picture(labelled):
    wide = DensePicture(torch.zeros(1, 2, 2, 8), torch.zeros(1, 8), torch.zeros(28, 28))
    pictures = Pictures([*labelled.made[:3], wide, wide])
    feed = batches(pictures, range(5), dense_batch, size=2, seed=0)
    sizes = [next(feed).patches.shape for _ in range(3)]
    assert sorted(shape[0] for shape in sizes) == [1, 2, 2]
    assert {shape[2:4] for shape in sizes} == {GRID, (2, 2)}


def test_the_truth_is_read_at_the_middle_of_each_cell():
    truth = torch.arange(28 * 14).view(28, 14)
    cells = cell_truth(truth, (2, 1))
    assert cells.shape == (8, 4)
    assert cells[0].tolist() == [14 + column for column in (1, 5, 8, 12)]

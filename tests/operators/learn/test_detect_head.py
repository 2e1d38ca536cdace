"""A decoder learns where things are from features that show them, and goes on after a kill."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from operators.detect.boxes import corners, generalised_iou
from operators.detect.decoder import Decoder, DecoderShape
from operators.errors import DinostreamError
from operators.frames import CELLS
from operators.learn.dense_pictures import DensePicture
from operators.learn.dense_training import Schedule, Split
from operators.learn.detect_head import begun, fit_detect_head
from operators.learn.things import Things, thing_batch, truth_of

WIDTH, GRID = 16, (6, 8)
HELD_OUT = range(200, 220)
SHAPE = DecoderShape(width=32, heads=2, layers=1, queries=8)
SCHEDULE = Schedule(steps=120, batch=8, rate=4e-3, checks=1)


class Pictures:
    """Up to three blocks of patches of one of two kinds, which features show as a channel each."""

    groups = tuple(str(index) for index in range(220))
    grids = (GRID,) * 220

    def read(self, index: int) -> DensePicture:
        draw = torch.Generator().manual_seed(index)
        patches = torch.randn(*GRID, 4 * WIDTH, generator=draw) * 0.1
        free, rows = torch.ones(GRID, dtype=torch.bool), []
        for _ in range(3):
            kind, down, across = (
                int(torch.randint(0, most, (), generator=draw)) for most in (2, 5, 6)
            )
            place = slice(down, down + 2), slice(across, across + 3)
            if free[place].all():
                patches[(*place, kind)] += 4
                free[max(0, down - 1) : down + 3, max(0, across - 1) : across + 4] = False
                rows.append((kind, across / 8, down / 6, (across + 3) / 8, (down + 2) / 6, 0))
        return DensePicture(patches[None], torch.zeros(1, 1), torch.from_numpy(truth_of(rows)))


class Masked(Pictures):
    """The same with masks, one pixel a cell, and every fifth thing without one."""

    def read(self, index: int) -> DensePicture:
        own = super().read(index)
        masks = torch.zeros(len(own.truth), *(CELLS * side for side in GRID), dtype=torch.bool)
        for mask, row in zip(masks, own.truth[:, 1:5].tolist(), strict=True):
            across, down = GRID[1] * CELLS, GRID[0] * CELLS
            left, top, right, bottom = (
                round(edge * side) for edge, side in zip(row, (across, down) * 2, strict=True)
            )
            mask[top:bottom, left:right] = True
        if index % 5 == 0:
            masks[:1] = False
        return replace(own, masks=masks)


@pytest.mark.slow
def test_it_learns_masks_where_the_data_have_them() -> None:
    shape = replace(SHAPE, mask_width=8)
    weights, _ = fit_detect_head(
        Masked(), Split(range(200), HELD_OUT), 2, shape=shape, schedule=SCHEDULE,
        tell=lambda *_: None,
    )  # fmt: skip
    decoder = Decoder(WIDTH, 2, shape)
    decoder.load_state_dict(weights)
    shares = []
    for index in HELD_OUT:
        picture = Masked().read(index)
        with torch.inference_mode():
            last = decoder(picture.patches)[-1]
        for (_, *box), mask in zip(picture.truth[:, :5].tolist(), picture.masks, strict=True):
            overlap = generalised_iou(corners(last.boxes[0]), torch.tensor(box))
            own = last.masks[0, int(overlap.argmax())] > 0
            if mask.any():
                shares.append(float((own & mask).sum() / (own | mask).sum()))
    assert len(shares) > 20
    assert sum(shares) / len(shares) > 0.75


def test_cells_hold_the_share_of_a_mask_and_what_does_not_count_is_left_out() -> None:
    truth = torch.from_numpy(truth_of([(1, 0, 0, 0.5, 0.5, 0), (0, 0, 0, 1, 1, 1)]))
    masks = torch.zeros(2, 8, 8, dtype=torch.bool)
    masks[0, :4, :3] = masks[1] = True
    picture = DensePicture(torch.zeros(1, 1, 1, 16), torch.zeros(1, 1), truth, masks)
    (own,) = thing_batch([picture]).things
    assert own.masks.shape == (1, CELLS, CELLS)
    assert own.masks[0, :2].tolist() == [[1, 0.5, 0, 0]] * 2
    assert not own.masks[0, 2:].any()
    assert own.repeated(4).masks is None


def learnt(schedule: Schedule = SCHEDULE, **more: object) -> dict[str, torch.Tensor]:
    split = Split(range(200), HELD_OUT)
    told: dict[str, object] = {"tell": lambda *_: None} | more
    weights, _ = fit_detect_head(Pictures(), split, 2, shape=SHAPE, schedule=schedule, **told)
    return weights


@pytest.mark.slow
def test_it_finds_what_the_features_show() -> None:
    decoder = Decoder(WIDTH, 2, SHAPE)
    decoder.load_state_dict(learnt())
    found = things = 0
    for index in HELD_OUT:
        picture = Pictures().read(index)
        with torch.inference_mode():
            last = decoder(picture.patches)[-1]
        scores, labels = last.logits[0].softmax(-1)[:, :-1].max(-1)
        for label, *box in picture.truth[:, :5].tolist():
            overlap = generalised_iou(corners(last.boxes[0]), torch.tensor(box))
            found += bool(((overlap > 0.5) & (labels == label) & (scores > 0.3)).any())
            things += 1
    assert things > 20
    assert found > 0.8 * things


@pytest.mark.slow
def test_a_training_that_was_stopped_ends_at_the_same_weights(tmp_path: Path) -> None:
    schedule = replace(SCHEDULE, steps=6, checks=3)
    whole = learnt(schedule)
    path = tmp_path / "one.pt"

    def stop(step: int, _: int) -> None:
        if step == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        learnt(schedule, tell=stop, checkpoint=path)
    steps: list[int] = []
    again = learnt(schedule, tell=lambda step, _: steps.append(step), checkpoint=path)
    assert steps == [5, 6]
    assert all(torch.equal(again[name], whole[name]) for name in whole)
    assert not path.exists()


def test_it_begins_sure_of_nothing_with_a_box_around_every_patch() -> None:
    blocks = torch.randn(1, *GRID, 4 * WIDTH, generator=torch.Generator().manual_seed(0))
    proposed, *_, last = begun(WIDTH, 2, SHAPE, seed=0)(blocks)
    assert proposed.boxes.shape == (1, 48, 4)
    assert proposed.boxes[0, 9].tolist() == pytest.approx([1.5 / 8, 1.5 / 6, 2 / 8, 2 / 6])
    assert bool((last.logits.softmax(-1)[..., :-1].sum(-1) < 0.5).all())
    again = begun(WIDTH, 2, SHAPE, seed=0).state_dict()
    assert all(torch.equal(one, again[name]) for name, one in begun(WIDTH, 2, SHAPE, seed=0)
               .state_dict().items())  # fmt: skip


def test_what_does_not_count_is_not_learnt() -> None:
    truth = torch.from_numpy(truth_of([(1, 0.1, 0.2, 0.3, 0.6, 0), (0, 0.5, 0.5, 0.6, 0.6, 1)]))
    own = Things.of(truth)
    assert own.labels.tolist() == [1]
    assert own.boxes.tolist() == [pytest.approx([0.2, 0.4, 0.2, 0.4])]


def test_a_loss_that_is_no_number_ends_the_training() -> None:
    class Broken(Pictures):
        def read(self, index: int) -> DensePicture:
            own = super().read(index)
            return replace(own, patches=own.patches * torch.nan)

    with pytest.raises(DinostreamError, match="training went astray"):
        fit_detect_head(
            Broken(),
            Split(range(8), ()),
            2,
            shape=SHAPE,
            schedule=SCHEDULE,
            tell=lambda *_: None,
        )

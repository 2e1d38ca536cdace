"""The picture of a real run: its size, its rows, and that each column shows one moment."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from pipeline.demo.clip import DemoClip
from pipeline.demo.demonstration import draw_run
from pipeline.demo.layout import COLUMNS, WIDTH, Grid, evenly
from pipeline.drawing.palette import depth_colours
from pipeline.drawing.warning import OUT_OF_DOMAIN, UNTRAINED
from pipeline.synthetic.scene import open_scene

MODEL_ROWS = [(topic, "model") for topic in ("depth", "segmentation", "pca", "tracks", "action")]


def draw(run, **changes):
    plan = replace(run.plan, **changes)
    return draw_run(plan, run.spec, run.footage, run.findings)


@pytest.fixture(scope="module")
def picture(first_run):
    return draw(first_run)


@pytest.fixture(scope="module")
def shown(first_run):
    """The frames in the columns, and their grid."""
    shots = first_run.findings.shots
    chosen = [shots[number] for number in evenly(len(shots))]
    times_s = tuple(shot.time_us / 1e6 for shot in chosen)
    return chosen, Grid(first_run.findings.source_hw, times_s)


def cell(picture, grid, column, shows, section="frames"):
    """What stands in a cell, RGB float."""
    (row,) = (row for row in picture.rows if (row.section, row.shows) == (section, shows))
    left, top, right, bottom = (round(edge) for edge in grid.cell(column, row.top))
    return np.asarray(picture.image.crop((left, top, right, bottom)), np.float32)


def test_it_is_1600_pixels_wide_and_lies_where_it_should(first_run, picture):
    with Image.open(first_run.plan.picture) as image:
        assert image.format == "PNG"
        assert image.size == picture.image.size
    assert picture.image.width == WIDTH == 1600


def test_every_operator_has_a_row_with_its_truth_below(picture):
    assert [(row.section, row.shows) for row in picture.rows] == [
        ("frames", "frames"),
        *(("depth", shows) for shows in ("model", "truth")),
        *(("segmentation", shows) for shows in ("model", "truth")),
        ("pca", "model"),
        *(("tracks", shows) for shows in ("model", "truth")),
        *(("action", shows) for shows in ("model", "truth")),
        ("embedding", "model"),
    ]


def test_rows_stand_apart_and_inside_the_picture(picture):
    assert all(above.bottom < below.top for above, below in pairwise(picture.rows))
    assert all(row.top < row.bottom for row in picture.rows)
    assert picture.rows[-1].bottom < picture.image.height


def test_no_row_is_empty(picture):
    pixels = np.asarray(picture.image)
    assert all(pixels[row.top : row.bottom, 200:].std() > 1 for row in picture.rows)


def test_footage_has_no_truth(first_run):
    plain = draw(first_run, clip=DemoClip(first_run.plan.clip.source))
    assert [(row.section, row.shows) for row in plain.rows] == [
        ("frames", "frames"), *MODEL_ROWS, ("embedding", "model"),
    ]  # fmt: skip


def test_untrained_weights_are_said_on_it(picture):
    assert picture.warning == UNTRAINED == (
        "UNTRAINED WEIGHTS: shapes are real, values mean nothing"
    )  # fmt: skip


def test_trained_records_carry_no_warning_but_where_only_scenes_were_learnt(first_run):
    trained = replace(first_run.findings, untrained=frozenset())
    drawn = draw_run(first_run.plan, first_run.spec, first_run.footage, trained)
    assert drawn.warning == ""
    foreign = replace(trained, out_of_domain=frozenset({"depth"}))
    drawn = draw_run(first_run.plan, first_run.spec, first_run.footage, foreign)
    assert drawn.warning == OUT_OF_DOMAIN


def test_windows_that_say_nothing_are_drawn_as_such(first_run):
    windows = tuple(replace(window, labels=()) for window in first_run.findings.windows)
    silent = replace(first_run.findings, windows=windows)
    drawn = draw_run(first_run.plan, first_run.spec, first_run.footage, silent)
    assert ("action", "model") in [(row.section, row.shows) for row in drawn.rows]


def test_at_most_six_frames_the_first_and_the_last_among_them(shown, first_run):
    chosen, _ = shown
    assert len(chosen) == COLUMNS == 6
    assert (chosen[0], chosen[-1]) == (first_run.findings.shots[0], first_run.findings.shots[-1])


def test_a_column_shows_the_frame_that_its_records_are_of(picture, shown, first_run):
    chosen, grid = shown
    scene = open_scene(first_run.plan.clip.scene)
    rendered = [scene.render(round(shot.pts_s * scene.spec.fps)).rgb for shot in chosen]
    for column in range(COLUMNS):
        seen = cell(picture, grid, column, "frames")
        size = (seen.shape[1], seen.shape[0])
        distances = [
            np.abs(np.asarray(Image.fromarray(rgb).resize(size), np.float32) - seen).mean()
            for rgb in rendered
        ]
        assert int(np.argmin(distances)) == column
        assert distances[column] < 10


def test_the_truth_of_depth_is_that_of_the_column(picture, shown, first_run):
    chosen, grid = shown
    scene = open_scene(first_run.plan.clip.scene)
    maps = [scene.render(round(shot.pts_s * scene.spec.fps)).depth_m for shot in chosen]
    for column in range(COLUMNS):
        seen = cell(picture, grid, column, "truth", "depth")
        size = (seen.shape[1], seen.shape[0])
        distances = [
            np.abs(
                np.asarray(Image.fromarray(depth_colours(depth_m, 1, 8)).resize(size), np.float32)
                - seen
            ).mean()
            for depth_m in maps
        ]
        assert int(np.argmin(distances)) == column

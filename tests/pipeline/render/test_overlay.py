"""What is drawn over the video: boxes, tracks and their tails, a banner."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from operators.detect.run_lengths import run_lengths
from operators.errors import UsageError
from operators.result import JSON, canonical_json
from pipeline.drawing.canvas import Canvas
from pipeline.drawing.palette import ACCENT, CLASS_COLOURS, GREY, RGB, WARNING_PAPER
from pipeline.records.message import Publisher
from pipeline.records.record import Message
from pipeline.render.film import Outputs
from pipeline.render.layout import arranged
from pipeline.render.overlay import Boxes, Cuts, Overlay, Scale, Tracks, View
from pipeline.render.rendering import EVERYTHING, render
from pipeline.stream.chunk import Shot

SECOND = 1_000_000
SCALE = Scale(4.0, 4.0, (640, 360))
Made = Callable[..., Message]


@pytest.fixture
def made(records: Any) -> Made:
    """`made(7, "tracks", {...})`: what a topic says of the 7th frame."""

    def of(number: int, topic: str, said: Any) -> Message:
        message: Message = records.of(records.info(number), topic, JSON, canonical_json(said))
        return message

    return of


def drawn(overlay: Overlay, moment_us: int) -> np.ndarray:
    """On white, as integers."""
    canvas = Canvas(*SCALE.size_wh)
    overlay.draw(canvas, SCALE, moment_us, 0)
    return np.asarray(canvas.finish(SCALE.size_wh[1])).astype(int)


def has(pixels: np.ndarray, xy: tuple[float, float], colour: RGB) -> bool:
    """Within two pixels of a place of the source."""
    x, y = (round(value * 4) for value in xy)
    near = pixels[max(0, y - 2) : y + 3, max(0, x - 2) : x + 3]
    return bool((np.abs(near - colour).max(axis=2) < 25).any())


def detections(*boxes: Sequence[float]) -> dict[str, Any]:
    named = enumerate(("box", "sphere"))
    return {
        "objects": [
            {"box": box, "id": number, "name": name, "score": 0.9}
            for box, (number, name) in zip(boxes, named, strict=False)
        ]
    }


def track(number: int, box: Sequence[float], state: str = "seen") -> dict[str, Any]:
    label = {"id": 3, "name": "sphere"}
    kept = {"id": number, "box": box, "label": label, "score": 0.8}
    return kept | {"state": state, "age_s": 0.5, "start": "0"}


def test_a_box_stands_where_its_record_says_until_the_next_one(made: Made) -> None:
    boxes = Boxes(
        iter(
            [
                made(0, "detections", detections([20, 30, 60, 70], [90, 40, 120, 60])),
                made(5, "detections", detections()),
            ]
        )
    )
    pixels = drawn(boxes, 0)
    for place in ((20, 50), (60, 50), (40, 70), (60, 30)):
        assert has(pixels, place, CLASS_COLOURS[0])
    assert has(pixels, (90, 50), CLASS_COLOURS[1])
    assert not has(pixels, (40, 50), CLASS_COLOURS[0])
    assert (drawn(boxes, SECOND // 2) == 255).all()


def test_a_mask_tints_what_is_inside(made: Made) -> None:
    said = detections([20, 30, 60, 70])
    cells = np.zeros((9, 16), dtype=bool)  # of 10 x 10 pixels of the source
    cells[3:7, 2:4] = True
    said["objects"][0]["mask"] = run_lengths(cells)
    pixels = drawn(Boxes(iter([made(0, "detections", said)])), 0)
    half = tuple((255 + value) // 2 for value in CLASS_COLOURS[0])
    assert has(pixels, (30, 50), half)
    assert not has(pixels, (50, 50), half)
    assert pixels[200, 200].tolist() == [255] * 3


def test_words_stay_within_the_picture(made: Made) -> None:
    boxes = Boxes(iter([made(0, "detections", detections([150, 0, 160, 20]))]))
    pixels = drawn(boxes, 0)
    assert has(pixels, (145, 2), CLASS_COLOURS[0])  # below the upper edge, left of the right one


def test_a_track_has_its_colour_and_a_tail_of_where_it_was(made: Made) -> None:
    way = [
        made(n, "tracks", {"tracks": [track(1, [10 + 4 * n, 20, 30 + 4 * n, 60])]})
        for n in range(20)
    ]
    tracks = Tracks(iter(way))
    pixels = drawn(tracks, int(1.9 * SECOND))  # frames between are passed, and drawn as tail
    colour = CLASS_COLOURS[1]
    assert has(pixels, (10 + 76, 40), colour)
    assert has(pixels, (20, 60), colour)
    assert has(pixels, (60, 60), colour)
    assert not has(pixels, (10, 40), colour)  # no box of before


def test_a_tail_ends_and_a_lost_track_is_grey(made: Made) -> None:
    first = made(0, "tracks", {"tracks": [track(2, [10, 20, 30, 60])]})
    later = made(40, "tracks", {"tracks": [track(2, [110, 20, 130, 60], "lost")]})
    tracks = Tracks(iter([first, later]))
    pixels = drawn(tracks, 4 * SECOND)
    assert has(pixels, (110, 40), GREY)
    assert not has(pixels, (60, 60), CLASS_COLOURS[2])
    gone = Tracks(iter([first, made(1, "tracks", {"tracks": []})]))
    assert (drawn(gone, SECOND) == 255).all()


def test_a_banner_stands_while_a_view_is_spoilt(made: Made) -> None:
    def view(kind: str | None) -> dict[str, Any]:
        since = {"position": "5", "time": "1970-01-01T00:00:00.500000Z"}
        return {"view": kind, "since": since if kind else None, "signs": None}

    views = [made(0, "tamper", view(None)), made(5, "tamper", view("covered"))]
    overlay = View(iter([*views, made(15, "tamper", view("clear"))]))
    moments = (0, SECOND, 2 * SECOND)
    assert [has(drawn(overlay, moment), (1, 3), WARNING_PAPER) for moment in moments] == [
        *(False, True, False)
    ]


@pytest.fixture
def shot(records: Any) -> Callable[..., Message]:
    """`shot(5, 9, "cut")`: what is told of a shot from the 5th frame to the 9th."""

    def of(first: int, last: int, began: Any) -> Message:
        info = records.info(last)
        told = Shot(records.info(first).place, info, last - first + 1, began)
        return Publisher("cam", "feedfacecafe", "no model").shot(told, "0123456789ab")

    return of


def test_a_cut_is_marked_for_half_a_second(shot: Callable[..., Message]) -> None:
    told = [shot(0, 4, "start"), shot(5, 6, "cut"), shot(7, 19, "fade")]
    marks = Cuts(iter([*told, told[1]]))  # a job that was done afresh tells it again
    found = {
        number: has(drawn(marks, number * SECOND // 10), (80, 0.5), ACCENT) for number in range(20)
    }
    assert [number for number, marked in found.items() if marked] == [*range(5, 12)]
    second, third = (drawn(marks, number * SECOND // 10) for number in (5, 8))
    assert (second != third).any(), "each has its number"


@pytest.mark.slow
def test_shots_are_any_models_and_are_drawn_alone_too(
    wish: Any, tmp_path: Path, records: Any, shot: Callable[..., Message]
) -> None:
    told = [shot(0, 9, "start"), shot(10, 19, "cut")]
    path = tmp_path / "out.png"
    looks = {"operators": EVERYTHING, "still_s": 1.2}
    for number, (others, panels, model) in enumerate(
        [((), 1, ""), (records.maps(0)[2:], 2, records.model)]
    ):
        made = wish(Outputs(png=path), [*others, *told], **looks)
        done = render(replace(made, model=model or None), tell=lambda _: None)
        assert (done.model, "shots" in done.operators, len(done.operators)) == (model, True, panels)
        cell = arranged(panels, (90, 160)).cells[0]
        with Image.open(path) as image:
            pixels = np.asarray(image.crop(cell.box).resize((640, 360))).astype(int)
        assert has(pixels, (80, 0.5), ACCENT), number
        (tmp_path / "results.db").unlink()
    made = wish(Outputs(png=path), told, **looks, model="dinov2_vits14")
    with pytest.raises(UsageError, match="are of no model; none are of dinov2_vits14"):
        render(made, tell=lambda _: None)


@pytest.mark.slow
def test_it_lies_over_the_video_of_a_film_whatever_the_layout(
    wish: Any, tmp_path: Path, records: Any, made: Made
) -> None:
    tracks = made(0, "tracks", {"tracks": [track(1, [20, 30, 60, 70])]})
    boxes = made(0, "detections", detections([90, 40, 120, 60]))
    path = tmp_path / "out.png"
    for layout, panels in (("side", 5), ("blend", 5)):
        looks = {"layout": layout, "still_s": 0.0, "operators": EVERYTHING}
        render(
            wish(Outputs(png=path), [*records.all(), tracks, boxes], **looks), tell=lambda _: None
        )
        cell = arranged(panels, (90, 160)).cells[0]
        with Image.open(path) as image:
            pixels = np.asarray(image.crop(cell.box).resize((640, 360))).astype(int)
        assert has(pixels, (20, 50), CLASS_COLOURS[1])
        assert not has(pixels, (90, 50), CLASS_COLOURS[0])  # detections stand behind their tracks
        path.unlink()
        (tmp_path / "results.db").unlink()

"""Films of known records, decoded again: the right colours at the right places and times."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from operators.errors import UsageError
from operators.png import grey16_png
from operators.result import PNG, canonical_json
from pipeline.drawing.palette import CLASS_COLOURS, NOTHING, amount_colours, depth_colours
from pipeline.errors import SinkError, SourceError
from pipeline.media.plain import plain_frames
from pipeline.render import rendering
from pipeline.render.film import Outputs
from pipeline.render.layout import WIDTH, arranged
from pipeline.render.rendering import render
from pipeline.sinks.uri import open_reader, open_sink
from pipeline.synthetic.scene import open_scene
from pipeline.synthetic.uri import parse_scene_uri

SOURCE_HW = (90, 160)
# The scale's ends: round numbers around 1 m and 5 m.
NEAR, FAR = depth_colours(np.array([[1.0, 5.0]], np.float32), 1.0, 5.0)[0]


def film(path: Path, fps: float = 5) -> list[np.ndarray]:
    return [np.asarray(image) for _, image in plain_frames(str(path), fps)]


def inside(cell, share):
    """A pixel at half the cell's height and so much of its width."""
    return cell.top + cell.height // 2, cell.left + int(cell.width * share)


def near(pixels, place, colour, tolerance=14):
    return np.abs(pixels[place].astype(int) - np.asarray(colour, int)).max() <= tolerance


def ignore(_):
    pass


@pytest.mark.slow
def test_maps_stand_beside_the_video_and_hold_until_the_next(wish, tmp_path, spec):
    path = tmp_path / "out.mp4"
    done = render(wish(Outputs(mp4=path)), tell=ignore)
    assert (done.stream, done.frames) == ("cam", 20)
    assert done.operators == ("depth", "segmentation", "pca", "action")
    frames = film(path, 10)
    assert len(frames) == 20
    layout = arranged(5, SOURCE_HW)
    video, depth, classes, colours, _ = layout.cells
    scene = open_scene(parse_scene_uri(spec.url))
    for number, pixels in enumerate(frames):
        assert pixels.shape == (layout.height, WIDTH, 3)
        one, other = (0.75, 0.25) if number % 10 >= 5 else (0.25, 0.75)
        assert near(pixels, inside(depth, one), NEAR)
        assert near(pixels, inside(depth, other), FAR)
        assert near(pixels, inside(classes, one), CLASS_COLOURS[0])
        assert near(pixels, inside(classes, other), CLASS_COLOURS[1])
        assert near(pixels, inside(colours, one), (200, 0, 0))
        assert near(pixels, inside(colours, other), (0, 0, 200))
        shown = pixels[video.top : video.top + video.height, video.left : video.left + video.width]
        real = Image.fromarray(scene.render(number).rgb).resize((video.width, video.height))
        assert np.abs(shown.astype(int) - np.asarray(real)).mean() < 6


@pytest.mark.slow
def test_bars_are_as_long_as_the_scores_of_the_window(wish, tmp_path):
    path = tmp_path / "out.mp4"
    render(wish(Outputs(mp4=path), operators=("action",), fps=5.0), tell=ignore)
    frames = film(path)
    cell = arranged(2, SOURCE_HW).cells[1]

    def length(pixels):
        rows = pixels[cell.top : cell.top + cell.height, cell.left : cell.left + cell.width]
        blue = np.abs(rows.astype(int) - (0, 99, 132)).max(axis=2) < 30
        return blue.sum(axis=1).max()

    assert length(frames[1]) / length(frames[7]) == pytest.approx(0.9 / 0.4, rel=0.05)


@pytest.mark.slow
def test_a_window_may_say_nothing(wish, tmp_path, records):
    path = tmp_path / "out.png"
    window = records.window(0, 15, "orbit", 0.9)
    silent = replace(window, value=canonical_json(json.loads(window.value) | {"labels": []}))
    render(wish(Outputs(png=path), [silent], operators=("action",)), tell=ignore)
    cell = arranged(2, SOURCE_HW).cells[1]
    with Image.open(path) as image:
        pixels = np.asarray(image.crop(cell.box)).astype(int)
    assert (pixels.max(axis=2) < 120).sum() > 200  # words
    assert not (np.abs(pixels - (0, 99, 132)).max(axis=2) < 10).any()


@pytest.mark.slow
def test_blended_the_video_is_seen_through_the_map(wish, tmp_path):
    path = tmp_path / "out.png"
    blended = wish(Outputs(png=path), operators=("depth",), layout="blend", still_s=0.0)
    render(blended, tell=ignore)
    (cell,) = arranged(1, SOURCE_HW).cells
    with Image.open(path) as image:
        first = np.asarray(image).astype(int)
    left = first[cell.top + 20 : cell.top + cell.height - 20, cell.left + 20 : cell.left + 300]
    grey = (left - 0.6 * NEAR.astype(float)) / 0.4
    assert np.abs(grey - grey.mean(axis=2, keepdims=True)).mean() < 12
    assert left.std() > 5


@pytest.mark.slow
def test_what_is_unusual_is_bright(wish, tmp_path, records):
    path = tmp_path / "out.png"
    halves = np.repeat([[0, 1]], (6, 6), axis=1).repeat(9, axis=0)
    maps = [
        records.of(records.info(number), "anomaly", PNG, grey16_png((halves * most).astype("u2")))
        for number, most in ((0, 4000), (10, 2000))
    ]
    render(wish(Outputs(png=path), maps, operators=("anomaly",), still_s=0.0), tell=ignore)
    cell = arranged(2, SOURCE_HW).cells[1]
    with Image.open(path) as image:
        pixels = np.asarray(image)
    usual, unusual = amount_colours(np.array([[0.0, 0.4]], np.float32), 0.0, 0.4)[0]
    assert near(pixels, inside(cell, 0.25), usual)
    assert near(pixels, inside(cell, 0.75), unusual)


@pytest.mark.slow
def test_before_the_first_record_there_is_grey(wish, tmp_path, records):
    path = tmp_path / "out.mp4"
    late = [m for m in records.all() if m.topic != "depth" or "/15/" in m.id]
    render(wish(Outputs(mp4=path), late, operators=("depth", "pca"), fps=5.0), tell=ignore)
    cell = arranged(3, SOURCE_HW).cells[1]
    frames = film(path)
    assert near(frames[0], inside(cell, 0.25), NOTHING)
    assert not near(frames[8], inside(cell, 0.25), NOTHING)


@pytest.mark.slow
def test_event_times_of_a_start_time_fit_the_footage(wish, tmp_path, records):
    path = tmp_path / "out.mp4"
    moved = []
    for message in records.all():
        headers = {
            name: value.replace("1970-01-01T00:", "2026-11-22T17:") if name == "ce_time" else value
            for name, value in message.headers.items()
        }
        moved.append(replace(message, headers=headers))
    render(wish(Outputs(mp4=path), moved, operators=("pca",), fps=5.0), tell=ignore)
    cell = arranged(2, SOURCE_HW).cells[1]
    for number, pixels in enumerate(film(path)):
        assert near(pixels, inside(cell, 0.75 if 2 * number % 10 >= 5 else 0.25), (200, 0, 0))


@pytest.mark.slow
def test_a_png_and_a_gif_are_made_in_the_same_pass(wish, tmp_path):
    outputs = Outputs(*(tmp_path / name for name in ("out.mp4", "out.gif", "out.png")))
    render(wish(outputs, still_s=0.6, fps=5.0), tell=ignore)
    assert sorted(path.name for path in tmp_path.glob("out*")) == ["out.gif", "out.mp4", "out.png"]
    depth = arranged(5, SOURCE_HW).cells[1]
    with Image.open(outputs.png) as still:
        assert near(np.asarray(still), inside(depth, 0.75), NEAR)
        assert still.width == WIDTH
    with Image.open(outputs.gif) as moving:
        assert (moving.n_frames, moving.width, moving.info["duration"]) == (10, 800, 200)
        moving.seek(0)
        pixels = np.asarray(moving.convert("RGB"))
        row, column = inside(depth, 0.25)
        assert near(pixels, (row // 2, column // 2), NEAR)


@pytest.mark.slow
def test_a_failure_leaves_no_file(wish, tmp_path):
    outputs = Outputs(mp4=tmp_path / "out.mp4", png=tmp_path / "out.png")

    def interrupt(shown):
        if shown.elapsed_s > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render(wish(outputs, fps=5.0), tell=interrupt)
    assert list(tmp_path.glob("out*")) == []
    with pytest.raises(SinkError, match=r"cannot write .*out\.mp4"):
        render(wish(Outputs(mp4=tmp_path / "absent" / "out.mp4")), tell=ignore)


def test_records_of_another_recording_are_refused(wish, spec, tmp_path, records):
    outputs = Outputs(mp4=tmp_path / "out.mp4")
    other = replace(spec, session="f" * 12)
    with pytest.raises(UsageError, match=rf"is session {'f' * 12}, and no .*cam: {spec.session}"):
        render(wish(outputs, spec=other), tell=ignore)
    with pytest.raises(UsageError, match=r"no .* records of stream door; there are: cam"):
        render(wish(outputs, stream="door"), tell=ignore)
    with pytest.raises(
        UsageError, match=r"are of dinov2_vitti14-0123456789ab; none are of dinov2_vits14"
    ):
        render(wish(outputs, model="dinov2_vits14"), tell=ignore)
    twice = [*records.all(), *replace(records, stream="door").all()]
    with pytest.raises(UsageError, match=r"2 streams in .*: cam, door; choose with --stream"):
        render(wish(outputs, twice), tell=ignore)


@pytest.mark.slow
def test_the_newest_variant_is_drawn(wish, tmp_path, records):
    path = tmp_path / "out.mp4"
    newer = replace(records, variant="f" * 12)
    messages = [*records.all(), *newer.maps(5)]
    render(wish(Outputs(mp4=path), messages, operators=("pca",), fps=5.0), tell=ignore)
    cell = arranged(2, SOURCE_HW).cells[1]
    frames = film(path)
    assert near(frames[1], inside(cell, 0.25), NOTHING)  # the newer run knows one frame only
    assert near(frames[6], inside(cell, 0.75), (200, 0, 0))


@pytest.mark.slow
def test_a_recording_that_cannot_be_decoded_is_said(wish, spec, tmp_path):
    text = tmp_path / "notes.mp4"
    text.write_text("this is no video\n" * 50)
    broken = replace(spec, url=str(text))
    with pytest.raises(SourceError, match="room-3: "):
        render(wish(Outputs(mp4=tmp_path / "out.mp4"), spec=broken), tell=ignore)


@pytest.mark.slow
def test_readers_are_closed(wish, tmp_path, monkeypatch):
    opened = []

    def kept(*arguments, **options):
        opened.append(open_reader(*arguments, **options))
        return opened[-1]

    monkeypatch.setattr(rendering, "open_reader", kept)
    render(wish(Outputs(png=tmp_path / "out.png"), still_s=0.0), tell=ignore)
    for reader in opened:
        with pytest.raises(Exception, match="closed"):
            reader.topics()


@pytest.mark.slow
@pytest.mark.needs_kafka
def test_records_on_kafka_are_drawn_alike(wish, records, kafka_uri, tmp_path):
    sink = open_sink(kafka_uri)
    sink.publish(records.all())
    sink.close()
    for name, more in (("a.png", {}), ("b.png", {"sink": kafka_uri})):
        outputs = Outputs(png=tmp_path / name)
        assert render(wish(outputs, still_s=1.2, **more), tell=ignore).stream == "cam"
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()

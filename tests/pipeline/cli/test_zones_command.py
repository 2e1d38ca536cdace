"""`dinostream zones` as a user calls it."""

import numpy as np
import pytest
from PIL import Image

FILE = """
weights: random
model: dinov2_vitti14
short_side: 28
threads: 1
operators: {segmentation: , depth: , zones: }
sampling: {fps: 5}
stall_s: 200
runtime: inline
streams:
  yard:
    url: synthetic:room?seed=3&seconds=1&fps=10&size=160x90
    zones:
      dock: {polygon: [[0.2, 0.3], [0.8, 0.3], [0.8, 0.9], [0.2, 0.9]]}
      gate: {line: [[0, 0], [160, 90]], unit: pixels}
  bare: {url: "synthetic:room?seed=3&seconds=1&fps=10&size=160x90"}
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "cameras.yaml"
    path.write_text(FILE)
    return path


def test_a_still_has_a_grid_and_what_is_drawn_over_the_stream(dinostream, file, tmp_path):
    done = dinostream("zones", "draw", "yard", "-c", file, "-o", "yard.png", "--at", "0.4")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "yard.png: yard, 160 x 90 pixels, 1 zone, 1 line\n"
    with_zones = np.asarray(Image.open(tmp_path / "yard.png")).astype(int)
    done = dinostream("zones", "draw", "bare", "-c", file, "-o", "bare.png", "--at", "0.4")
    assert done.stdout == "bare.png: bare, 160 x 90 pixels, 0 zones, 0 lines\n"
    bare = np.asarray(Image.open(tmp_path / "bare.png")).astype(int)
    assert with_zones.shape == bare.shape == (720 + 128, 1280 + 128, 3)
    changed = np.abs(with_zones - bare).max(axis=2) > 20
    assert changed[64 + 648 - 3 : 64 + 648 + 3, 64 + 500 : 64 + 900].any(axis=0).all()
    assert not changed[64 + 670 : 64 + 700, 64 + 200 : 64 + 900].any()


@pytest.mark.slow
def test_a_film_shows_zones_with_and_without_records(dinostream, file, tmp_path):
    done = dinostream("zones", "check", "yard", "-c", file, "-o", "a.png")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "a.png: 1 frames of yard, 1 zone, 1 line\n"
    missing = dinostream("zones", "check", "yard", "-c", file, "--sink", "sqlite:r.db")
    assert (missing.returncode, "no such database" in missing.stderr) == (2, True)
    assert dinostream("replay", "--config", file, "--sink", "sqlite:r.db").returncode == 0
    done = dinostream("zones", "check", "yard", "-c", file, "-o", "b.png", "--sink", "sqlite:r.db")
    assert done.returncode == 0, done.stderr
    told, bare = (np.asarray(Image.open(tmp_path / f"{name}.png")).astype(int) for name in "ba")
    assert (np.abs(told - bare).max(axis=2) > 60).sum() > 500, (
        "what is in the zone is written there"
    )
    later = ("-o", "c.png", "--at", "0.7")
    assert dinostream("zones", "check", "yard", "-c", file, *later).returncode == 0
    moved = np.asarray(Image.open(tmp_path / "c.png")).astype(int)
    assert (np.abs(moved - bare).max(axis=2) > 20).sum() > 500, "another frame, another time"
    source = "synthetic:room?seed=3&seconds=1&fps=10&size=160x90"
    drawn = dinostream(
        "render", "sqlite:r.db", "--source", source, "--stream", "yard", "-o", "d.png"
    )
    assert drawn.returncode == 0, drawn.stderr
    assert drawn.stdout.startswith("1 frames of yard: depth, segmentation, zones of")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("draw", "yrad"), "no stream 'yrad' in the configuration; did you mean yard?"),
        (("draw", "yard", "-o", "yard.mp4"), "yard.mp4: a still is a .png"),
        (("draw", "yard", "--at", "9"), "yard: no frame at 9 s"),
        (("draw", "yard", "-o", "no/yard.png"), "cannot write no/yard.png"),
        (
            ("draw", "yard", "--set", "streams.yard.zones.gate.line=[[0,0],[161,0]]"),
            "line gate: poi",
        ),
        (("check", "yard", "-o", "a.png", "--at", "9"), "--at 9: the footage ends at 1.0 s"),
        (("check", "bare"), "streams.bare has no zones to check; draw shows its picture"),
        (
            ("check", "yard", "--set", "streams.yard.url=rtsp://10.0.0.1/x"),
            "10.0.0.1/x is live; name",
        ),
    ],
)
def test_what_does_not_do_is_named(dinostream, file, arguments, text):
    done = dinostream("zones", *arguments, "-c", file)
    assert done.returncode in (1, 2)
    assert text in done.stderr
    assert "Traceback" not in done.stderr

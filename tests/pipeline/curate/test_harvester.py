"""Recordings give one frame per shot, the same whatever comes before and beside them."""

import io
from contextlib import closing

import numpy as np
import pytest
from PIL import Image

from operators.errors import UsageError
from pipeline.configuration.sources import plan_recordings
from pipeline.curate.harvester import Harvester
from pipeline.curate.setup import Setup

SETUP = Setup("dinov2_vitti14", "random", 0, 1, "torch", short_side=28, fps=5.0)
SCENE = "synthetic:yard?seed=1&seconds=3&fps=5&size=96x64"


@pytest.fixture(scope="module")
def harvester():
    with closing(Harvester(SETUP)) as harvester:
        yield harvester


@pytest.mark.slow
def test_a_film_gives_a_frame_of_each_shot(harvester, small_clip, tmp_path):
    small_clip(tmp_path / "film.mp4", "bars", "dark", "bright")
    (plan,) = plan_recordings([str(tmp_path / "film.mp4")])
    found = harvester(plan)
    assert (found.outcome, found.again, found.counted.shots) == ("ok", False, 3)
    assert (found.counted.decoded, found.counted.looked_at) == (60, 30)
    assert [one.time_us for one in found.candidates] == [800_000, 2_800_000, 4_800_000]
    levels = []
    for one in found.candidates:
        with Image.open(io.BytesIO(one.jpeg)) as image:
            assert image.size == (64, 48), "no larger than the film"
            levels.append(np.asarray(image).mean())
    assert levels[1] < 40 < levels[0] < 200 < levels[2]
    assert found.units.shape == (3, 192)
    again = harvester(plan)
    assert again.candidates == found.candidates
    assert again.units.tobytes() == found.units.tobytes()


@pytest.mark.slow
def test_what_is_no_film_says_why(harvester, tmp_path):
    (tmp_path / "torn.mp4").write_bytes(b"no film")
    (plan,) = plan_recordings([str(tmp_path / "torn.mp4")])
    found = harvester(plan)
    assert (found.outcome, found.again, found.candidates) == ("rejected", True, ())
    assert "cannot be opened" in found.detail
    assert found.units.shape == (0, 192)


def test_a_scene_gives_a_frame_for_every_so_many_seconds(harvester):
    (plan,) = plan_recordings([SCENE])
    told = []
    found = harvester(plan, told.append)
    assert told == sorted(told)
    assert 0.5 < told[-1] <= 1
    assert [one.time_us for one in found.candidates] == [1_400_000]
    assert found.outcome == "ok"
    assert found.counted.shots == 1


def test_a_worker_that_would_compute_otherwise_is_refused(harvester):
    with closing(Harvester(SETUP, harvester.computed)) as same:
        assert same.computed == harvester.computed
    other = harvester.computed | {"engine": "openvino 2030"}
    with pytest.raises(UsageError, match=r"computes with torch .*, the command with openvino 2030"):
        Harvester(SETUP, other)


@pytest.mark.slow
def test_real_films_are_cut_and_read_to_their_end(harvester, shared_media):
    plans = plan_recordings(
        [str(shared_media / "videos" / name) for name in ("sample_h265.ts", "video_90.mov")]
    )
    for plan in plans:
        found = harvester(plan)
        assert found.outcome == "ok"
        assert 1 <= len(found.candidates) <= found.counted.looked_at
        assert len(found.candidates) >= found.counted.shots - found.counted.unseen
        times = [one.time_us for one in found.candidates]
        assert times == sorted(set(times))

"""A recording is played to its end, its frames are counted, and how it ended is known."""

from contextlib import closing

import pytest

from pipeline.configuration.sources import plan_recordings
from pipeline.features.footage import Footage
from pipeline.features.taking import Counted, Taking, shot_spec
from pipeline.media.frame_size import FrameSize

SIZE = FrameSize(48, 1)


@pytest.fixture(scope="module")
def footage():
    with closing(Footage()) as footage:
        yield footage


def played(footage, source, every_s=10.0):
    (plan,) = plan_recordings([str(source)])
    taking, told = Taking(footage, shot_spec(plan, SIZE, 5.0), every_s), []
    takes = list(taking.takes(told.append))
    return taking, takes, told


@pytest.mark.slow
def test_each_shot_of_a_film_gives_a_frame(footage, small_clip, tmp_path):
    small_clip(tmp_path / "film.mp4", "bars", "dark", "bright")
    taking, takes, told = played(footage, tmp_path / "film.mp4")
    assert [one.info.event_time_us for one in takes] == [800_000, 2_800_000, 4_800_000]
    assert {one.pixels.shape for one in takes} == {(48, 64, 3)}, "proportions stay"
    assert taking.counted == Counted(decoded=60, looked_at=30, shots=3)
    assert taking.end.outcome == "ok"
    assert told == sorted(told)


def test_a_scene_has_no_cuts(footage):
    taking, takes, _ = played(footage, "synthetic:yard?seed=1&seconds=3&fps=5&size=96x64", 1.0)
    assert len(takes) == 3
    assert taking.counted == Counted(decoded=15, looked_at=15, shots=1)


@pytest.mark.slow
def test_what_is_no_film_says_so(footage, tmp_path):
    (tmp_path / "torn.mp4").write_bytes(b"no film")
    taking, takes, _ = played(footage, tmp_path / "torn.mp4")
    assert takes == []
    assert taking.end.outcome == "rejected"
    assert "cannot be opened" in taking.end.detail

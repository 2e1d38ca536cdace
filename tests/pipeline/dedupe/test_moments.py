"""Frames are spread over a recording, however long it is, and what is broken is left out."""

import logging

import numpy as np
import pytest

from pipeline.configuration.sources import plan_recordings
from pipeline.dedupe.moments import moments_of
from pipeline.media.frame_size import FrameSize


@pytest.mark.slow
def test_so_many_of_each_recording_spread_evenly(small_clip, tmp_path, caplog):
    for number, frames in enumerate((60, 5)):
        small_clip(tmp_path / f"{number}.mp4", "bars", number=number, frames=frames)
    (tmp_path / "2.mp4").write_bytes(b"no film")
    plans, told = plan_recordings([str(tmp_path)]), []
    with caplog.at_level(logging.WARNING):
        found = list(
            moments_of(
                plans, FrameSize(28, 14), fps=10, most=7, tell=lambda share, _: told.append(share)
            )
        )
    assert [one.stream for one in found] == ["0.mp4", "1.mp4", "2.mp4"]
    assert [len(one.pictures) for one in found] == [7, 5, 0]
    assert found[0].times_s[0] == 0
    assert found[0].times_s[-1] > 5
    steps = np.diff(found[0].times_s)
    assert steps.max() < 2.1 * steps.min()
    assert found[1].times_s == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4])
    assert {one.shape for one in found[0].pictures} == {(28, 42, 3)}
    assert "2.mp4: left out, no frame in it" in caplog.text
    assert told == [0, 1 / 3, 2 / 3]

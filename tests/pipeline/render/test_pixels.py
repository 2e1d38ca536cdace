"""Where the footage of a film ends. What its frames show is in test_rendering.py."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from operators.errors import UsageError
from pipeline.media.encode import write_clip
from pipeline.render.pixels import require_reached
from pipeline.stream.gate import Gate


@pytest.fixture
def footage(spec, tmp_path):
    """`footage(n)`: n frames, ten a second."""

    def made(count):
        write_clip(tmp_path / "a.mp4", np.zeros((count, 64, 64, 3), np.uint8), 10)
        return replace(spec, url=str(tmp_path / "a.mp4"))

    return made


@pytest.mark.slow
def test_a_moment_past_the_last_frame_is_refused(footage):
    clip = replace(footage(20), gate=Gate())  # it shows frames that a gate leaves out as well
    for still_s in (1.95, 2.0):  # the last frame begins at 1.9 s
        require_reached(clip, still_s)
    with pytest.raises(UsageError, match=r"--at 2\.1: the footage ends at 2\.0 s"):
        require_reached(clip, 2.1)


@pytest.mark.slow
def test_a_frame_that_is_alone_has_no_moment_but_its_own(footage):
    with pytest.raises(UsageError, match=r"the footage ends at 0\.0 s"):
        require_reached(footage(1), 0.1)

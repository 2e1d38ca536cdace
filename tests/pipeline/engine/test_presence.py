"""Whether a camera is there, as a person sees it."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from operators.frames import FrameInfo
from pipeline.engine.presence import Presence
from pipeline.stream.chunk import End, Frames, Gap, Trouble


def frames(session: str) -> Frames:
    info = FrameInfo("cam", session, "0", 0, Fraction(1, 10), 0, 0, (14, 14))
    return Frames((info,), np.zeros((1, 14, 14, 3), np.uint8), (1,), {})


def test_a_camera_is_lost_until_its_next_session() -> None:
    gate = Presence()
    assert gate.state == "starting"
    gate.see(frames("1"))
    assert gate.state == "live"
    gate.lose(Trouble("gate", "disconnected", "no frame for 4 s", 0, "1", "90"))
    assert (gate.state, gate.why) == ("lost", "no frame for 4 s")
    gate.see(frames("1"))  # waited while the trouble overtook it
    assert gate.state == "lost"
    gate.see(frames("2"))
    assert (gate.state, gate.why) == ("live", "")
    gate.see(End("gate", "degraded", "its playlist ended"))
    assert (gate.state, gate.why) == ("ended", "its playlist ended")


def test_trouble_that_knows_no_session_does_not_hide_behind_frames_that_wait() -> None:
    """A decode actor died with what it knew."""
    gate = Presence()
    gate.see(frames("1"))
    gate.lose(Trouble("gate", "crashed", "its actor died"))
    gate.see(frames("1"))
    assert gate.state == "lost"


def test_a_camera_that_never_came_is_lost_and_then_there() -> None:
    gate = Presence()
    gate.lose(Trouble("gate", "disconnected", "refused"))
    assert gate.state == "lost"
    gate.see(frames("1"))
    assert gate.state == "live"


def test_a_playlist_that_grows_again_is_live_in_the_same_session() -> None:
    lobby = Presence()
    lobby.see(frames("1"))
    lobby.lose(Trouble("lobby", "stalled", "no new segment", 0, "1", "90"))
    assert lobby.state == "stalled"
    lobby.see(Gap("lobby", "size"))
    assert lobby.state == "stalled"
    lobby.see(Gap("lobby", "resumed"))
    lobby.see(frames("1"))
    assert lobby.state == "live"

"""How cameras fare, as a person sees it."""

from __future__ import annotations

from pipeline.engine.camera import Camera, counted
from pipeline.engine.tally import Tally


def test_who_is_not_live_is_called_by_name() -> None:
    cameras = {f"cam{n}": Camera(state="lost") for n in range(5)}
    cameras |= {"gate": Camera(state="live"), "yard": Camera(state="stalled"), "door": Camera()}
    assert counted(cameras) == (
        "1 camera live, 5 lost (cam0, cam1, cam2, 2 more), 1 stalled (yard), 1 starting (door)"
    )


def test_cameras_of_two_engines_stay_as_they_are() -> None:
    """The second engine knows nothing of the first one's, which changes nothing."""
    gate = Camera(5, {"full": 1}, 0.5, 0.9, "live")
    first, second = Tally(cameras={"gate": gate}), Tally(cameras={"yard": Camera(state="lost")})
    assert (first + second).cameras == {"gate": gate, "yard": Camera(state="lost")}
    later = Tally(cameras={"gate": Camera(2, {}, 0.1, 0.1, "lost")})
    assert (first + later).cameras["gate"] == Camera(7, {"full": 1}, 0.1, 0.9, "lost")

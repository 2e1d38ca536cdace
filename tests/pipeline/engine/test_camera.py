"""How cameras fare, as a person sees it."""

from __future__ import annotations

from pipeline.engine.camera import Camera, counted
from pipeline.engine.latency import Spent
from pipeline.engine.tally import Outcome, Tally
from pipeline.stream.drift import Drift
from pipeline.stream.progress import Progress


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
    assert (first + second).cameras["gate"] is gate
    later = Tally(cameras={"gate": Camera(2, {}, 0.1, 0.1, "lost")})
    assert (first + later).cameras["gate"] == Camera(7, {"full": 1}, 0.1, 0.9, "lost")


def test_a_state_has_a_reason_and_counts_stay_beside_it() -> None:
    tally, ledger = Tally(), {"depth": {"sampled": 5}}
    tally.turn("gate", "lost", "no route")
    tally.see(
        Progress("job", "gate", epoch=3, ledger=ledger), 5, {}, [Spent(0.0, 0.1, 0.1, 0.05)], 7
    )
    assert tally.cameras["gate"] == Camera(5, {}, 0.25, 0.25, "lost", "no route", 3, ledger, 7)
    tally.turn("gate", "live", "")
    assert tally.cameras["gate"] == Camera(5, {}, 0.25, 0.25, "live", "", 3, ledger, 7)


def test_how_fast_its_clock_runs_is_of_the_present_connection() -> None:
    tally = Tally()
    tally.measure("gate", None)
    assert tally.cameras == {}
    tally.measure("gate", Drift(20.0, 60.0))
    tally.turn("gate", "live", "")
    tally.see(Progress("job", "gate"), 5, {}, [], 7)
    assert (tally.cameras["gate"].drift, tally.cameras["gate"].frames) == (Drift(20.0, 60.0), 5)
    elsewhere = Tally(cameras={"gate": Camera(drift=Drift(21.0, 90.0))})
    assert (tally + elsewhere).cameras["gate"].drift == Drift(21.0, 90.0)
    tally.turn("gate", "lost", "no route")
    assert tally.cameras["gate"].drift is None


def test_a_camera_that_comes_again_is_counted_on_and_has_not_ended() -> None:
    tally = Tally(outcomes=[Outcome("gate", "stopped"), Outcome("yard", "stopped")])
    tally.see(Progress("job", "gate"), 5, {"late": 2}, [Spent(0.0, 0.25, 0.2, 0.05)], 7)
    tally.turn("gate", "ended", "")
    tally.forget("gate")
    assert [outcome.stream for outcome in tally.outcomes] == ["yard"]
    assert (tally.cameras["gate"].state, tally.cameras["gate"].frames) == ("starting", 5)
    tally.see(Progress("job", "gate"), 3, {"late": 1, "full": 4}, [Spent(0.0, 0.05, 0.0, 0.05)], 7)
    gate = tally.cameras["gate"]
    assert (gate.frames, gate.dropped, gate.worst_lag_s) == (8, {"late": 3, "full": 4}, 0.5)

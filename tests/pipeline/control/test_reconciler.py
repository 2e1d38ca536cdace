"""A run is brought to what is wanted, and no stream is touched that is as it is to be."""

from __future__ import annotations

import pytest

from pipeline.configuration.config import StreamConfig
from pipeline.control.fared import fared
from pipeline.control.reconciler import Reconciler
from pipeline.control.wanted import Wanted

GATE, YARD = "rtsp://10.0.0.1/cam", "rtsp://10.0.0.2/cam"


class Scene:
    def __init__(self, run, config) -> None:
        self.run, self.wanted = run, Wanted(config)
        self.reconciler = Reconciler(run, self.wanted)

    def look(self) -> dict[str, tuple[str, str]]:
        """Once; what is shown then: name -> state and reason."""
        self.reconciler.look()
        here, refused = self.run.streams(), self.reconciler.refused
        found = fared(self.wanted.streams(), here, self.run.tally, refused)
        return {name: (one.state, one.reason) for name, one in found.items()}


@pytest.fixture
def scene(scripted, config_of) -> Scene:
    return Scene(scripted("gate"), config_of(gate=GATE))


def test_what_is_as_it_is_to_be_is_left_alone(scene) -> None:
    for _ in range(3):
        assert scene.look() == {"gate": ("connecting", "")}
    assert (scene.run.added, scene.run.leaving) == ([], [])


def test_a_stream_that_is_added_is_opened_once(scene) -> None:
    scene.wanted.put("yard", StreamConfig(url=YARD))
    for _ in range(3):
        scene.look()
    (spec,) = scene.run.added
    assert (spec.stream, spec.url, spec.live) == ("yard", YARD, True)


def test_another_address_is_opened_when_the_old_one_has_left(scene) -> None:
    scene.wanted.put("gate", StreamConfig(url=YARD))
    scene.look()
    scene.look()
    assert (scene.run.leaving, scene.run.added) == (["gate"], []), "asked once, and waited for"
    scene.run.let_go()
    scene.look()
    assert [spec.url for spec in scene.run.added] == [YARD]


def test_a_stream_that_is_paused_leaves_and_comes_again(scene) -> None:
    scene.wanted.pause("gate")
    assert scene.look() == {"gate": ("paused", "finishing what is decoded")}
    scene.run.let_go()
    assert scene.look() == {"gate": ("paused", "")}
    scene.wanted.resume("gate")
    assert scene.look() == {"gate": ("connecting", "")}
    assert [spec.url for spec in scene.run.added] == [GATE]


def test_a_stream_that_is_paused_and_resumed_before_it_has_left_comes_again(scene) -> None:
    scene.wanted.pause("gate")
    scene.look()
    scene.wanted.resume("gate")
    scene.look()
    scene.run.let_go()
    scene.look()
    assert scene.run.streams() == {"gate"}


def test_a_stream_that_is_removed_and_made_again_is_a_new_one(scene) -> None:
    scene.wanted.remove("gate")
    assert scene.look() == {}
    scene.wanted.put("gate", StreamConfig(url=GATE))
    scene.look()
    scene.run.let_go()
    scene.look()
    assert scene.run.streams() == {"gate"}


def test_a_stream_that_ended_by_itself_is_not_begun_again_until_it_is_resumed(scene) -> None:
    scene.look()
    scene.run.end("gate", "rejected", "not a video")
    for _ in range(2):
        assert scene.look() == {"gate": ("ended", "not a video")}
    assert scene.run.added == []
    scene.wanted.resume("gate", ended=True)
    assert scene.look() == {"gate": ("connecting", "")}
    assert [spec.stream for spec in scene.run.added] == ["gate"]


def test_what_the_run_does_not_take_says_why_and_is_tried_again(scene) -> None:
    scene.run.closed = True
    scene.wanted.put("yard", StreamConfig(url=YARD))
    state, reason = scene.look()["yard"]
    assert (state, "about to end" in reason) == ("connecting", True)
    scene.run.closed = False
    assert scene.look()["yard"] == ("connecting", "")


def test_recordings_of_the_run_are_none_of_its_business(scripted, config_of) -> None:
    scene = Scene(scripted("gate", "film.mp4"), config_of(gate=GATE))
    assert list(scene.look()) == ["gate"]
    assert scene.run.leaving == []


def test_a_recording_is_live_while_it_is_played_and_what_is_unknown_is_no_number(scene) -> None:
    scene.run.tally.shares["gate"] = 0.5
    assert scene.look() == {"gate": ("live", "")}
    found = fared(scene.wanted.streams(), scene.run.streams(), scene.run.tally, {})["gate"]
    assert found.plain(0)["frames"] is None
    scene.run.end("gate", "ok")
    assert scene.look() == {"gate": ("ended", "ok")}

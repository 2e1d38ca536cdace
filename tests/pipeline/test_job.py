"""What a job tells at its end: the exit code, and what is missing, again by the run after it."""

from __future__ import annotations

import json
import re
import signal
from dataclasses import replace
from types import SimpleNamespace

import pytest

from pipeline.configuration.config import Config
from pipeline.display import open_display
from pipeline.engine.camera import Camera
from pipeline.engine.tally import Outcome, Tally
from pipeline.job import _exit_code, _status, run_job
from pipeline.stream.spec import StreamSpec

REPLAYED = [
    (["ok", "ok"], 0),
    (["ok", "degraded"], 3),
    (["degraded"], 3),
    (["ok", "rejected"], 3),
    (["degraded", "rejected"], 3),
    (["rejected", "rejected"], 1),
    (["ok", "stopped"], 1),
    (["stopped"], 1),
]


BESIDE_A_CAMERA = [
    ([], 0),
    (["ok"], 0),
    (["stopped"], 0),
    (["ok", "degraded"], 3),
    (["rejected"], 3),
]


def ended(statuses):
    outcomes = [Outcome(str(number), status) for number, status in enumerate(statuses)]
    return outcomes, [spec_of(outcome.stream) for outcome in outcomes]


def spec_of(stream, *, live=False):
    return StreamSpec(stream, "clip.mp4", live=live, session="s")


@pytest.mark.parametrize(("statuses", "code"), REPLAYED)
def test_the_exit_code_says_whether_everything_is_there(statuses, code):
    assert _exit_code(*ended(statuses), live=False) == code


@pytest.mark.parametrize(("statuses", "code"), BESIDE_A_CAMERA)
def test_a_live_run_that_was_stopped_has_done_what_it_was_to_do(statuses, code):
    outcomes, specs = ended(statuses)
    outcomes.append(Outcome("camera", "stopped"))
    specs.append(spec_of("camera", live=True))
    assert _exit_code(outcomes, specs, live=True) == code


def test_a_job_knows_every_camera_from_the_start():
    specs = [spec_of("film"), spec_of("gate", live=True), spec_of("yard", live=True)]
    specs.append(spec_of("file", live=True))
    tally = Tally(cameras={"gate": Camera(3, state="live")})
    tally.outcomes += [Outcome("file", "ok"), Outcome("film", "ok")]
    status = _status(tally, specs, "sink")
    assert (status.ended, status.streams) == (1, 1)
    states = {name: camera.state for name, camera in status.cameras.items()}
    assert states == {"gate": "live", "yard": "starting", "file": "ended"}


def test_a_job_knows_of_which_cameras_the_latest_frames_alone_are_wanted():
    gate, yard = (replace(spec_of(name, live=True), drop="latest") for name in ("gate", "yard"))
    assert _status(Tally(), [gate, replace(yard, drop="oldest")], "sink").latest == {"gate"}


def test_a_job_without_a_stream_yet_has_no_share():
    assert _status(Tally(), [], "sink").share is None


def test_what_never_began_is_not_done():
    assert _exit_code([], [spec_of("clip")], live=False) == 1
    assert _exit_code([], [spec_of("clip"), spec_of("camera", live=True)], live=True) == 0


@pytest.mark.parametrize(("already", "complete"), [(0, False), (1, False), (2, True)])
def test_only_what_was_done_before_is_complete_already(
    tmp_path, monkeypatch, capsys, already, complete
):
    """Not a job that was stopped before its first frame, whose progress `--fresh` throws away."""
    before = [Outcome(str(number), "ok", already=True) for number in range(already)]
    specs = {name: spec_of(name) for name in "01"}
    stopped = SimpleNamespace(run=lambda: Tally(outcomes=before), tally=Tally(), specs=specs)
    monkeypatch.setattr("pipeline.job._open", lambda *_: stopped)
    monkeypatch.setattr("pipeline.job.stream_specs", lambda *_, **__: list(specs.values()))
    config = Config(sink=f"sqlite:{tmp_path}/results.db")
    code = run_job(config, live=False, fresh=False, display=open_display(as_json=True))
    assert code == (0 if complete else 1)
    assert ("complete already" in capsys.readouterr().err) == complete


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("statuses", "live", "left"),
    [
        (["ok", "stopped"], False, True),
        (["ok", "rejected"], False, False),
        (["ok", "ok"], False, False),
        (["ok", "stopped"], True, False),
    ],
)
def test_a_signal_that_stopped_recordings_is_the_exit_code(
    tmp_path, monkeypatch, capsys, number, statuses, live, left
):
    outcomes, specs = ended(statuses)

    def run():
        signal.raise_signal(number)
        return Tally(outcomes=outcomes)

    known = {spec.stream: spec for spec in specs}
    stopped = SimpleNamespace(run=run, stop=lambda: None, tally=Tally(), specs=known)
    monkeypatch.setattr("pipeline.job._open", lambda *_: stopped)
    monkeypatch.setattr("pipeline.job.stream_specs", lambda *_, **__: specs)
    config = Config(sink=f"sqlite:{tmp_path}/results.db")
    code = run_job(config, live=live, fresh=False, display=open_display(as_json=True))
    assert (code == 128 + number) == left
    last = capsys.readouterr().err.splitlines()[-1]
    goes_on = "1 of 2 recordings are not complete; the same command goes on with them"
    assert (goes_on in last) == ("stopped" in statuses)


@pytest.mark.slow
def test_lost_frames_are_told_by_every_run(tmp_path, shared_media, capsys):
    sink = f"sqlite:{tmp_path / 'results.db'}"
    config = Config(
        model="dinov2_vitti14",
        weights="random",
        operators={"embedding": {}},
        streams={"broken": {"url": str(shared_media / "corrupt" / "corrupted.mp4")}},
        short_side=28,
        sampling={"fps": 1},
        runtime="inline",
        sink=sink,
    )
    told = []
    for _ in range(2):
        assert run_job(config, live=False, fresh=False, display=open_display(as_json=True)) == 3
        told.append(json.loads(capsys.readouterr().out)["failures"]["broken"])

    first, again = told
    assert re.match(r"[0-9]+ frames lost: ", first)
    assert "Invalid data found" in first
    assert again == f"complete already, but {first}"

"""A run is steered over HTTP, by the command and by its file, while its other cameras go on."""

import itertools
import json
import re
import signal
import subprocess
import sys
from datetime import datetime, timedelta

import pytest

from pipeline.control.client import Client

STEP = timedelta(seconds=0.2)  # 5 frames per second


@pytest.fixture
def served(live_run):
    """`served(streams, runtime)`: a run that listens, and a client of it."""

    def start(streams, runtime="inline", **environ):
        config = {"streams": streams, "operators": {"embedding": {}}, "runtime": runtime}
        run = live_run(config, options=("--listen", "127.0.0.1:0"), **environ)
        found = run.until(lambda: re.search(r"removed at (http://\S+)", run.stderr))
        return run, Client(found[1])

    return start


def states(client):
    return {stream["id"]: stream["state"] for stream in client.streams()}


def recorded(run, stream, more=5):
    """Until so many more frames of it are."""
    before = run.count("embedding", stream)
    run.until(lambda: run.count("embedding", stream) >= before + more)


def check_whole(run, stream):
    """One session, every sampled frame once, no break."""
    assert run.told(stream) == ["started", "ended"]
    times = [datetime.fromisoformat(one["ce_time"]) for one, _ in run.records("embedding", stream)]
    assert {late - early for early, late in itertools.pairwise(times)} == {STEP}
    counts = run.events(stream)[-1]["operators"]["embedding"]
    assert counts["published"] == counts["sampled"] == len(times)


def check(run, client, camera):
    """Streams come, are paused and go; `gate`, which is there all the time, notices nothing."""
    gate, yard, lobby = camera(), camera(), camera()
    run.until(lambda: states(client) == {})
    assert client.put("gate", {"url": gate.url()}, only_new=True)["state"] == "connecting"
    run.until(lambda: states(client) == {"gate": "live"})
    client.put("yard", {"url": yard.url()}, only_new=True)
    recorded(run, "yard")

    assert client.turn("yard", "pause")["state"] == "paused"
    run.until(lambda: run.told("yard") == ["started", "ended"])
    client.turn("yard", "resume")
    recorded(run, "yard")
    client.put("yard", {"url": lobby.url()}, only_new=False)
    run.until(lambda: lobby.connections_s)
    recorded(run, "yard")

    client.remove("yard")
    run.until(lambda: run.told("yard") == ["started", "ended"] * 3)
    assert states(client) == {"gate": "live"}
    recorded(run, "gate")
    run.signal(signal.SIGTERM)
    assert run.exit_code() == 0, run.stderr
    check_whole(run, "gate")
    epochs = [attributes["ce_epoch"] for attributes, _ in run.records("events", "yard")]
    assert sorted(set(epochs)) == ["1", "2", "3"]


def test_streams_come_and_go_beside_one_that_misses_no_frame(camera, served):
    run, client = served({})
    check(run, client, camera)


def test_one_streams_settings_change_and_the_other_misses_no_frame(camera, served):
    gate, yard = camera(), camera()
    streams = {"gate": {"url": gate.url()}, "yard": {"url": yard.url()}}
    run, client = served(streams)
    recorded(run, "yard", 1)
    client.patch("yard", {"sampling": {"fps": 2}, "region": [0.5, 0, 1, 1]})
    run.until(lambda: run.told("yard") == ["started", "ended", "started"])
    recorded(run, "yard", 3)
    parts = run.records("embedding", "yard")[-3:]
    times = [datetime.fromisoformat(one["ce_time"]) for one, _ in parts]
    assert {late - early for early, late in itertools.pairwise(times)} == {timedelta(seconds=0.5)}
    assert {one["ce_region"] for one, _ in parts} == {"160,0,320,180"}

    streams["yard"]["short_side"] = 28
    run.configure(streams=streams)
    run.signal(signal.SIGHUP)
    run.until(lambda: run.told("yard") == ["started", "ended"] * 2 + ["started"])
    shown = {one["id"]: one["config"] for one in client.streams()}
    assert shown["yard"]["short_side"] == 28
    assert not shown["yard"].keys() & {"sampling", "region"}, "as the file says"
    recorded(run, "yard", 1)
    assert "ce_region" not in run.records("embedding", "yard")[-1][0]
    run.signal(signal.SIGTERM)
    assert run.exit_code() == 0, run.stderr
    check_whole(run, "gate")
    variants = {one["ce_variant"] for one, _ in run.records("embedding", "yard")}
    assert len(variants) == 3


@pytest.mark.slow
def test_the_same_on_ray(camera, served, short_folder):
    run, client = served({}, "ray", RAY_TMPDIR=str(short_folder))
    check(run, client, camera)


def test_the_file_is_followed_and_the_command_speaks_to_the_service(camera, served, refused_port):
    gate, yard = camera(), camera()
    run, client = served({"gate": {"url": gate.url()}})
    run.until(lambda: states(client) == {"gate": "live"})

    run.configure(short_side=84)
    run.until(lambda: "short_side cannot be changed while the job runs" in run.stderr)
    streams = {"gate": {"url": gate.url()}, "yard": {"url": yard.url()}}
    run.configure(short_side=56, streams=streams)
    run.until(lambda: states(client) == {"gate": "live", "yard": "live"})

    def streams_command(*words):
        command = [sys.executable, "-m", "pipeline", "streams", *words]
        done = subprocess.run(
            [*command, "--service", client.url], capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout + done.stderr

    nowhere = f"rtsp://viewer:kanarie@127.0.0.1:{refused_port}/cam"
    code, said = streams_command("add", "attic", nowhere)
    assert (code, said) == (0, "attic is connecting\n")
    run.until(lambda: states(client)["attic"] == "reconnecting")
    code, said = streams_command("list")
    (attic,) = [line for line in said.splitlines() if line.startswith("attic")]
    assert "reconnecting" in attic
    assert "refused" in attic
    assert "kanarie" not in said
    assert streams_command("add", "gate", nowhere)[0] == 2
    code, said = streams_command("set", "attic", "--set", "sampling.fps=2", "--set", "priority=1")
    assert (code, said.split()[:2]) == (0, ["attic", "is"])
    (config,) = [one["config"] for one in client.streams() if one["id"] == "attic"]
    assert (config["sampling"], config["priority"]) == ({"fps": 2.0}, 1)
    code, said = streams_command("set", "attic", "--set", "sampling.fsp=2")
    assert (code, "did you mean fps?" in said) == (2, True)
    assert "did you mean attic" in streams_command("remove", "atic")[1]
    assert json.loads(streams_command("list", "--json")[1])[0]["id"] == "gate"
    assert streams_command("remove", "attic")[0] == 0

    del streams["yard"]
    run.configure(streams=streams)
    run.signal(signal.SIGHUP)
    run.until(lambda: states(client) == {"gate": "live"})
    run.signal(signal.SIGTERM)
    assert run.exit_code() == 0, run.stderr
    check_whole(run, "gate")
    assert "kanarie" not in run.stderr + run.stdout

"""A sink that goes away under a live run: borne, told, and every frame in some count."""

import contextlib
import itertools
import json
import re
import signal
import sqlite3
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from operators.errors import DinostreamError
from pipeline.audit.reading import audited
from pipeline.sinks.uri import open_reader

ROOT = Path(__file__).parents[3]
FPS = 20
BUFFER_FRAMES = 8
CLIP = "synthetic:room?seed=1&seconds=3600&fps=10&size=64x64"


def config(gate, **more):
    return {
        "streams": {"gate": {"url": gate.url()}},
        "sampling": {"all": True},
        "operators": {"embedding": {}},
        "buffer_frames": BUFFER_FRAMES,
        **more,
    }


def read(broker, topic):
    """What a consumer gets of one topic by now: (attributes, value)."""
    reader = open_reader(broker.uri, settings={"attempt_s": 5})
    try:
        return [(dict(r.message.headers), r.message.value) for r in reader.records([topic])]
    except DinostreamError:  # not made yet, or away
        return []
    finally:
        reader.close()


def events(broker):
    return [json.loads(value) for _, value in read(broker, "events")]


@pytest.mark.slow
@pytest.mark.needs_kafka
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_a_broker_that_is_killed_and_comes_back(camera, live_run, own_broker):
    own_broker.start()
    gate = camera(fps=FPS)
    sink = {"uri": own_broker.uri, "settings": {"attempt_s": 5}, "spill": {"max_gib": 0}}
    run = live_run(config(gate, sink=sink, runtime="inline"))
    run.until(lambda: read(own_broker, "embedding"))

    own_broker.kill()
    away = rf"the broker {own_broker.server} is away since .*; cameras drop their oldest frames"
    run.until(lambda: re.search(away, run.stderr))
    away_at = gate.frames
    run.until(lambda: gate.frames > away_at + 8 * BUFFER_FRAMES)
    own_broker.start()
    run.until(lambda: "outage" in {event["kind"] for event in events(own_broker)})
    seen = len(read(own_broker, "embedding"))
    run.until(lambda: len(read(own_broker, "embedding")) > seen + 4 * BUFFER_FRAMES)
    run.signal(signal.SIGTERM)
    assert run.exit_code() == 0, run.stderr

    told = events(own_broker)
    assert {event["kind"] for event in told} == {"started", "outage", "dropped", "ended"}
    (outage,) = [event for event in told if event["kind"] == "outage"]
    assert outage["attempts"] > 1
    drops = [event for event in told if event["kind"] == "dropped"]
    between = [event["dropped"] for event in drops if event["position"]]  # not before the first
    assert max(between) > 4 * BUFFER_FRAMES
    frames = [attributes for attributes, _ in read(own_broker, "embedding")]
    times = [datetime.fromisoformat(frame["ce_time"]) for frame in frames]
    steps = [(b - a) / timedelta(seconds=1 / FPS) for a, b in itertools.pairwise(times)]
    assert [round(step) - 1 for step in steps if round(step) > 1] == between
    ledger = told[-1]["operators"]["embedding"]
    assert ledger["published"] == ledger["sampled"] == len(frames)
    assert ledger["dropped"] == sum(event["dropped"] for event in drops)
    assert "the sink was away for" in run.stdout


@pytest.mark.slow
@pytest.mark.needs_kafka
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_a_run_that_is_killed_while_the_broker_is_away_loses_nothing_it_had_kept(
    camera, live_run, own_broker
):
    own_broker.start()
    gate = camera(fps=FPS)
    sink = {"uri": own_broker.uri, "settings": {"attempt_s": 5}}
    values = config(gate, sink=sink, runtime="inline", buffer_frames=1000)
    run = live_run(values)
    run.until(lambda: read(own_broker, "embedding"))
    own_broker.kill()
    run.until(lambda: int((kept_of(run) or ["0"])[-1]) > 5 * FPS)
    run.close()
    kept = int(kept_of(run)[-1])

    own_broker.start()
    again = live_run(values)
    again.until(lambda: len(sessions(own_broker)) > 1)
    again.signal(signal.SIGTERM)
    assert again.exit_code() == 0, again.stderr
    assert re.search(r"\d+ records of 1 streams .* are kept in .* and go out first", again.stderr)
    first, _ = sessions(own_broker)
    assert len(check_whole(own_broker)[first]) > kept
    told = [event["kind"] for event in events(own_broker)]
    assert [kind for kind in told if kind != "away"] == ["started", "started", "ended"]


@pytest.mark.slow
@pytest.mark.needs_kafka
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_a_broker_that_freezes_costs_cameras_on_ray_nothing(
    camera, live_run, own_broker, short_folder, tmp_path
):
    """What it kept meanwhile is there afterwards, as the tape of the camera says by itself."""
    own_broker.start()
    gate, tapes = camera(fps=FPS), tmp_path / "tapes"
    sink = {"uri": own_broker.uri, "settings": {"attempt_s": 5}}
    values = config(gate, sink=sink, runtime="ray", buffer_frames=1000)
    values["streams"]["gate"] |= {"record": {"folder": str(tapes)}}
    run = live_run(values, TMPDIR=str(short_folder), RAY_TMPDIR=str(short_folder))
    run.until(lambda: read(own_broker, "embedding"))
    own_broker.freeze()
    run.until(lambda: int((kept_of(run) or ["0"])[-1]) > 5 * FPS)
    own_broker.go_on()
    run.until(lambda: "outage" in {event["kind"] for event in events(own_broker)})
    run.signal(signal.SIGTERM)
    assert run.exit_code() == 0, run.stderr
    check_whole(own_broker)
    told = events(own_broker)
    assert [event["kind"] for event in told] == ["started", "away", "outage", "ended"]
    assert told[2]["kept"] > 5 * FPS
    verdict = verified(tapes / "gate", own_broker)
    assert verdict["equal"] == {"embedding": len(read(own_broker, "embedding"))}
    assert {(one["kind"], one["reason"]) for one in verdict["differences"]} <= {
        ("missing there", "end")
    }


def verified(tape, broker):
    """What a replay of a tape says of the records that a broker holds."""
    model = ("--weights", "random", "--model", "dinov2_vitti14", "--short-side", "56")
    same = ("--operator", "embedding", "--set", "sampling={all: true}", "--runtime", "inline")
    command = ("replay", str(tape), *model, *same, "--verify", broker.uri, "--json")
    run = subprocess.run(
        [sys.executable, "-m", "pipeline", *command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return json.loads(run.stdout)


def check_whole(broker):
    """Every frame of each session is there once and in order, and an audit says so; session ->
    times."""
    frames = [attributes for attributes, _ in read(broker, "embedding")]
    assert len({frame["ce_id"] for frame in frames}) == len(frames)
    times = {
        session: [datetime.fromisoformat(frame["ce_time"]) for frame in own]
        for session, own in itertools.groupby(frames, key=lambda frame: frame["ce_session"])
    }
    assert list(times) == sessions(broker), "none begins before the one before is over"
    for own in times.values():
        steps = [(b - a) / timedelta(seconds=1 / FPS) for a, b in itertools.pairwise(own)]
        assert {round(step) for step in steps} <= {1}
    reader = open_reader(broker.uri)
    try:
        (report,) = audited(reader)
    finally:
        reader.close()
    assert report.complete, report.findings
    assert report.operators["embedding"] == {"sampled": len(frames), "published": len(frames)}
    return times


def kept_of(run):
    """How many records were kept, each time that the run said so."""
    return re.findall(r"cameras go on: (\d+) records of 1 streams \(", run.stderr)


def sessions(broker):
    """Of the frames that are there, in order."""
    return list(dict.fromkeys(one["ce_session"] for one, _ in read(broker, "embedding")))


@pytest.mark.slow
def test_sigterm_while_the_database_is_held_comes_back_and_counts(camera, live_run):
    gate = camera(fps=FPS)
    streams = {"gate": {"url": gate.url()}, "clip": {"url": CLIP}}
    run = live_run(config(gate, streams=streams, runtime="inline"))
    run.until(lambda: run.count("embedding", "gate"))

    with contextlib.closing(sqlite3.connect(run.database, isolation_level=None)) as other:
        run.until(lambda: locked(other))
        run.until(lambda: "results.db is away" in run.stderr)
        run.signal(signal.SIGTERM)
        assert run.exit_code() == 1, run.stderr
        other.execute("ROLLBACK")

    assert "1 of 1 recordings are not complete; the same command goes on" in run.stderr
    assert "another process has held it for too long" in run.stderr
    assert "gate: " in run.stdout
    assert "frames NOT DELIVERED" in run.stdout
    committed = sum(len(run.records("embedding", stream)) for stream in streams)
    assert f"{committed:>8} records" in run.stdout
    assert run.processes() == {}


def locked(connection):
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return False
    return True

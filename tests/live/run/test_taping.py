"""A live run that is taped, and its replay: the same records byte for byte; what is not is told."""

import json
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import av
import pytest

from pipeline.configuration.document import to_document

ROOT = Path(__file__).parents[3]
OPERATORS = {"operators": {"embedding": {}, "action": {}}}
RUN = ("--weights", "random", "--model", "dinov2_vitti14", "--short-side", "56")


@pytest.fixture
def dinostream(tmp_path):
    """Runs the command and gives its exit code and what it says."""

    def run(*arguments):
        command = [sys.executable, "-m", "pipeline", *map(str, arguments)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    return run


def verified(dinostream, tape, database, *more):
    config = database.with_name("again.yaml")
    config.write_text(to_document(OPERATORS))
    verify = ("--config", config, "--runtime", "inline", "--verify", f"sqlite:{database}", "--json")
    code, said, told = dinostream("replay", tape, *RUN, *verify, *more)
    assert said, told
    return code, json.loads(said)


def test_a_replay_has_the_records_of_the_run(habits, live_run, dinostream, tmp_path):
    """Lost packets and a clock that steps; but for what a hand has done there, all are equal. The
    shot that the run is stopped in is told; its tape may have some frames more of it."""
    url = habits("--gop", "20", "--len", "4", "--seq-loss", "97", "--rtpstep", "4:3600")
    stream = {"url": url, "record": {"folder": str(tmp_path / "tapes")}, "shots": True}
    run = live_run({"streams": {"gate": stream}, "stall_s": 6.0, **OPERATORS})
    run.until(lambda: run.count("embedding", "gate") > 40)
    run.signal(signal.SIGTERM)
    assert run.exit_code() == 0
    clip(dinostream, run, tmp_path)
    altered, removed = spoil(run.database)
    shots = ("--set", "shots=true")
    code, verdict = verified(dinostream, tmp_path / "tapes" / "gate", run.database, *shots)
    assert code == 1
    found = {(one["kind"], one["topic"], one["reason"]): one["ids"]
             for one in verdict["differences"]}  # fmt: skip
    longer = found.pop(("missing here", "shots", "stopped"), [])
    assert len(found.pop(("missing there", "shots", "end"), [])) == len(longer) <= 1
    assert found == {
        ("different", "embedding", ""): [altered],
        ("missing there", "embedding", "unknown"): [removed],
    }
    whole, equal = counts(run, "gate"), verdict["equal"]
    assert equal.pop("shots", 0) + len(longer) == run.count("shots", "gate") > 0
    assert equal == {**whole, "embedding": whole["embedding"] - 1}  # the altered one


def clip(dinostream, run, tmp_path):
    """Two seconds before the last window and one after it, from a key frame on."""
    attributes, _ = run.records("action", "gate")[-2]
    cut = ("--tape", tmp_path / "tapes", "--before", 2, "--after", 1, "-o", tmp_path / "clip.mp4")
    name = attributes["ce_id"]
    code, said, told = dinostream("clip", f"sqlite:{run.database}", "--around", name, *cut)
    assert code == 0, told
    with av.open(str(tmp_path / "clip.mp4")) as film:
        packets = [packet for packet in film.demux(video=0) if packet.size]
        times = [packet.pts * packet.time_base for packet in packets]
    assert packets[0].is_keyframe
    assert f"{len(packets)} frames, " in said
    assert 1.5 < times[-1] - times[0] < 6
    code, _, told = dinostream("clip", f"sqlite:{run.database}", "--around", f"{name}0", *cut)
    assert (code, f"the sink has no record {name}0" in told) == (2, True)


def counts(run, stream):
    return {name: run.count(name, stream) for name in OPERATORS["operators"]}


def spoil(database):
    """Alter one record and remove another; their ids."""
    with closing(sqlite3.connect(database)) as db, db:
        found = db.execute("SELECT offset, id FROM records WHERE topic='embedding' ORDER BY 1")
        (first, altered), *_, (last, removed), _ = found.fetchall()
        db.execute("UPDATE records SET value=CAST(value || x'00' AS BLOB) WHERE offset=?", (first,))
        db.execute("DELETE FROM records WHERE offset=?", (last,))
    return altered, removed


@pytest.mark.slow
def test_a_run_that_is_killed_has_a_tape_with_all_that_it_said(
    camera, live_run, dinostream, tmp_path
):
    """In the midst of a segment; a replay into another database has the same bytes, and more."""
    gate, again = camera(), tmp_path / "again.db"
    stream = {"url": gate.url(), "record": {"folder": str(tmp_path / "tapes")}}
    run = live_run({"streams": {"gate": stream}, **OPERATORS})
    run.until(lambda: run.count("action", "gate") > 2)
    run.signal(signal.SIGKILL)
    run.until(lambda: run.processes() == {})
    tape = tmp_path / "tapes" / "gate"
    code, verdict = verified(dinostream, tape, run.database)
    assert code == 0, verdict
    assert verdict["equal"] == counts(run, "gate")
    told = {(one["kind"], one["reason"]) for one in verdict["differences"]}
    assert told <= {("missing there", "end")}

    config = ("--config", tmp_path / "again.yaml", "--runtime", "inline")
    code, _, told = dinostream("replay", tape, *RUN, *config, "--sink", f"sqlite:{again}")
    assert code == 0, told
    first, second = embeddings(run.database), embeddings(again)
    assert first
    assert {name: second[name] for name in first} == first


def embeddings(database):
    """Id -> all of each record but the two headers that tell of the run."""
    query = "SELECT id, headers, value FROM records WHERE topic='embedding'"
    with closing(sqlite3.connect(database)) as db:
        rows = db.execute(query).fetchall()
    of_the_run = ("ce_epoch", "ce_ingesttime")
    return {
        name: ({k: v for k, v in json.loads(headers).items() if k not in of_the_run}, value)
        for name, headers, value in rows
    }


@pytest.mark.slow
def test_frames_that_the_run_dropped_are_left_out_again(
    camera, live_run, gate_lock, dinostream, tmp_path
):
    """So windows are cut where they were cut."""
    gate, yard = camera(), camera()
    operators = {"embedding": {}, "action": {}, "held:Held": {"folder": str(gate_lock.folder)}}
    taped = {"operators": ["embedding", "action"], "drop": "latest"}
    taped |= {"url": yard.url(), "record": {"folder": str(tmp_path / "tapes")}}
    streams = {"gate": {"url": gate.url()}, "yard": taped}
    run = live_run({"sampling": {"all": True}, "operators": operators, "streams": streams})
    run.until(lambda: run.count("embedding", "gate") and run.count("action", "yard"))
    gate_lock.hold()
    run.until(gate_lock.waited_for)
    held_at = yard.frames
    run.until(lambda: yard.frames > held_at + 40)
    gate_lock.release()
    windows = run.count("action", "yard")
    run.until(lambda: run.count("action", "yard") > windows + 2)
    run.signal(signal.SIGTERM)
    assert run.exit_code() == 0
    everything = ("--set", "sampling={all: true}")
    code, verdict = verified(dinostream, tmp_path / "tapes" / "yard", run.database, *everything)
    assert code == 0, verdict
    drops = [event["dropped"] for event in run.events("yard") if event["kind"] == "dropped"]
    assert verdict["left_out"] == sum(drops) > 0
    assert verdict["equal"] == counts(run, "yard")
    assert verdict["differences"] == []


@pytest.mark.slow
def test_a_gated_run_and_its_replay_compute_the_same_frames(
    camera, live_run, gate_lock, dinostream, tmp_path
):
    """Of a camera that stands still, and an engine that drops frames for a while."""
    gate, yard = camera(), camera(pattern="smpte100")
    operators = {"embedding": {}, "action": {}, "held:Held": {"folder": str(gate_lock.folder)}}
    gated = {"operators": ["embedding", "action"], "gate": {"at_least_every_s": 0.7}}
    gated |= {"url": yard.url(), "record": {"folder": str(tmp_path / "tapes")}, "drop": "latest"}
    streams = {"gate": {"url": gate.url()}, "yard": gated}
    run = live_run({"sampling": {"all": True}, "operators": operators, "streams": streams})
    run.until(lambda: run.count("embedding", "gate") and run.count("unchanged", "yard") > 2)
    gate_lock.hold()
    run.until(gate_lock.waited_for)
    held_at = yard.frames
    run.until(lambda: yard.frames > held_at + 40)
    gate_lock.release()
    windows = run.count("action", "yard")
    run.until(lambda: run.count("action", "yard") > windows + 2)
    run.signal(signal.SIGTERM)
    assert run.exit_code() == 0
    more = ("--set", "sampling={all: true}", "--set", "gate={at_least_every_s: 0.7}")
    code, verdict = verified(dinostream, tmp_path / "tapes" / "yard", run.database, *more)
    assert code == 0, verdict
    assert verdict["left_out"] > 0
    assert verdict["differences"] == []
    assert verdict["equal"] == {**counts(run, "yard"), "unchanged": run.count("unchanged", "yard")}
    (ended,) = [event for event in run.events("yard") if event["kind"] == "ended"]
    row = ended["operators"]["embedding"]
    assert row["sampled"] == row["published"] + row["unchanged"]
    assert row["unchanged"] > 0

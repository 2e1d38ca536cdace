"""An engine that stands still for a while, and two cameras that lose different frames by it."""

import contextlib
import itertools
import signal
from datetime import datetime, timedelta

from pipeline.audit.reading import audited
from pipeline.sinks.uri import open_reader

FPS, HELD_FRAMES, ROOM = 10, 40, 256


def test_one_camera_keeps_all_that_there_is_room_for_and_another_the_latest(
    camera, live_run, gate_lock
):
    gate, yard = camera(fps=FPS), camera(fps=FPS)
    held = {"folder": str(gate_lock.folder)}
    run = live_run(
        {
            "sampling": {"all": True},
            "buffer_frames": ROOM,
            "operators": {"embedding": {}, "held:Held": held},
            "streams": {
                "gate": {"url": gate.url()},
                "yard": {"url": yard.url(), "operators": ["embedding"], "drop": "latest"},
            },
        }
    )
    run.until(lambda: run.count("embedding", "gate") and run.count("embedding", "yard"))
    gate_lock.hold()
    run.until(gate_lock.waited_for)
    held_at = yard.frames
    run.until(lambda: yard.frames > held_at + HELD_FRAMES)
    gate_lock.release()
    run.until(lambda: "dropped" in run.told("yard"))
    run.signal(signal.SIGTERM)
    assert run.exit_code() == 0, run.stderr

    assert run.told("gate") == ["started", "ended"]
    assert set(run.events("gate")[-1]["operators"]) == {"embedding", "held"}
    times = [datetime.fromisoformat(one["ce_time"]) for one, _ in run.records("embedding", "gate")]
    steps = {later - early for early, later in itertools.pairwise(times)}
    assert steps == {timedelta(seconds=1 / FPS)}

    drops = [event for event in run.events("yard") if event["kind"] == "dropped"]
    assert {event["cause"] for event in drops} == {"full"}
    dropped = sum(event["dropped"] for event in drops)
    assert dropped > HELD_FRAMES / 2
    ledger = run.events("yard")[-1]["operators"]
    assert ledger.keys() == {"embedding"}
    assert ledger["embedding"]["dropped"] == ledger["embedding"]["dropped_full"] == dropped

    with contextlib.closing(open_reader(f"sqlite:{run.database}")) as reader:
        reports = {report.stream: report for report in audited(reader)}
    assert all(one.ended and one.findings == [] for one in reports.values())
    assert reports["yard"].operators["embedding"]["dropped"] == dropped

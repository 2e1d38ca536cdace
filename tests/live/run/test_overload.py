"""An engine that cannot keep up with a camera: the oldest frames go, counted, and nothing grows."""

import itertools
import signal
from datetime import datetime, timedelta

FPS = 40
BUFFER_FRAMES = 16
IN_FLIGHT_FRAMES = 64  # two chunks in the lane, one in the pipe, and what the engine holds
UNBOUNDED_BYTES = 112 * 196 * 3 * 300  # what 300 frames take at model size


def test_a_slow_engine_drops_the_oldest_frames_and_says_how_many(camera, live_run, gate_lock):
    gate = camera(fps=FPS)
    run = live_run(
        {
            "streams": {"gate": {"url": gate.url()}},
            "sampling": {"all": True},
            "operators": {
                "embedding": {},
                "held:Held": {"folder": str(gate_lock.folder), "every": 5},
            },
            "buffer_frames": BUFFER_FRAMES,
            "short_side": 112,
        }
    )
    run.until(lambda: run.count("embedding", "gate") > 10)

    gate_lock.hold()
    run.until(gate_lock.waited_for)
    held_at = gate.frames
    run.until(lambda: gate.frames > held_at + 300)  # libav's and Python's own pools fill first
    early_bytes = resident_bytes(run)
    dropping_at = gate.frames
    run.until(lambda: gate.frames > dropping_at + 300)
    late_bytes = resident_bytes(run)
    gate_lock.release()
    run.until(lambda: "dropped" in run.told("gate"))
    seen = run.count("embedding", "gate")
    run.until(lambda: run.count("embedding", "gate") > seen + 2 * IN_FLIGHT_FRAMES)
    run.signal(signal.SIGTERM)
    assert run.exit_code() == 0, run.stderr

    assert late_bytes - early_bytes < UNBOUNDED_BYTES / 2
    assert set(run.told("gate")) == {"started", "dropped", "ended"}
    events = [event for event in run.events("gate") if event["kind"] == "dropped"]
    assert {event["cause"] for event in events} <= {"full", "late"}
    breaks = itertools.groupby(events, lambda event: event["position"])
    dropped = [sum(event["dropped"] for event in events) for _, events in breaks]
    assert sum(dropped) >= 300
    times = [datetime.fromisoformat(frame["ce_time"]) for frame in frames(run, "embedding")]
    steps = [(b - a) / timedelta(seconds=1 / FPS) for a, b in itertools.pairwise(times)]
    assert [round(step) - 1 for step in steps if round(step) > 1] == dropped

    spanned = len(times) + sum(dropped)
    ledger = run.events("gate")[-1]["operators"]
    for operator, taken in (("embedding", spanned), ("held", -(-spanned // 5))):
        counts = ledger[operator]
        assert counts["sampled"] == counts["published"] == len(frames(run, operator))
        assert counts["sampled"] + counts["dropped"] == taken, operator


def frames(run, topic):
    return [attributes for attributes, _ in run.records(topic, "gate")]


def resident_bytes(run):
    """Of the run and its decoders, now."""
    total = 0
    for pid in run.processes():
        with open(f"/proc/{pid}/status") as status:
            fields = dict(line.split(":", 1) for line in status)
        total += int(fields["VmRSS"].split()[0]) * 1024
    return total

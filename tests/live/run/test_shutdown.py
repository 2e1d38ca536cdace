"""`dinostream run` comes to an end whenever it is told to, and leaves nothing behind.

A run on Ray drains at SIGTERM in test_cameras, at Ctrl-C in test_canary.
"""

import signal

import pytest


def config(camera, **more):
    return {"streams": {"gate": {"url": camera.url()}}, "operators": {"embedding": {}}} | more


def held(folder):
    """Configuration of an operator that `gate_lock` holds up."""
    return {"held:Held": {"folder": str(folder)}}


def started(run):
    run.until(lambda: run.count("embedding", "gate") > 10)
    return run


def test_ctrl_c_drains_and_exits_0(camera, live_run):
    """As SIGTERM does in test_cameras."""
    run = started(live_run(config(camera())))
    run.ctrl_c()
    assert run.exit_code() == 0, run.stderr
    run.until(lambda: not run.processes())
    assert run.told("gate") == ["started", "ended"]
    assert "SIGINT: finishing what is decoded; again to quit now" in run.stderr
    assert "streams: 1 stopped" in run.stdout


def test_a_signal_before_the_first_frame_drains_too(silent_port, live_run):
    run = live_run({"streams": {"mute": {"url": f"rtsp://127.0.0.1:{silent_port}/cam"}}})
    run.until(run.decoders)
    run.ctrl_c()
    assert run.exit_code() == 0, run.stderr
    run.until(lambda: not run.processes())
    assert run.told("mute") == ["ended"]


def test_a_second_ctrl_c_quits_at_once(camera, live_run, gate_lock):
    run = started(live_run(config(camera(), operators={"embedding": {}} | held(gate_lock.folder))))
    gate_lock.hold()
    run.until(gate_lock.waited_for)
    run.ctrl_c()
    run.until(lambda: "again to quit now" in run.stderr)
    assert run.process.poll() is None
    run.ctrl_c()
    assert run.exit_code() == -signal.SIGINT
    run.until(lambda: not run.processes())


def test_a_killed_run_leaves_no_process_behind_and_the_next_goes_on(
    camera, live_run, gate_lock, silent_port
):
    """Not a decoder at work, not one that waits for its camera, not one that nobody asks. The next
    run has a session of its own."""
    gate = camera()
    streams = {
        "gate": {"url": gate.url()},
        "mute": {"url": f"rtsp://127.0.0.1:{silent_port}/cam"},
    }
    operators = {"embedding": {}} | held(gate_lock.folder)
    both = {"streams": streams, "operators": operators, "stall_s": 3600}
    check_killed(started(live_run(both)), decoders=2)

    run = live_run(config(gate, operators=operators))
    run.until(lambda: {epoch(frame) for frame in run.records("embedding", "gate")} == {"1", "2"})
    assert [event["kind"] for event in run.events("gate")] == ["started", "started"]
    gate_lock.hold()
    run.until(gate_lock.waited_for)
    held_at = gate.frames
    run.until(lambda: gate.frames > held_at + 60)  # every request is answered by then
    check_killed(run, decoders=1)


def epoch(record):
    return record[0]["ce_epoch"]


def check_killed(run, decoders):
    assert len(run.decoders()) == decoders
    run.signal(signal.SIGKILL)
    assert run.exit_code() == -signal.SIGKILL
    run.until(lambda: not run.processes())


@pytest.mark.slow
def test_a_second_ctrl_c_quits_ray_at_once(camera, live_run, gate_lock, short_folder):
    operators = {"embedding": {}} | held(gate_lock.folder)
    run = live_run(
        config(camera(), runtime="ray", operators=operators), RAY_TMPDIR=str(short_folder)
    )
    started(run)
    gate_lock.hold()
    run.until(gate_lock.waited_for)
    run.ctrl_c()
    run.until(lambda: "again to quit now" in run.stderr)
    run.ctrl_c()
    assert run.exit_code() == -signal.SIGINT
    run.until(lambda: not run.decoders())


@pytest.mark.slow
def test_a_killed_ray_run_leaves_no_process_behind(camera, live_run, short_folder):
    """But for Ray's own two agents, which say farewell to a head that is dead for a minute."""
    run = live_run(config(camera(), runtime="ray"), RAY_TMPDIR=str(short_folder))
    started(run)
    assert len(run.decoders()) == 1
    run.signal(signal.SIGKILL)
    run.exit_code()
    run.until(lambda: all("Agent" in title for title in run.processes().values()))

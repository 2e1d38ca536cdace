"""`dinostream run` comes to an end whenever it is told to, and leaves nothing behind."""

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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
def test_a_signal_drains_and_exits_0(camera, live_run, number):
    run = started(live_run(config(camera())))
    run.ctrl_c() if number == signal.SIGINT else run.signal(number)
    assert run.exit_code() == 0, run.stderr
    run.until(lambda: not run.processes())
    assert run.told("gate") == ["started", "ended"]
    assert f"{number.name}: finishing what is decoded; again to quit now" in run.stderr
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


def test_a_killed_run_leaves_no_process_behind(camera, live_run):
    check_killed(started(live_run(config(camera()))))


def test_a_killed_run_leaves_no_decoder_that_nobody_asks(camera, live_run, gate_lock):
    gate = camera()
    run = started(live_run(config(gate, operators={"embedding": {}} | held(gate_lock.folder))))
    gate_lock.hold()
    run.until(gate_lock.waited_for)
    held_at = gate.frames
    run.until(lambda: gate.frames > held_at + 60)  # every request is answered by then
    check_killed(run)


def test_a_killed_run_leaves_no_decoder_that_waits_for_its_camera(silent_port, live_run):
    url = f"rtsp://127.0.0.1:{silent_port}/cam"
    run = live_run({"streams": {"mute": {"url": url}}, "stall_s": 3600})
    run.until(run.decoders)
    check_killed(run)


def check_killed(run):
    assert len(run.decoders()) == 1
    run.signal(signal.SIGKILL)
    assert run.exit_code() == -signal.SIGKILL
    run.until(lambda: not run.processes())


def test_a_run_after_a_killed_one_goes_on_with_a_session_of_its_own(camera, live_run):
    gate = camera()
    run = started(live_run(config(gate)))
    run.signal(signal.SIGKILL)
    run.exit_code()
    before = run.count("embedding", "gate")
    run = live_run(config(gate))
    run.until(lambda: run.count("embedding", "gate") > before + 10)
    run.signal(signal.SIGTERM)
    assert run.exit_code() == 0, run.stderr
    kinds = [event["kind"] for event in run.events("gate")]
    assert kinds == ["started", "started", "ended"]
    epochs = {frame["ce_epoch"] for frame, _ in run.records("embedding", "gate")}
    assert epochs == {"1", "2"}


@pytest.mark.slow
def test_ray_drains_and_exits_0(camera, live_run, short_folder):
    """SIGINT goes to all its processes; SIGTERM on Ray is in test_cameras."""
    run = live_run(config(camera(), runtime="ray"), RAY_TMPDIR=str(short_folder))
    started(run)
    run.ctrl_c()
    assert run.exit_code() == 0, run.stderr
    run.until(lambda: not run.processes())
    assert run.told("gate") == ["started", "ended"]


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

"""Cameras through the real command: some break, the others lose nothing."""

import itertools
import signal
from datetime import datetime, timedelta

import pytest

STEP = timedelta(seconds=0.2)  # 5 frames per second
SLACK_FRAMES = 25  # of the camera: what it sent before anybody listened


def config(**urls):
    return {"streams": {name: {"url": url} for name, url in urls.items()}, "stall_s": 6.0}


def frames(run, stream):
    """Attributes of the stream's embedding records; every sampled frame has one."""
    return [attributes for attributes, _ in run.records("embedding", stream)]


def recorded(run, stream):
    """Sampled frames by now."""
    return run.count("embedding", stream)


def sessions(run, stream):
    return list(dict.fromkeys(frame["ce_session"] for frame in frames(run, stream)))


def intervals(run, stream):
    """Event times of one session are so far apart, by the records' own words."""
    found = set()
    for _, group in itertools.groupby(frames(run, stream), lambda frame: frame["ce_session"]):
        times = [datetime.fromisoformat(frame["ce_time"]) for frame in group]
        found |= {late - early for early, late in itertools.pairwise(times)}
    return found


def cut_off(run, stream):
    """Frames that the stop cut off, and nothing else: on a busy machine a step of decoding may be
    at work for longer than it is waited for."""
    events = [event for event in run.events(stream) if event["kind"] == "dropped"]
    assert {event["cause"] for event in events} <= {"drain"}
    return sum(event["dropped"] for event in events)


def told(run, stream):
    """What happened, but for what the stop cut off."""
    return [kind for kind in run.told(stream) if kind != "dropped"]


def all_has_come(run, **cameras):
    """What they have sent by now is recorded, however long it is on its way on a busy machine."""
    sent = {name: camera.frames - SLACK_FRAMES for name, camera in cameras.items()}
    run.until(
        lambda: all(recorded(run, name) * every(cameras[name]) >= sent[name] for name in sent)
    )


def every(camera):
    """Frames of the camera for each that is sampled."""
    return camera.fps // 5


def check_untouched(run, stream, camera):
    """A camera that nothing happened to: all it sent was sampled, once, without a break."""
    assert told(run, stream) == ["started", "ended"]
    assert len(sessions(run, stream)) == 1
    assert intervals(run, stream) == {STEP}
    sampled = len(frames(run, stream))
    assert sampled * every(camera) <= camera.frames + SLACK_FRAMES
    for topic in ("depth", "depth.summary", "segmentation", "segmentation.summary"):
        assert len(run.records(topic, stream)) == sampled, topic
    ended = run.events(stream)[-1]
    assert ended["outcome"] == "stopped"
    for operator, counts in ended["operators"].items():
        assert counts["sampled"] == sampled, operator
        assert counts.get("published", 0) + counts.get("covered", 0) == sampled, operator
        assert counts.get("dropped", 0) == cut_off(run, stream), operator


def check_restarted(run, stream):
    """A camera that was away once."""
    torn = [event for event in run.events(stream) if event["kind"] == "decode"]
    assert [event["lost"] for event in torn] in ([], [1])  # the picture it was killed in
    away = ["disconnected", "reconnected", "started"]
    told_else = [kind for kind in told(run, stream) if kind != "decode"]
    assert told_else == ["started", *away, "ended"]
    assert len(sessions(run, stream)) == 2
    assert intervals(run, stream) == {STEP}
    assert run.events(stream)[-1]["outcome"] == "stopped"


def check_drained(run):
    assert run.exit_code() == 0, run.stderr
    run.until(lambda: not run.processes())
    assert "Traceback" not in run.stderr
    assert "bug" not in run.stderr


@pytest.mark.slow
def test_of_four_cameras_two_in_trouble_harm_nobody(camera, silent_port, live_run):
    front, back, yard = camera(), camera(fps=15), camera()
    mute = f"rtsp://127.0.0.1:{silent_port}/cam"
    run = live_run(config(front=front.url(), back=back.url(), yard=yard.url(), mute=mute))
    run.until(lambda: all(recorded(run, name) > 10 for name in ("front", "back", "yard")))
    run.until(lambda: run.told("mute"))
    yard.kill()
    run.until(lambda: "disconnected" in run.told("yard"))
    yard.start()
    run.until(lambda: "reconnected" in run.told("yard"))
    run.until(lambda: all(recorded(run, name) >= 15 * 5 for name in ("front", "back")))
    all_has_come(run, front=front, back=back)
    run.signal(signal.SIGTERM)
    check_drained(run)
    check_untouched(run, "front", front)
    check_untouched(run, "back", back)
    check_restarted(run, "yard")
    assert run.told("mute") == ["disconnected", "ended"]
    assert frames(run, "mute") == []
    assert "yard: disconnected: " in run.stderr
    assert "streams: 4 stopped" in run.stdout
    assert "SIGTERM: finishing what is decoded; again to quit now" in run.stderr


def test_a_camera_that_is_away_is_told_of_by_every_run(refused_port, live_run):
    streams = {"gate": {"url": f"rtsp://127.0.0.1:{refused_port}/cam"}}

    def once(told_before):
        run = live_run({"streams": streams, "operators": {"embedding": {}}})
        run.until(lambda: run.count("events", "gate") > told_before)
        run.signal(signal.SIGTERM)
        assert run.exit_code() == 0, run.stderr
        assert "there already" not in run.stdout
        return [event["kind"] for event in run.events("gate")]

    assert once(0) == ["disconnected", "ended"]
    assert once(2) == ["disconnected", "ended"] * 2


@pytest.mark.slow
def test_the_same_on_ray(camera, silent_port, live_run, short_folder):
    front, yard = camera(), camera()
    mute = f"rtsp://127.0.0.1:{silent_port}/cam"
    streams = config(front=front.url(), yard=yard.url(), mute=mute)
    run = live_run({**streams, "runtime": "ray"}, RAY_TMPDIR=str(short_folder))
    run.until(lambda: all(recorded(run, name) > 10 for name in ("front", "yard")))
    run.until(lambda: run.told("mute"))
    yard.kill()
    run.until(lambda: "disconnected" in run.told("yard"))
    yard.start()
    run.until(lambda: "reconnected" in run.told("yard"))
    run.until(lambda: recorded(run, "front") >= 10 * 5)
    all_has_come(run, front=front)
    run.signal(signal.SIGTERM)
    check_drained(run)
    check_untouched(run, "front", front)
    check_restarted(run, "yard")
    assert run.told("mute") == ["disconnected", "ended"]

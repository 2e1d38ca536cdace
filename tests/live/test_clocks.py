"""Cameras whose clocks step, and frames that are older than they look: no event time is ahead."""

import itertools
import socket
import subprocess
import sys

import pytest

from pipeline.chunk import Gap

AFTER_S = 5


@pytest.fixture
def stepping(shared, tmp_path):
    """Starts cameras with habits; gives their URLs."""
    running = []

    def start(*habits):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        script = shared / "tools" / "cameras" / "rtsp_camera.py"
        if not script.exists():
            pytest.skip(f"no {script}")
        command = [sys.executable, script, str(port), *habits]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        running.append(process)
        assert process.stdout.readline().startswith(b"ready")
        return f"rtsp://127.0.0.1:{port}/cam"

    yield start
    for process in running:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_camera_whose_clock_steps(stepping, pulled):
    """Its reports' wall clock by ten days, its timestamps by an hour, and back by an hour."""
    host = pulled()
    host.open("reports", stepping("--audio", "--rtcp", "--step", f"{AFTER_S}:900000"))
    host.open("ahead", stepping("--rtpstep", f"{AFTER_S}:3600"))
    host.open("back", stepping("--rtpstep", f"{AFTER_S}:-3600"))
    names = ("reports", "ahead", "back")
    host.until(lambda: all(len(after_gap(host, name)) > 10 for name in names))
    for name in names:
        assert host.told(name) == ["clock"]
        check(host.infos(name))


def test_frames_that_came_while_the_camera_was_opened_are_dated_back(camera, pulled):
    gate = camera()
    host = pulled()
    host.open("gate", gate.url())
    host.until(lambda: len(host.infos("gate")) > 30)
    assert host.told("gate") == []
    infos = host.infos("gate")
    check(infos)
    first = infos[0]
    assert int(first.session) - first.event_time_us > 0  # older than the connection was up
    steps = {b.event_time_us - a.event_time_us for a, b in itertools.pairwise(infos)}
    assert steps == {100_000}


def after_gap(host, name):
    entries = host.entries[name]
    places = [k for k, entry in enumerate(entries) if isinstance(entry, Gap)]
    return [
        info
        for entry in entries[places[0] if places else len(entries) :]
        for info in getattr(entry, "infos", ())
    ]


def check(infos):
    """Never in the future, never back, and no step."""
    assert all(info.event_time_us <= info.ingest_time_us for info in infos)
    steps = [b.event_time_us - a.event_time_us for a, b in itertools.pairwise(infos)]
    assert all(0 <= step < 60_000_000 for step in steps)

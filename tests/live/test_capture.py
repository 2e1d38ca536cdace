"""Cameras that are dated by their own clocks, and how fast those run; real servers of RTSP."""

import itertools

import pytest

from pipeline.stream.chunk import Fault, Frames

HOUR_US = 3_600_000_000
SLACK_US = 60_000_000  # for a busy machine; the clocks are hours off
FOREVER = 1_000_000


def off_us(host, stream):
    """How far event times are ahead of this machine's clock."""
    return [info.event_time_us - info.ingest_time_us for info in host.infos(stream)]


def clocks(host, stream):
    return {info.clock for info in host.infos(stream)}


def steps_us(host, stream):
    times = [info.event_time_us for info in host.infos(stream)]
    return [later - earlier for earlier, later in itertools.pairwise(times)]


@pytest.mark.slow
def test_a_camera_is_dated_by_its_own_clock(camera, habits, pulled):
    """Over TCP and UDP, and whether the clock is right or two hours behind."""
    host = pulled()
    host.open("tcp", camera().url(), clock="capture")
    host.open("udp", camera(transport="udp").url(), clock="capture", transport="udp")
    host.open("slow", habits("--rtcp", "--audio", "--step", f"{FOREVER}:7200"), clock="capture")
    names = ("tcp", "udp", "slow")
    host.until(lambda: all(len(host.infos(name)) > 20 for name in names))
    for name in names:
        assert host.told(name) == [], host.story()[name]
        assert clocks(host, name) == {"capture"}
        assert all(0 <= step < 200_000 for step in steps_us(host, name))
    for name, slow_us in (("tcp", 0), ("udp", 0), ("slow", 2 * HOUR_US)):
        assert all(-SLACK_US < off + slow_us <= 0 for off in off_us(host, name))
    ahead_us = [run.ahead_us for run in host.of(Frames, "slow")]
    assert all(abs(ahead + 2 * HOUR_US) < SLACK_US for ahead in ahead_us)


@pytest.mark.slow
def test_each_connection_asks_the_clock_anew(camera, pulled):
    gate, host = camera(), pulled()
    host.open("gate", gate.url(), clock="capture")
    host.until(lambda: host.infos("gate"))
    gate.kill()
    host.until(lambda: "disconnected" in host.told("gate"))
    before = len(host.infos("gate"))
    gate.start()
    host.until(lambda: len(host.infos("gate")) > before)
    assert len({info.session for info in host.infos("gate")}) == 2
    assert clocks(host, "gate") == {"capture"}
    assert "arrival" not in host.told("gate")


@pytest.mark.slow
def test_one_that_tells_no_time_or_none_to_be_believed_goes_by_arrival(habits, pulled):
    host = pulled()
    host.open("mute", habits(), clock="capture")
    host.open("unset", habits("--rtcp", "--step", f"{FOREVER}:900000"), clock="capture")
    names = {"mute": "no RTCP sender report came in", "unset": "which is over a day off"}
    host.until(lambda: all(host.told(name) and host.infos(name) for name in names))
    for name, why in names.items():
        assert host.told(name) == ["arrival"], host.story()[name]
        (fault,) = host.of(Fault, name)
        assert why in fault.detail
        assert fault.detail.endswith("; event time goes by arrival")
        assert clocks(host, name) == {"start-time"}
        assert all(-SLACK_US < off <= 0 for off in off_us(host, name))


@pytest.mark.slow
def test_a_camera_that_sets_its_clock_is_told_once_and_time_goes_on(habits, pulled):
    """Ahead, and back: by the wall clock of its reports, then by its timestamps."""
    host = pulled()
    steps = {"ahead": ("--step", "5:7200"), "back": ("--step", "5:-7200")}
    steps["stamps"] = ("--rtpstep", "5:3600")
    for name, habit in steps.items():
        host.open(name, habits("--rtcp", *habit), clock="capture")
    host.until(lambda: all(len(host.infos(name)) > 55 and host.told(name) for name in steps))
    for name in steps:
        assert host.told(name) == ["clock"], host.story()[name]
        assert clocks(host, name) == {"capture"}
        assert all(0 <= step < SLACK_US for step in steps_us(host, name))


@pytest.mark.slow
def test_how_fast_a_cameras_clock_runs(camera, pulled):
    host = pulled()
    host.open("fast", camera(clock_rate=1.02).url())
    host.open("right", camera().url())

    def drift(name):
        runs = host.of(Frames, name)
        return runs[-1].drift if runs else None

    host.until(lambda: drift("fast") and drift("right"))
    assert drift("fast").ppm == pytest.approx(20_000, abs=5_000)
    assert drift("right").ppm == pytest.approx(0, abs=5_000)
    assert drift("right").over_s >= 30
    assert host.told("fast") == []

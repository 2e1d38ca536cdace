"""What can happen to one camera, done to a real one: the decode host tells it, and goes on."""

import itertools
import os
import signal
import threading
from random import Random

import pytest
from av._core import library_meta

from pipeline.stream.chunk import Fault

FIRST_WAITS_S = [0.25, 0.5, 1.0]  # the least that the back-off may wait: half of 0.5, 1 and 2 s


# A camera that is stopped in the middle of a frame has sent part of it.
CUT_SHORT = "a frame is damaged"


def faults(pulled, stream):
    return [fault.detail for fault in pulled.of(Fault, stream)]


def test_a_wrong_password_is_told_and_tried_again_ever_more_slowly(camera, pulled):
    locked = camera(password="right-horse")
    host = pulled(rng=Random(1))
    host.open("gate", locked.url(userinfo="viewer:wrong-horse@"), stall_s=600)
    host.until(lambda: len(locked.connections_s) > len(FIRST_WAITS_S))
    assert host.told("gate") == ["disconnected"]
    (why,) = faults(host, "gate")  # once, not at every try
    assert "401" in why
    assert "horse" not in str(host.story())
    waits_s = [late - early for early, late in itertools.pairwise(locked.connections_s)]
    assert all(wait_s > least_s for wait_s, least_s in zip(waits_s, FIRST_WAITS_S, strict=False))


def test_a_new_reason_is_told_in_the_same_outage(camera, pulled):
    """Somebody has changed the password while the camera was away."""
    gate = camera(password="right-horse")
    host = pulled()
    host.open("gate", gate.url(userinfo="viewer:right-horse@"))
    host.until(lambda: host.infos("gate"))
    assert host.told("gate") == [], "a right password opens"
    gate.kill()
    host.until(lambda: any("refused" in why for why in faults(host, "gate")))
    gate.start(password="another")
    host.until(lambda: any("401" in why for why in faults(host, "gate")))
    gate.kill()
    gate.start(password="right-horse")
    host.until(lambda: "reconnected" in host.told("gate"))
    assert len(faults(host, "gate")) == len(set(faults(host, "gate")))


def test_a_camera_that_is_switched_on_later_is_found(camera, pulled):
    late = camera()
    late.kill()
    host = pulled()
    host.open("gate", late.url())
    host.until(lambda: host.told("gate"))
    assert "refused" in faults(host, "gate")[0]
    late.start()
    host.until(lambda: host.infos("gate"))
    assert host.told("gate") == ["disconnected"]  # it never was connected, so not again


def test_srt_without_libsrt_says_what_is_missing(pulled, refused_port):
    if "--enable-libsrt" in library_meta["libavformat"]["configuration"]:
        pytest.skip("this PyAV has libsrt")
    host = pulled()
    host.open("gate", f"srt://127.0.0.1:{refused_port}")
    host.until(lambda: host.told("gate"))
    assert "libsrt" in faults(host, "gate")[0]


def test_what_never_answers_or_is_not_there_is_told_and_holds_up_no_other(
    camera, pulled, silent_port
):
    """And each ends when it is stopped: one gives what it has, those that say nothing their end."""
    here = camera()
    host = pulled()
    host.open("mute", f"rtsp://127.0.0.1:{silent_port}/cam")
    host.open("patient", f"rtsp://127.0.0.1:{silent_port}/cam", stall_s=3600)
    host.open("attic", here.url("/attic"))
    host.open("gate", here.url())
    host.host.stop("patient")
    host.until(lambda: ended(host, "patient"))
    assert host.told("patient") == []
    assert host.entries["patient"][-1].outcome == "stopped"

    host.until(lambda: host.told("mute") and host.told("attic") and len(host.infos("gate")) > 20)
    assert host.told("mute") == ["disconnected"]
    assert "no answer in 2.4 s" in faults(host, "mute")[0]
    assert host.told("attic") == ["disconnected"]
    assert "404" in faults(host, "attic")[0]

    host.host.stop("gate")
    host.until(lambda: ended(host, "gate"))
    assert host.told("gate") == []
    end = host.entries["gate"][-1]
    assert (end.outcome, end.lost) == ("stopped", 0)
    assert end.decoded == len(host.infos("gate"))
    assert end.memory_bytes > 0
    assert intervals_us(host.infos("gate")) == {100_000}


def test_a_camera_that_is_killed_one_that_freezes_and_one_that_stalls_come_back(
    camera, pulled, stalling
):
    """Each as a new session."""
    mortal, frozen = camera(), camera()
    host = pulled()
    host.open("mortal", mortal.url())
    host.open("frozen", frozen.url())
    host.open("stalling", stalling.url)
    host.until(lambda: all(len(host.infos(stream)) > 10 for stream in ("mortal", "frozen")))
    mortal.kill()
    frozen.signal(signal.SIGSTOP)
    host.until(
        lambda: all("disconnected" in host.told(one) for one in ("mortal", "frozen")),
        within_s=host.stall_s + 10,
    )
    assert "no frame for 2.4 s" in faults(host, "frozen")
    assert set(faults(host, "frozen")) <= {"no frame for 2.4 s", CUT_SHORT}
    seen = len(host.infos("mortal"))
    mortal.start()
    frozen.signal(signal.SIGCONT)
    host.until(lambda: len(host.infos("mortal")) > seen + 10)
    host.until(lambda: all("reconnected" in host.told(one) for one in ("frozen", "stalling")))
    for stream in ("mortal", "frozen", "stalling"):
        check_found_again(host, "disconnected", stream)
    sessions = list(dict.fromkeys(info.session for info in host.infos("mortal")))
    assert len(sessions) == 2
    assert int(sessions[0]) < int(sessions[1])
    times_us = [info.event_time_us for info in host.infos("mortal")]
    assert times_us == sorted(times_us)
    assert faults(host, "stalling")[0] == "no frame for 2.4 s"
    assert stalling.requests >= 2


def test_a_decoder_that_hangs_or_dies_is_replaced_and_no_other(camera, pulled):
    """But for one whose stream is to end: that ends."""
    here, door = camera(), camera()
    host = pulled()
    streams = ("hangs", "ends", "dies", "door")
    for stream in streams:
        host.open(stream, door.url() if stream == "door" else here.url())
    host.until(lambda: all(len(host.infos(stream)) > 10 for stream in streams))
    hung = host.host.pid("hangs")
    os.kill(hung, signal.SIGSTOP)
    os.kill(host.host.pid("ends"), signal.SIGSTOP)
    os.kill(host.host.pid("dies"), signal.SIGSEGV)
    host.host.stop("ends")
    host.until(lambda: host.told("hangs") and ended(host, "ends"), within_s=host.stall_s + 10)
    host.until(lambda: all("reconnected" in host.told(one) for one in ("hangs", "dies")))
    check_found_again(host, "stalled", "hangs")
    assert "no sign of life for 6 s" in faults(host, "hangs")[0]
    assert host.host.pid("hangs") != hung
    with pytest.raises(ProcessLookupError):
        os.kill(hung, 0)
    assert host.told("ends") == ["stalled"]
    assert host.entries["ends"][-1].outcome == "stopped"
    check_found_again(host, "crashed", "dies")
    assert "SIGSEGV" in faults(host, "dies")[0]
    assert host.told("door") == []
    assert intervals_us(host.infos("door")) == {100_000}


def test_whoever_was_away_for_long_kills_no_decoder_that_waits_for_him(camera, pulled, eventually):
    """A chunk larger than the pipe is half-written until somebody reads on."""
    large = camera(size_hw=(360, 640), fps=25)
    host = pulled()
    host.open("gate", large.url(), short_side=504, stall_s=3.0)
    host.until(lambda: host.infos("gate"))
    before = large.frames
    eventually(lambda: large.frames > before + 150)  # twice stall_s
    seen = len(host.infos("gate"))
    host.until(lambda: len(host.infos("gate")) > seen + 64)
    assert "stalled" not in host.told("gate")


@pytest.mark.slow
def test_a_camera_that_is_never_there_costs_no_descriptor_thread_or_process(pulled, refused_port):
    host = pulled(rng=Eager())
    host.open("gate", f"rtsp://127.0.0.1:{refused_port}/cam")
    pids = []

    def tries(count):
        if (pid := host.host.pid("gate")) not in (None, *pids[-1:]):
            pids.append(pid)
        return len(pids) >= count

    host.until(lambda: tries(3))
    before = held()
    host.until(lambda: tries(9))
    assert held() == before
    assert len(faults(host, "gate")) == 1


class Eager(Random):
    """No wait worth mentioning between two tries."""

    def uniform(self, a, b):
        return 1e-4


def check_found_again(host, reason, stream):
    """Told first why, in the end that it is back; a busy server may have refused tries between."""
    # Neither `CUT_SHORT`, nor frames that a busy machine was too slow for, are what ended it.
    told = [kind for kind in host.told(stream) if kind not in ("decode", "dropped")]
    between = told[1 : told.index("reconnected")]
    assert told[0] == reason
    assert set(between) <= {"disconnected"}


def held():
    """Descriptors, threads and children of this process."""
    with open(f"/proc/self/task/{os.getpid()}/children") as children:
        return (
            len(os.listdir("/proc/self/fd")),
            threading.active_count(),
            len(children.read().split()),
        )


def ended(host, stream):
    return host.entries[stream] and type(host.entries[stream][-1]).__name__ == "End"


def intervals_us(infos):
    return {late.event_time_us - early.event_time_us for early, late in itertools.pairwise(infos)}

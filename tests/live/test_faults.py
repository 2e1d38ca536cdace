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


def test_a_right_password_opens(camera, pulled):
    locked = camera(password="right-horse")
    host = pulled()
    host.open("gate", locked.url(userinfo="viewer:right-horse@"))
    host.until(lambda: host.infos("gate"))
    assert host.told("gate") == []


def test_a_new_reason_is_told_in_the_same_outage(camera, pulled):
    """Somebody has changed the password while the camera was away."""
    gate = camera(password="right-horse")
    host = pulled()
    host.open("gate", gate.url(userinfo="viewer:right-horse@"))
    host.until(lambda: host.infos("gate"))
    gate.kill()
    host.until(lambda: any("refused" in why for why in faults(host, "gate")))
    gate.start(password="another")
    host.until(lambda: any("401" in why for why in faults(host, "gate")))
    gate.kill()
    gate.start(password="right-horse")
    host.until(lambda: "reconnected" in host.told("gate"))
    assert len(faults(host, "gate")) == len(set(faults(host, "gate")))


def test_a_path_that_is_not_there_is_told(camera, pulled):
    host = pulled()
    host.open("gate", camera().url("/attic"))
    host.until(lambda: host.told("gate"))
    assert host.told("gate") == ["disconnected"]
    assert "404" in faults(host, "gate")[0]


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


def test_a_camera_that_never_answers_does_not_hold_up_another(camera, pulled, silent_port):
    host = pulled()
    host.open("mute", f"rtsp://127.0.0.1:{silent_port}/cam")
    host.open("gate", camera().url())
    host.until(lambda: host.told("mute") and len(host.infos("gate")) > 20)
    assert host.told("mute") == ["disconnected"]
    assert "no answer in 2.4 s" in faults(host, "mute")[0]
    assert host.told("gate") == []


def test_a_killed_camera_comes_back_as_a_new_session(camera, pulled):
    mortal = camera()
    host = pulled()
    host.open("gate", mortal.url())
    host.until(lambda: len(host.infos("gate")) > 10)
    mortal.kill()
    host.until(lambda: host.told("gate"))
    seen = len(host.infos("gate"))
    mortal.start()
    host.until(lambda: len(host.infos("gate")) > seen + 10)
    check_found_again(host, "disconnected")
    sessions = list(dict.fromkeys(info.session for info in host.infos("gate")))
    assert len(sessions) == 2
    assert int(sessions[0]) < int(sessions[1])
    times_us = [info.event_time_us for info in host.infos("gate")]
    assert times_us == sorted(times_us)


def test_a_camera_that_freezes_is_told_and_found_again(camera, pulled):
    frozen = camera()
    host = pulled()
    host.open("gate", frozen.url())
    host.until(lambda: len(host.infos("gate")) > 10)
    frozen.signal(signal.SIGSTOP)
    host.until(lambda: host.told("gate"), within_s=host.stall_s + 10)
    assert faults(host, "gate") == ["no frame for 2.4 s"]
    frozen.signal(signal.SIGCONT)
    host.until(lambda: "reconnected" in host.told("gate"))
    check_found_again(host, "disconnected")


def test_a_decoder_that_hangs_is_killed_and_replaced(camera, pulled):
    host = pulled()
    host.open("gate", camera().url())
    host.open("door", camera().url())
    host.until(lambda: all(len(host.infos(stream)) > 10 for stream in ("gate", "door")))
    hung = host.host.pid("gate")
    os.kill(hung, signal.SIGSTOP)
    host.until(lambda: host.told("gate"), within_s=host.stall_s + 10)
    host.until(lambda: "reconnected" in host.told("gate"))
    check_found_again(host, "stalled")
    assert "no sign of life for 6 s" in faults(host, "gate")[0]
    assert host.host.pid("gate") != hung
    with pytest.raises(ProcessLookupError):
        os.kill(hung, 0)
    assert host.told("door") == []
    assert intervals_us(host.infos("door")) == {100_000}


def test_a_decoder_that_dies_is_replaced(camera, pulled):
    host = pulled()
    host.open("gate", camera().url())
    host.until(lambda: len(host.infos("gate")) > 10)
    os.kill(host.host.pid("gate"), signal.SIGSEGV)
    host.until(lambda: "reconnected" in host.told("gate"))
    check_found_again(host, "crashed")
    assert "SIGSEGV" in faults(host, "gate")[0]


def test_an_http_source_that_stalls_in_mid_stream_is_told_and_found_again(stalling, pulled):
    host = pulled()
    host.open("gate", stalling.url)
    host.until(lambda: "reconnected" in host.told("gate"))
    check_found_again(host, "disconnected")
    assert faults(host, "gate")[0] == "no frame for 2.4 s"
    assert stalling.requests >= 2


def test_a_stream_that_is_stopped_gives_what_it_has_and_ends(camera, pulled):
    host = pulled()
    host.open("gate", camera().url())
    host.until(lambda: len(host.infos("gate")) > 10)
    host.host.stop("gate")
    host.until(lambda: ended(host, "gate"))
    assert host.told("gate") == []
    end = host.entries["gate"][-1]
    assert (end.outcome, end.lost) == ("stopped", 0)
    assert end.decoded == len(host.infos("gate"))
    assert end.memory_bytes > 0
    assert intervals_us(host.infos("gate")) == {100_000}


def test_a_stream_that_says_nothing_ends_when_it_is_stopped(silent_port, pulled):
    host = pulled()
    host.open("mute", f"rtsp://127.0.0.1:{silent_port}/cam", stall_s=3600)
    host.host.stop("mute")
    host.until(lambda: ended(host, "mute"))
    assert host.told("mute") == []
    assert host.entries["mute"][-1].outcome == "stopped"


def test_a_stream_whose_decoder_hangs_ends_when_it_is_stopped(camera, pulled):
    host = pulled()
    host.open("gate", camera().url())
    host.until(lambda: len(host.infos("gate")) > 10)
    os.kill(host.host.pid("gate"), signal.SIGSTOP)
    host.host.stop("gate")
    host.until(lambda: ended(host, "gate"), within_s=host.stall_s + 10)
    assert host.told("gate") == ["stalled"]
    assert host.entries["gate"][-1].outcome == "stopped"


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


def check_found_again(host, reason):
    """Told first why, in the end that it is back; a busy server may have refused tries between."""
    told = host.told("gate")
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

"""Frames that are pushed, read by a real decode process: what it is given is what was put."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from pipeline import Push
from pipeline.stream.chunk import Fault, Frames

SIDE = 56  # of the model's pictures: nothing is scaled
PASSWORD = "a-password-of-the-tests"
PROGRAM = """
import sys
from itertools import count
import numpy as np
from pipeline import Push
with Push(port=int(sys.argv[1]), password=sys.argv[2]) as push:
    for number in count():
        push.put(np.full((56, 56, 3), number % 256, np.uint8))
"""


class Program:
    """Puts pictures, each another one, into a Push, as fast as they are taken."""

    def __init__(self, push):
        self.put = {}  # pts -> number
        self.over = threading.Event()
        self._push = push
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    @staticmethod
    def picture(number):
        return np.random.default_rng(number).integers(0, 256, (SIDE, SIDE, 3), np.uint8)

    @property
    def is_at_work(self):
        return self._thread.is_alive()

    def _run(self):
        with contextlib.suppress(ValueError):  # closed
            while not self.over.is_set():
                self.put[self._push.put(self.picture(len(self.put)))] = len(self.put)

    def close(self):
        self._push.close()
        self._thread.join()


@pytest.fixture
def push():
    with Push() as one:
        yield one


@pytest.fixture
def program():
    with contextlib.ExitStack() as stack:

        def start(push):
            one = Program(push)
            stack.callback(one.close)
            return one

        yield start


def received(host):
    """Time and pixels of every frame, in order."""
    return [
        (info.pts, pixels)
        for run in host.of(Frames, "sim")
        for info, pixels in zip(run.infos, run.pixels, strict=True)
    ]


def faults(host):
    return [fault.detail for fault in host.of(Fault, "sim")]


def check_pixels(program, frames):
    assert all(np.array_equal(pixels, program.picture(program.put[us])) for us, pixels in frames)


def test_nothing_is_lost_where_the_source_may_wait(push, program, pulled):
    """The engine is slower than the program, which waits; its last frames come before its end."""
    host = pulled()
    host.open("sim", push.url, drop="block", buffer_frames=8)
    sim = program(push)
    host.until(lambda: len(received(host)) > 300)
    sim.over.set()
    host.until(lambda: not sim.is_at_work)
    push.close()
    host.until(lambda: "the connection ended" in faults(host))
    host.until(lambda: any("refused" in why for why in faults(host)))
    frames = received(host)
    assert [us for us, _ in frames] == [*sim.put]
    assert {info.position for info in host.infos("sim")} == {str(us) for us in sim.put}
    check_pixels(sim, frames)
    assert host.told("sim") == ["disconnected"]


def test_a_decoder_that_is_killed_is_followed_by_another(push, program, pulled):
    host = pulled()
    host.open("sim", push.url, buffer_frames=1000)
    sim = program(push)
    host.until(lambda: received(host))
    os.kill(host.host.pid("sim"), signal.SIGKILL)
    host.until(lambda: "reconnected" in host.told("sim"))
    sim.close()
    times_us = [us for us, _ in received(host)]
    assert times_us == sorted(set(times_us))
    check_pixels(sim, received(host))
    assert "crashed" in host.told("sim")
    assert len({info.session for info in host.infos("sim")}) == 2


def test_a_program_that_puts_nothing_for_long_is_found_again(push, pulled, caplog):
    host = pulled()
    host.open("sim", push.url)
    picture = Program.picture(0)
    first = push.put(picture)
    host.until(lambda: "has gone after 1 frames" in caplog.text)
    with ThreadPoolExecutor() as pool:
        second = pool.submit(push.put, picture)
        host.until(lambda: len(received(host)) == 2)
    assert [us for us, _ in received(host)] == [first, second.result()]
    assert host.told("sim")[:2] == ["disconnected", "reconnected"]


def test_a_program_that_is_killed_and_started_anew(pulled, spare_ports):
    (port,) = spare_ports(1)
    host = pulled()
    host.open("sim", f"http://push:{PASSWORD}@127.0.0.1:{port}/", buffer_frames=1000)
    command = [sys.executable, "-c", PROGRAM, str(port), PASSWORD]
    for sessions in (1, 2):
        with subprocess.Popen(command) as process:
            try:
                host.until(lambda n=sessions: len({one.session for one in host.infos("sim")}) == n)
            finally:
                process.kill()
    assert "reconnected" in host.told("sim")


def test_two_jobs_do_not_share_it_nor_read_it_without_its_password(push, program, pulled):
    host = pulled()
    host.open("sim", push.url, drop="block")
    program(push)
    host.until(lambda: received(host))
    host.open("second", push.url)
    host.open("stranger", push.url.replace("push:", "push:no-"))
    host.until(lambda: host.told("second") and host.told("stranger"))
    (second,) = host.of(Fault, "second")
    (stranger,) = host.of(Fault, "stranger")
    assert "409: somebody else reads this already" in second.detail
    assert "401" in stranger.detail
    assert host.told("sim") == []

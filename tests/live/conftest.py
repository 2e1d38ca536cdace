"""Cameras that can be killed and frozen, other servers in trouble, decode hosts that are pulled.

Everything is a real process or socket on loopback. Tests wait for facts, with a deadline.
"""

import contextlib
import http.server
import io
import itertools
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path

import av
import numpy as np
import pytest

from pipeline.decode.host import DecodeHost
from pipeline.stream.chunk import End, Fault, Frames, Gap, Trouble
from pipeline.stream.sampling import Sampling
from pipeline.stream.spec import StreamSpec

SERVER = Path(__file__).with_name("rtsp_server.py")
SYSTEM_PYTHON = "/usr/bin/python3"
PATIENCE_S = 90.0  # for anything that will happen; only a failure waits so long
POLL_S = 0.1


def wait_until(fact, within_s=PATIENCE_S, *, about=lambda: ""):
    """The first truthy value of `fact()`; a failure that says `about()` after `within_s`."""
    deadline_s = time.monotonic() + within_s
    pause = threading.Event()
    while not (value := fact()):
        if time.monotonic() > deadline_s:
            pytest.fail(f"not within {within_s:g} s: {about()}")
        pause.wait(POLL_S)
    return value


@pytest.fixture(scope="session")
def eventually():
    return wait_until


class Camera:
    """An RTSP server in a process of its own; it keeps its port over a restart."""

    def __init__(self, log, *, fps=10, size_hw=(180, 320), user="viewer", password="", **habits):
        height, width = size_hw
        self.fps, self.port = fps, 0
        self._wanted = {"pattern": "ball", "width": width, "height": height, "fps": fps}
        self._wanted |= {"address": "127.0.0.1", "user": user, "password": password}
        self._wanted |= {"transport": "", "lose_every": 0, "clock_rate": 1} | habits
        self._log = log
        self.start()

    def start(self, **changes):
        """Serve, on the same port as before."""
        self._wanted |= changes
        self.frames, self.connections_s = 0, []
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [SYSTEM_PYTHON, SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
            )
        told = json.dumps({**self._wanted, "port": self.port}).encode()
        self._process.stdin.write(told + b"\n")
        self._process.stdin.flush()
        self.port = json.loads(self._process.stdout.readline())["port"]
        self._reader = threading.Thread(target=self._follow, args=(self._process.stdout,))
        self._reader.start()

    def _follow(self, stdout):
        for line in stdout:
            fact = json.loads(line)
            self.frames = fact.get("frames", self.frames)
            if "connection" in fact:
                self.connections_s.append(time.monotonic())

    def kill(self):
        """SIGKILL: the connection breaks, nobody says goodbye."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        self._process.stdin.close()
        self._process.stdout.close()

    def signal(self, number):
        self._process.send_signal(number)

    def url(self, path="/cam", userinfo=""):
        return f"rtsp://{userinfo}127.0.0.1:{self.port}{path}"


@pytest.fixture(scope="session")
def _rtsp_packages():
    """Without Debian's GStreamer: a failure under REQUIRE_RTSP=1, else a skip."""
    check = (
        "import gi; gi.require_version('GstRtspServer', '1.0'); import gi.repository.GstRtspServer"
    )
    try:
        done = subprocess.run([SYSTEM_PYTHON, "-c", check], capture_output=True, text=True)
        missing = done.stderr.strip().splitlines()[-1:] if done.returncode else []
    except OSError as error:
        missing = [str(error)]
    if missing:
        reason = f"no RTSP server ({missing[0]}); .ci/run names the Debian packages"
        (pytest.fail if os.environ.get("REQUIRE_RTSP") == "1" else pytest.skip)(reason)


@pytest.fixture
def camera(_rtsp_packages, tmp_path):
    """Makes cameras."""
    cameras = []

    def make(**options):
        cameras.append(Camera(tmp_path / f"camera{len(cameras)}.log", **options))
        return cameras[-1]

    yield make
    for one in cameras:
        one.kill()


@pytest.fixture
def habits(shared, spare_ports):
    """Starts cameras with habits: steps, losses, long groups; gives their URLs."""
    running = []

    def start(*habits):
        (port,) = spare_ports(1)
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


@pytest.fixture
def silent_port():
    """Accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept = []
        thread = threading.Thread(target=_accept_all, args=(server, kept))
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
        for connection in kept:
            connection.close()


def _accept_all(server, kept):
    with contextlib.suppress(OSError):  # shut down
        while True:
            kept.append(server.accept()[0])


@pytest.fixture
def refused_port():
    """Nobody listens there, and nobody else can take it meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


class Pulled:
    """A decode host whose streams are asked for the next chunk as soon as one has come."""

    stall_s = 6.0  # leaves a busy machine 2.4 s to open a camera

    def __init__(self, **options):
        self.host = DecodeHost(**options)
        self.entries = defaultdict(list)

    def open(self, stream, url, **options):
        rules = options.pop("samplings", (Sampling("all"),))
        options = {
            "live": True,
            "short_side": 56,
            "stall_s": self.stall_s,
            "samplings": rules,
        } | options
        self.host.open(StreamSpec(stream, url, **options))
        self.host.request(stream)

    def until(self, fact, within_s=PATIENCE_S):
        """Pull until `fact()` holds."""
        deadline_s = time.monotonic() + within_s
        while not fact():
            if time.monotonic() > deadline_s:
                pytest.fail(f"not within {within_s:g} s; so far: {self.story()}")
            for chunk in self.host.wait(0.1):
                for entry in chunk.entries:
                    self.entries[entry.stream].append(entry)
                if not isinstance(chunk.entries[-1], End | Trouble):
                    self.host.request(chunk.entries[-1].stream)

    def of(self, kind, stream):
        return [entry for entry in self.entries[stream] if isinstance(entry, kind)]

    def infos(self, stream):
        return [info for run in self.of(Frames, stream) for info in run.infos]

    def told(self, stream):
        """Kinds of faults and gaps, in order; what is told again and again, once."""
        breaks = self.of((Fault, Gap), stream)
        kinds = [entry.kind if isinstance(entry, Fault) else entry.reason for entry in breaks]
        return [kind for kind, _ in itertools.groupby(kinds)]

    def story(self):
        return {
            stream: [f"{len(e.infos)} frames" if isinstance(e, Frames) else e for e in entries]
            for stream, entries in self.entries.items()
        }


@pytest.fixture
def pulled():
    """Makes pulled hosts."""
    with contextlib.ExitStack() as stack:

        def make(**options):
            one = Pulled(**options)
            stack.callback(one.host.close)
            return one

        yield make


class Stalling:
    """An http server whose every answer stops in the middle, connection open."""

    def __init__(self, clip):
        self.requests = 0
        self.over = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.requests += 1
                self.send_response(200)
                self.send_header("Content-Type", "video/mp2t")
                self.end_headers()
                self.wfile.write(clip)
                self.wfile.flush()
                outer.over.wait()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}/live.ts"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self):
        self.over.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def stalling():
    server = Stalling(transport_stream(frames=100))
    yield server
    server.close()


def transport_stream(frames):
    """An MPEG transport stream in memory."""
    file = io.BytesIO()
    with av.open(file, "w", format="mpegts") as container:
        stream = container.add_stream("mpeg2video", 25, width=160, height=90, pix_fmt="yuv420p")
        for number in range(frames):
            picture = np.full((90, 160, 3), number * 2, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode(None))
    return file.getvalue()

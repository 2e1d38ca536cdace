"""Cameras that are a bare socket: UDP to a port or a group, and TCP, sent by a real encoder."""

import contextlib
import socket
import threading
import time
from fractions import Fraction

import av
import numpy as np
import pytest

from operators.moment import rfc3339
from pipeline.media.arrivals import EARLY_US
from pipeline.stream.chunk import Fault

FPS, SIDE = 20, 192
HERE = "127.0.0.1"
GROUP = "239.255.73.20"


class Encoder:
    """Writes pictures to where somebody may read them, until it is told to stop. They are noise:
    libav knows MJPEG after a MiB of it."""

    def __init__(self, target, form, codec="libx264", **tags):
        self._over = threading.Event()
        self._arguments = (target, form, codec, tags)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        target, form, codec, tags = self._arguments
        noise = np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
        with av.open(target, "w", format=form, options={"flush_packets": "1"}) as container:
            container.metadata.update(tags)
            options = {"preset": "ultrafast", "tune": "zerolatency", "g": "10", "qp": "45"}
            pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
            stream = container.add_stream(
                codec, FPS, width=SIDE, height=SIDE, pix_fmt=pix_fmt, options=options
            )
            number = 0
            while not self._over.wait(1 / FPS):
                frame = av.VideoFrame.from_ndarray(np.roll(noise, number, axis=0), "rgb24")
                frame.pts, frame.time_base = number, Fraction(1, FPS)
                container.mux(stream.encode(frame))
                number += 1

    def stop(self):
        self._over.set()
        self._thread.join()


@pytest.fixture
def encoder():
    running = []

    def start(*arguments, **tags):
        running.append(Encoder(*arguments, **tags))
        return running[-1]

    yield start
    for one in running:
        one.stop()


@pytest.fixture
def udp_port():
    """One that is free."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((HERE, 0))
        return probe.getsockname()[1]


def faults(host, stream):
    return [fault.detail for fault in host.of(Fault, stream)]


def test_a_transport_stream_over_udp_that_falls_silent_and_comes_back(encoder, pulled, udp_port):
    """Its sender is not known to be gone until nothing has come for a while."""
    target = f"udp://{HERE}:{udp_port}?pkt_size=1316"
    host = pulled()
    host.open("gate", f"udp://{HERE}:{udp_port}")
    first = encoder(target, "mpegts")
    host.until(lambda: len(host.infos("gate")) > FPS)
    first.stop()
    host.until(lambda: "no frame for 2.4 s" in faults(host, "gate"))
    encoder(target, "mpegts")
    host.until(lambda: "reconnected" in host.told("gate"))
    infos = host.infos("gate")
    assert len({info.session for info in infos}) == 2
    assert {info.time_base for info in infos} == {Fraction(1, 90_000)}


def test_a_group_goes_to_all_that_join_it(encoder, pulled, udp_port):
    host = pulled()
    for stream in ("gate", "again"):
        host.open(stream, f"udp://@{GROUP}:{udp_port}?localaddr={HERE}")
    encoder(f"udp://{GROUP}:{udp_port}?pkt_size=1316&localaddr={HERE}&ttl=0", "mpegts")
    host.until(lambda: all(len(host.infos(stream)) > FPS for stream in ("gate", "again")))


class Server:
    """Hands what is written to it to whoever has connected; libav's own serves one, and ends."""

    def __init__(self):
        self._listener = socket.create_server((HERE, 0))
        self.url = f"tcp://{HERE}:{self._listener.getsockname()[1]}"
        self._there = threading.Event()
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def _accept(self):
        self._connection, _ = self._listener.accept()
        self._there.set()

    def write(self, data):
        self._there.wait()
        with contextlib.suppress(ConnectionError):  # whoever reads is killed before it is stopped
            self._connection.sendall(data)
        return len(data)

    def hang_up(self):
        """To be found gone by whoever comes again."""
        self._thread.join()
        self._connection.close()
        self._listener.close()


@pytest.fixture
def server():
    one = Server()
    yield one
    one.hang_up()


@pytest.mark.parametrize(
    ("form", "codec", "clockless"),
    [("mpegts", "libx264", False), ("h264", "libx264", True), ("mjpeg", "mjpeg", True)],
)
def test_what_a_server_sends_over_tcp(server, encoder, pulled, form, codec, clockless):
    """Pictures without a clock of their own happen when they come."""
    sender = encoder(server, form, codec)
    host = pulled()
    host.open("gate", server.url)
    host.until(lambda: len(host.infos("gate")) > FPS)
    infos = host.infos("gate")
    stamps = [info.pts for info in infos]
    assert stamps == sorted(set(stamps))
    assert (infos[0].time_base == Fraction(1, 1_000_000)) == clockless
    if clockless:
        assert infos[0].pts == 0
        assert infos[1].pts > EARLY_US
    sender.stop()
    server.hang_up()
    host.until(lambda: "the connection ended" in faults(host, "gate"))
    host.until(lambda: any("refused" in why for why in faults(host, "gate")))


@pytest.mark.parametrize("tells", [True, False])
def test_a_container_that_tells_when_it_began(server, encoder, pulled, tells):
    """Is dated by that, where its clock is asked for; one that does not tell, by arrival."""
    began_us = time.time_ns() // 1000 - 7_200_000_000
    encoder(server, "matroska", **({"creation_time": rfc3339(began_us)} if tells else {}))
    host = pulled()
    host.open("gate", server.url, clock="capture")
    host.until(lambda: len(host.infos("gate")) > FPS)
    infos = host.infos("gate")
    assert {info.clock for info in infos} == {"capture" if tells else "start-time"}
    if tells:
        assert host.told("gate") == []
        assert [info.event_time_us - began_us for info in infos[:3]] == [0, 50_000, 100_000]
    else:
        host.until(lambda: faults(host, "gate"))  # behind its first frames
        (why,) = faults(host, "gate")
        assert why.startswith("its container (matroska,webm) does not tell when it began")


def test_what_is_no_video_is_told(pulled, udp_port):
    """Somebody sends text to a port that is awaiting a camera."""
    host = pulled()
    host.open("gate", f"udp://{HERE}:{udp_port}")
    over = threading.Event()

    def talk():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            while not over.wait(0.01):
                sender.sendto(b"hello, is this the logging service? " * 900, (HERE, udp_port))

    thread = threading.Thread(target=talk)
    thread.start()
    try:
        host.until(lambda: host.told("gate"))
    finally:
        over.set()
        thread.join()
    assert host.told("gate") == ["disconnected"]
    assert "Invalid data" in faults(host, "gate")[0]
    assert not host.infos("gate")

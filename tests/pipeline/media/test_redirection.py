"""A camera that sends us on: to itself, or to somebody else."""

from __future__ import annotations

import logging
import socket
import socketserver
from collections.abc import Iterator

import pytest

from pipeline.errors import SourceError
from pipeline.media.container import open_video
from tests.serving import serving


class Camera(socketserver.ThreadingTCPServer):
    """Sends whoever asks on to its `target`, and does not know anything else."""

    daemon_threads = True

    def __init__(self, host: str) -> None:
        super().__init__((host, 0), Asked)
        self.target = ""
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return "rtsp://{}:{}".format(*self.server_address)


class Asked(socketserver.StreamRequestHandler):
    server: Camera

    def handle(self) -> None:
        while lines := list(iter(lambda: self.rfile.readline().decode().strip(), "")):
            self.server.asked.append(" ".join(lines))
            number = next(line for line in lines if line.startswith("CSeq"))
            found = "302 Found" if lines[0].endswith("/first RTSP/1.0") else "404 Not Found"
            location = f"Location: {self.server.target}"
            self.wfile.write(f"RTSP/1.0 {found}\r\n{number}\r\n{location}\r\n\r\n".encode())


@pytest.fixture
def camera() -> Iterator[Camera]:
    with serving(Camera("127.0.0.1")) as camera:
        yield camera


@pytest.fixture
def other() -> Iterator[Camera]:
    with serving(Camera("127.0.0.2")) as other:
        yield other


def refusal(camera: Camera) -> str:
    login = camera.url.replace("//", "//viewer:s3cret@")
    with pytest.raises(SourceError) as caught:
        open_video(f"{login}/first", max_pixels=1 << 24, timeout_s=5)
    return str(caught.value)


def test_nobody_else_is_asked(camera: Camera, other: Camera, caplog) -> None:
    elsewhere = other.url, f"rtsp://127.0.0.1:{other.server_address[1]}", "rtsp://no.example"
    with caplog.at_level(logging.DEBUG):
        for target in elsewhere:
            camera.target = f"{target}/second"
            assert refusal(camera).startswith(f"sends us on to {target}")
    assert other.asked == []
    assert len(camera.asked) == len(elsewhere)
    assert "s3cret" not in caplog.text
    socket.socket().close()  # which is allowed again


def test_a_camera_may_send_us_on_to_itself(camera: Camera) -> None:
    camera.target = f"{camera.url}/second"
    assert "404 Not Found" in refusal(camera)
    assert camera.asked[-1].startswith(f"OPTIONS {camera.url}/second ")

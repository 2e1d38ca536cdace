"""Cameras that libav opens itself; tests/live has real ones, but for devices, of which there are
none where tests run."""

from __future__ import annotations

import contextlib
import re
import shutil
import socketserver
import ssl
from pathlib import Path

import pytest

from pipeline.errors import SourceError
from pipeline.media import cameras
from pipeline.media.cameras import is_camera
from pipeline.media.container import open_video
from tests.authority import Authority
from tests.serving import serving


@pytest.mark.parametrize(
    ("url", "is_one"),
    [
        ("rtsp://h/x", True),
        ("RTSPS://h/x", True),
        ("srt://h:1", True),
        ("v4l2:/dev/video0", True),
        ("udp://h:1", False),
        ("rtsp:x.mp4", False),
        ("/dev/video0", False),
    ],
)
def test_what_is_a_camera(url: str, is_one: bool) -> None:
    assert is_camera(url) == is_one


@pytest.mark.parametrize(
    ("path", "told"),
    [("/dev/none", "No such file or directory"), ("/dev/null", "Inappropriate ioctl")],
)
def test_what_is_no_device_is_told(path: str, told: str) -> None:
    if "v4l2" not in cameras._device_formats():
        pytest.skip("this PyAV is built without Video4Linux")
    with pytest.raises(SourceError, match=re.escape(told)) as caught:
        open_video(f"v4l2:{path}", max_pixels=1 << 24, timeout_s=5)
    assert caught.value.retryable, "it may be plugged in later"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes the certificate")
def test_a_camera_whose_certificate_nobody_has_signed_is_refused_or_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    asked: list[bytes] = []

    class Camera(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with (
                contextlib.suppress(OSError),
                tls.wrap_socket(self.request, server_side=True) as talk,
            ):
                asked.append(talk.recv(100))

    certificate = Authority(tmp_path / "authority").certify("camera")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate.crt, certificate.key)
    cameras._say_that_nobody_is_verified.cache_clear()
    with serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Camera)) as server:
        url = f"rtsps://localhost:{server.server_address[1]}/x"
        with pytest.raises(SourceError, match="cannot be opened"):
            open_video(url, max_pixels=1 << 24, timeout_s=5)
    assert any(asked) is not cameras.VERIFIES
    assert ("does not check whose certificate" in caplog.text) is not cameras.VERIFIES


def test_a_libav_without_devices_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cameras, "_device_formats", lambda: {"rtsp"})
    with pytest.raises(SourceError, match="built without Video4Linux") as caught:
        open_video(f"v4l2:{tmp_path}", max_pixels=1 << 24, timeout_s=5)
    assert not caught.value.retryable

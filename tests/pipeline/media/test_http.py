"""Downloads and HLS over a real server; a second server must never hear from us."""

from __future__ import annotations

import contextlib
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import Request

import numpy as np
import pytest

from pipeline.errors import SourceError
from pipeline.media.container import open_video
from pipeline.media.http import SameHost
from pipeline.media.opening import open_reel
from pipeline.media.picture import Loss, Picture
from pipeline.media.raw_video import RawVideo
from pipeline.media.reel import VideoReel
from pipeline.media.transfer import Transfer, file_edges
from pipeline.media.whereabouts import Whereabouts
from tests.serving import serving


class Handler(SimpleHTTPRequestHandler):
    """Files with ranges, redirects, passwords; the server keeps a log of what was asked."""

    server: Site

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.server.passwords.append(self.headers.get("Authorization"))
        if self.server.password and self.headers.get("Authorization") != self.server.password:
            self.send_error(401)
        elif self.path in self.server.redirects:
            self.send_response(302)
            self.send_header("Location", self.server.redirects[self.path])
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif "Range" in self.headers and self.server.ranges:
            self._part()
        else:
            super().do_GET()

    def _part(self) -> None:
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        data = path.read_bytes()
        first, _, last = self.headers["Range"].removeprefix("bytes=").partition("-")
        begin, end = int(first), min(int(last or len(data) - 1) + 1, len(data))
        if begin >= len(data):
            self.send_error(416)
            return
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {begin}-{end - 1}/{len(data)}")
        self.send_header("Content-Length", str(end - begin))
        self.end_headers()
        self.wfile.write(data[begin:end])

    def end_headers(self) -> None:
        if self.server.ranges:
            self.send_header("Accept-Ranges", "bytes")
        super().end_headers()

    def log_message(self, *args: object) -> None:
        pass


class Site(ThreadingHTTPServer):
    """One loopback server."""

    ranges = True
    password = ""
    daemon_threads = True

    def __init__(self, host: str, folder: Path) -> None:
        super().__init__((host, 0), partial(Handler, directory=str(folder)))
        self.asked: list[str] = []
        self.passwords: list[str | None] = []
        self.redirects: dict[str, str] = {}
        self.url = f"http://{host}:{self.server_port}"

    def handle_error(self, *args: object) -> None:
        """A client that closes early is no news."""


@pytest.fixture
def folder(clips, tmp_path: Path) -> Path:
    for number in range(3):
        frames = [clips.colour((64, 64), (60 + 40 * number, 90, 170))] * 25
        pts = list(range(25 * number, 25 * number + 25))
        clips.write(tmp_path / f"{number}.ts", frames, pts=pts)
    clips.write(tmp_path / "film.mp4", [clips.colour((64, 64), (99, 99, 99))] * 40)
    return tmp_path


def served(host: str, folder: Path) -> Iterator[Site]:
    with serving(Site(host, folder)) as site:
        yield site


@pytest.fixture
def site(folder: Path) -> Iterator[Site]:
    yield from served("127.0.0.1", folder)


@pytest.fixture
def other(folder: Path) -> Iterator[Site]:
    """Another host: what it is asked for is an attack that worked."""
    yield from served("127.0.0.2", folder)


def frames(url: str) -> int:
    facts = {"keyframes": False, "max_pixels": 1 << 24, "damaged": False, "short_side": 64}
    with contextlib.closing(Transfer()) as transfer:
        reel = open_reel(url, timeout_s=5, stall_s=10, transfer=transfer, **facts)
        with contextlib.closing(reel):
            return sum(isinstance(item, Picture) for item in reel.pictures())


@contextlib.contextmanager
def spoken(answer: bytes) -> Iterator[str]:
    """The address of a server that gives this answer to everybody and hangs up."""

    class Speaker(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.readline().strip():
                pass
            with contextlib.suppress(ConnectionError):
                self.wfile.write(answer)

    with serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Speaker)) as server:
        yield f"http://127.0.0.1:{server.server_address[1]}/x.ts"


def refusal(url: str) -> str:
    with pytest.raises(SourceError) as caught:
        frames(url)
    return str(caught.value)


def listed(folder: Path, name: str, *targets: str) -> None:
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:1", "#EXT-X-MEDIA-SEQUENCE:0"]
    for target in targets:
        lines += ["#EXTINF:1.0,", target]
    (folder / name).write_text("\n".join([*lines, "#EXT-X-ENDLIST", ""]))


@pytest.mark.parametrize("ranges", [True, False])
def test_a_file_with_and_without_ranges(site: Site, ranges: bool) -> None:
    site.ranges = ranges
    assert frames(f"{site.url}/0.ts") == 25
    if ranges:
        assert frames(f"{site.url}/film.mp4") == 40  # its index is at the end


@pytest.mark.slow
def test_hls_of_the_same_host(site: Site, folder: Path) -> None:
    listed(folder, "list.m3u8", "0.ts", "/1.ts", f"{site.url}/2.ts")
    (folder / "master.m3u8").write_text("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlist.m3u8\n")
    assert frames(f"{site.url}/list.m3u8") == 75
    assert frames(f"{site.url}/master.m3u8") == 75


def test_redirects_on_the_same_host(site: Site) -> None:
    site.redirects["/go"] = "/0.ts"
    assert frames(f"{site.url}/go") == 25


@pytest.mark.slow
def test_no_other_host_is_asked(site: Site, other: Site, folder: Path) -> None:
    site.redirects |= {"/go": f"{other.url}/0.ts", "/1.ts": f"{other.url}/1.ts"}
    (folder / "master.m3u8").write_text(
        f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{other.url}/list.m3u8\n"
    )
    listed(folder, "list.m3u8", "0.ts", f"{other.url}/1.ts")
    listed(folder, "redirected.m3u8", "1.ts")
    listed(folder, "user.m3u8", f"http://127.0.0.1@127.0.0.2:{other.server_port}/0.ts")
    assert "not its own host" in refusal(f"{site.url}/go")
    for name in ("master.m3u8", "list.m3u8", "redirected.m3u8", "user.m3u8"):
        try:
            assert frames(f"{site.url}/{name}") <= 25
        except SourceError:
            continue
    assert other.asked == []


@pytest.mark.parametrize("tag", ['MAP:URI="{}"', 'KEY:METHOD=AES-128,URI="{}"'])
def test_heads_and_keys_come_from_the_same_host_too(
    site: Site, other: Site, folder: Path, tag: str
) -> None:
    (folder / "key").write_bytes(bytes(16))
    listed(folder, "list.m3u8", "0.ts")
    text = (folder / "list.m3u8").read_text()
    line = f"#EXT-X-{tag}".format(f"{other.url}/key")
    (folder / "list.m3u8").write_text(text.replace("#EXTINF", f"{line}\n#EXTINF"))
    assert "not its own host" in refusal(f"{site.url}/list.m3u8")
    assert other.asked == []


@pytest.mark.parametrize(
    "target",
    ["file:///etc/hostname", "/etc/../a", "concat:0.ts|1.ts", "data:video/mp4;base64,AAAA"],
)
def test_playlists_reach_no_files_of_ours(site: Site, folder: Path, target: str) -> None:
    listed(folder, "list.m3u8", target)
    with contextlib.suppress(SourceError):
        assert frames(f"{site.url}/list.m3u8") == 0


@pytest.mark.parametrize(
    "name", ["a film.ts", "vidéo.ts", "100%.ts", "a%20film.ts", "0.ts?t=a b&é=[1]&u=%2F"]
)
def test_addresses_are_asked_for_as_people_write_them(site: Site, folder: Path, name: str) -> None:
    for given in ("a film.ts", "vidéo.ts", "100%.ts"):
        (folder / given).write_bytes((folder / "0.ts").read_bytes())
    assert frames(f"{site.url}/{name}") == 25
    assert all(path.isascii() and "%2520" not in path for path in site.asked)
    if "?" in name:
        assert site.asked[0] == "/0.ts?t=a%20b&%C3%A9=[1]&u=%2F"


def test_a_redirect_with_a_blank_or_a_user_is_followed(site: Site, folder: Path) -> None:
    (folder / "a film.ts").write_bytes((folder / "0.ts").read_bytes())
    user = site.url.replace("//", "//me:s3cret@")
    site.redirects |= {"/go": "/a film.ts", "/on": f"{user}/go"}
    assert frames(f"{site.url}/on") == 25


@pytest.mark.parametrize("url", ["http://[::1/x", "http://127.0.0.1:port/x", "http://x/\ud800"])
def test_what_makes_no_sense_as_an_address_is_refused(url: str) -> None:
    assert "makes no sense as an address" in refusal(url)
    with pytest.raises(SourceError, match="makes no sense"), contextlib.closing(Transfer()) as way:
        file_edges(url, 100, way)


def test_a_reference_that_makes_no_sense_is_refused(site: Site) -> None:
    site.redirects |= {"/go": "http://127.0.0.1:port/x", "/on": "http://[::1/x"}
    for name in ("go", "on"):
        assert "refers to one that does not" in refusal(f"{site.url}/{name}")


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "BadStatusLine 'SSH-2.0"),
        (b"ICY two hundred\r\n\r\n", "BadStatusLine 'ICY two hundred"),
        (b"\x15\x03\x01\x00\x02\x02F\r\n", "BadStatusLine '\\x15\\x03"),  # a TLS port's alert
        (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 101, "more than 100 headers"),
        (b"HTTP/1.1 200 OK\r\n" + b"a" * 70_000, "LineTooLong"),
    ],
)
def test_what_does_not_speak_http_is_told(answer: bytes, named: str) -> None:
    with spoken(answer) as url:
        told = refusal(url)
        assert told.startswith("cannot be opened: its server does not answer in http: ")
        assert named in told
        with pytest.raises(SourceError, match="does not answer in http") as caught:
            file_edges(url, 100, Transfer())
    assert caught.value.retryable


@pytest.mark.parametrize("length", ["\xb2", "9" * 5000, "x"])
def test_a_length_that_is_none_is_not_told(length: str) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n"
    with spoken(head.encode("latin-1")) as url:
        assert "is no recording" in refusal(url)


@pytest.mark.slow
def test_passwords_go_to_the_host_and_nowhere_else(site: Site, folder: Path) -> None:
    site.password = "Basic dXNlcjpnZWgzMW0="
    listed(folder, "list.m3u8", "0.ts", "1.ts")
    address = site.url.removeprefix("http://")
    assert frames(f"http://user:geh31m@{address}/list.m3u8") == 50
    assert "401" in refusal(f"{site.url}/0.ts")
    wrong = refusal(f"http://user:wr0ng-0ne@{address}/0.ts")
    assert "401" in wrong
    assert "wr0ng-0ne" not in wrong


@pytest.fixture
def elsewhere(folder: Path) -> Iterator[Site]:
    """Another server on the same host."""
    yield from served("127.0.0.1", folder)


@pytest.mark.slow
def test_no_other_port_of_this_machine_is_asked(site: Site, elsewhere: Site, folder: Path) -> None:
    site.redirects |= {"/go": f"{elsewhere.url}/0.ts", "/on": "/1.ts"}
    listed(folder, "list.m3u8", f"{elsewhere.url}/1.ts")
    assert frames(f"{site.url}/on") == 25
    for way in ("go", "list.m3u8"):
        assert "refers to another port of this machine" in refusal(f"{site.url}/{way}")
    assert elsewhere.asked == []


@pytest.mark.parametrize(
    ("source", "target", "goes"),
    [
        ("http://cam", "http://cam:80/x", True),
        ("http://cam:80", "https://cam/x", True),
        ("https://cam:443", "https://CAM/x", True),
        ("http://cam", "http://cam:8080/x", False),
        ("http://cam:8080", "https://cam/x", False),
        ("https://cam", "https://cam:8443/x", False),
    ],
)
def test_where_passwords_belong(source: str, target: str, goes: bool) -> None:
    camera = Whereabouts(lambda _: [(socket.AF_INET, ("10.0.0.7", 0))])
    site = SameHost(source.replace("//", "//user:geh31m@"), 5, whereabouts=camera)
    request = Request(target)
    site.check(target)
    site.authorize(request)
    assert request.has_header("Authorization") is goes


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes the certificate")
def test_what_is_encrypted_refers_to_nothing_that_is_not(
    site: Site, elsewhere: Site, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = str(tmp_path / "server.pem")
    name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    files = ["-keyout", certificate + ".key", "-out", certificate]
    subprocess.run(["openssl", "req", *kind, *name, *files], check=True, capture_output=True)
    monkeypatch.setenv("SSL_CERT_FILE", certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate + ".key")
    site.socket = context.wrap_socket(site.socket, server_side=True)
    site.redirects["/go"] = f"{elsewhere.url}/0.ts"
    listed(folder, "list.m3u8", f"{elsewhere.url}/1.ts")
    own = site.url.replace("http://", "https://user:geh31m@")
    assert frames(f"{own}/0.ts") == 25
    for way in ("go", "list.m3u8"):
        assert "not encrypted as it is itself" in refusal(f"{own}/{way}")
    assert elsewhere.asked == []


@pytest.mark.parametrize("ranges", [True, False])
def test_what_a_container_hides_is_hidden_over_http_too(
    site: Site, folder: Path, shared_media: Path, ranges: bool
) -> None:
    shutil.copy(shared_media / "reports" / "clap.mp4", folder)
    site.ranges = ranges
    way = Transfer()
    limits = {"max_pixels": 1 << 24, "timeout_s": 5.0, "transfer": way}
    with contextlib.closing(way):
        reel = VideoReel.open(f"{site.url}/clap.mp4", keyframes=False, **limits)
        with contextlib.closing(reel):
            seen = [one for one in reel.pictures() if isinstance(one, Picture)]
    assert {(one.preparation, one.source_hw) for one in seen} == {("128x64+0+32", (64, 128))}
    assert [one.pts for one in seen] == sorted(one.pts or 0 for one in seen)


def test_a_silent_server_is_given_up(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/x.ts"
        with pytest.raises(SourceError, match="cannot be opened") as caught:
            open_video(url, max_pixels=1 << 24, timeout_s=0.5)
    assert caught.value.retryable


def test_a_camera_that_falls_silent_is_told_as_that() -> None:
    """Some of libav's formats read once more after the time is over, as NUT, which looks for where
    it could go on; that may not hide why there was nothing."""
    video = RawVideo((64, 64), began_us=1)
    black = np.zeros((64, 64, 3), np.uint8)
    sent = b"".join(video.packed(black, number) for number in range(1, 9))
    with socket.create_server(("127.0.0.1", 0)) as camera:

        def answer() -> None:
            connection, _ = camera.accept()
            with connection:
                connection.recv(4096)
                head = b"HTTP/1.1 200 OK\r\nContent-Type: video/x-nut\r\n\r\n"
                connection.sendall(head + sent)
                connection.recv(1)  # until the other side hangs up

        thread = threading.Thread(target=answer)
        thread.start()
        url = f"http://127.0.0.1:{camera.getsockname()[1]}/"
        way = Transfer(live=True)
        limits = {"max_pixels": 1 << 24, "timeout_s": 0.5, "transfer": way}
        with contextlib.closing(way):
            reel = VideoReel.open(url, keyframes=False, **limits)
            with contextlib.closing(reel):
                *_, last = reel.pictures()
        thread.join()
    assert last == Loss(0, "no frame for 0.5 s")

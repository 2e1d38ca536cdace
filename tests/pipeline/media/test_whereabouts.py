"""Who answers at a source's address sends us to nobody else: by redirects, playlists or names."""

from __future__ import annotations

import contextlib
import socket
import socketserver
from collections.abc import Iterator, Sequence
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pipeline.errors import SourceError
from pipeline.media import whereabouts
from pipeline.media.http import SameHost
from pipeline.media.opening import open_reel
from pipeline.media.picture import Picture
from pipeline.media.transfer import Transfer
from pipeline.media.whereabouts import Whereabouts
from tests.serving import serving

PUBLIC, PRIVATE = "203.0.114.7", "10.0.0.7"  # of the internet, and of a network of somebody's own
TARGETS = [  # {port} is where nobody may be asked, at any address of this machine
    "http://127.0.0.2:{port}/x",
    "http://127.0.0.1:{port}/x",
    "http://localhost:{port}/x",
    "http://127.0.0.1.:{port}/x",
    "http://0.0.0.0:{port}/x",
    "http://2130706433:{port}/x",
    "http://0x7f000001:{port}/x",
    "http://0177.0.0.1:{port}/x",
    "http://127.1:{port}/x",
    "http://[::1]:{port}/x",
    "http://[::ffff:127.0.0.1]:{port}/x",
    "http://127.0.0.1@127.0.0.2:{port}/x",
    "http://127.0.0.1%2f@127.0.0.2:{port}/x",
    "http://127.0.0.1\\@127.0.0.2:{port}/x",
    "//127.0.0.2:{port}/x",
    "https://127.0.0.1:{port}/x",
    "ftp://127.0.0.1:{port}/x",
    "gopher://127.0.0.1:{port}/x",
    "rtsp://127.0.0.1:{port}/x",
    "tcp://127.0.0.1:{port}",
    "crypto+http://127.0.0.1:{port}/x",
    "concat:http://127.0.0.1:{port}/x|x",
    "data:video/mp4;base64,AAAA",
    "file:///etc/hostname",
]


@pytest.fixture(autouse=True)
def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whereabouts, "_public", set())


class Sending(BaseHTTPRequestHandler):
    """Sends whoever asks on to `server.target`: by a redirect, or by a playlist of either kind."""

    def do_GET(self) -> None:
        kind = self.path.strip("/")
        target = self.server.target  # type: ignore[attr-defined]
        lines = {"variants": "STREAM-INF:BANDWIDTH=1", "key": 'KEY:METHOD=AES-128,URI="{}"'}
        text = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-{lines.get(kind, 'VERSION:3')}\n"
        if kind != "variants":
            text += "#EXTINF:1,\n"
        text = text.format(target) + ("x.ts" if kind == "key" else target) + "\n#EXT-X-ENDLIST\n"
        self.send_response(302 if kind == "redirect" else 200)
        self.send_header("Content-Length", str(len(text)))
        if kind == "redirect":
            self.send_header("Location", target)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def forbidden() -> Iterator[tuple[int, list[object]]]:
    """A port of all addresses of this machine, and who has connected."""
    came: list[object] = []

    class Visited(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            came.append(self.client_address)

    with serving(socketserver.ThreadingTCPServer(("", 0), Visited)) as server:
        yield server.server_address[1], came


def frames(url: str) -> int:
    facts = {"keyframes": False, "max_pixels": 1 << 24, "damaged": False, "short_side": 64}
    with contextlib.closing(Transfer()) as transfer:
        reel = open_reel(url, timeout_s=5, stall_s=10, transfer=transfer, **facts)
        with contextlib.closing(reel):
            return sum(isinstance(item, Picture) for item in reel.pictures())


@pytest.mark.parametrize("kind", ["redirect", "segments", "variants", "key"])
def test_nobody_else_is_asked(forbidden: tuple[int, list[object]], kind: str) -> None:
    port, came = forbidden
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Sending)) as server:
        for target in TARGETS:
            server.target = target.format(port=port)  # type: ignore[attr-defined]
            with contextlib.suppress(SourceError):
                assert frames(f"http://127.0.0.1:{server.server_port}/{kind}") == 0
            assert came == [], target
        with socket.create_connection(("127.0.0.2", port)) as own:
            assert own.recv(1) == b""  # it was there all the time
    assert len(came) == 1


class Names:
    """Answers one look-up after another with these; the last again and again."""

    def __init__(self, *answers: str | Sequence[str]) -> None:
        self._answers = [[one] if isinstance(one, str) else one for one in answers]
        self.asked = 0

    def __call__(self, host: str) -> list[whereabouts.Found]:
        answer = self._answers[min(self.asked, len(self._answers) - 1)]
        self.asked += 1
        return [
            (socket.AF_INET6, (one, 0, 0, 0)) if ":" in one else (socket.AF_INET, (one, 0))
            for one in answer
        ]


class Listed(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None: ...


def test_a_name_that_leads_elsewhere_between_two_requests_leads_to_the_first() -> None:
    """What was checked is what is connected to: the name is looked up once."""
    first = ThreadingHTTPServer(("127.0.0.1", 0), Listed)
    second = ThreadingHTTPServer(("127.0.0.2", first.server_port), Listed)
    first.asked, second.asked = [], []  # type: ignore[attr-defined]
    names = Names("127.0.0.1", "127.0.0.2")
    with serving(first), serving(second):
        url = f"http://camera.example:{first.server_port}"
        site = SameHost(url, 5, whereabouts=Whereabouts(names))
        for path in ("/list.m3u8", "/0.ts", "/1.ts"):
            with site.get(url + path, 0, 0) as answer:
                assert answer.read() == b"ok"
    assert first.asked == ["/list.m3u8", "/0.ts", "/1.ts"]  # type: ignore[attr-defined]
    assert second.asked == []  # type: ignore[attr-defined]
    assert names.asked == 1


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "169.254.169.254", "224.0.0.1", "255.255.255.255", "240.0.0.1"),
        *("::", "fe80::1", "ff02::1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe"),
    ],
)
def test_no_name_leads_there(address: str) -> None:
    with pytest.raises(SourceError, match="where no name of a camera leads; where that is meant"):
        Whereabouts(Names(address)).is_this_machine("camera.example")


def test_what_a_person_writes_leads_there() -> None:
    assert not Whereabouts(Names("169.254.7.7")).is_this_machine("169.254.7.7")
    assert not Whereabouts(Names("169.254.7.7")).is_this_machine("gate.local")
    assert not Whereabouts(Names(PRIVATE)).is_this_machine("gate.office")
    assert Whereabouts(Names("::1")).is_this_machine("localhost")
    assert Whereabouts(Names("::ffff:127.0.0.1")).is_this_machine("gate.office")


@pytest.mark.parametrize("inside", [PRIVATE, "127.0.0.1", "100.100.100.200", "fd00::7"])
def test_what_was_on_the_internet_stays_there(inside: str) -> None:
    """A connection later, too, when its name is looked up again."""
    names = Names(PUBLIC, inside, [inside, PUBLIC])
    look = partial(Whereabouts.is_this_machine, host="camera.example")
    assert not look(Whereabouts(names))
    with pytest.raises(SourceError, match="not on the internet as it was before"):
        look(Whereabouts(names))
    assert not look(Whereabouts(names)), "who mixes means the other one"
    assert Whereabouts(Names("127.0.0.1")).is_this_machine("another.example")


def test_a_playlist_is_looked_up_once_from_its_opening_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is first read as a file and found to be a list is played from where it was found."""
    names = Names("127.0.0.1", "127.0.0.2")
    monkeypatch.setattr(whereabouts, "_look_up", names)
    first = ThreadingHTTPServer(("127.0.0.1", 0), Sending)
    second = ThreadingHTTPServer(("127.0.0.2", first.server_port), Listed)
    first.target, second.asked = "0.ts", []  # type: ignore[attr-defined]
    with serving(first), serving(second), pytest.raises(SourceError):
        frames(f"http://camera.example:{first.server_port}/segments")
    assert second.asked == []  # type: ignore[attr-defined]
    assert names.asked == 1

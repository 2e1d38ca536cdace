"""Recordings over servers with bad habits: lines that break, no ranges, lies; all really served."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO

import pytest

from pipeline.configuration.sources import plan_recordings
from pipeline.errors import SourceError
from pipeline.media.fingerprint import edges_session, file_session
from pipeline.media.http import SameHost
from pipeline.media.http_file import HttpFile
from pipeline.media.retry import FIRST_WAIT_S, TRIES
from pipeline.media.transfer import Transfer, file_edges
from tests.serving import serving

DATA = bytes(range(256)) * 40  # 10,240 bytes
HALF = len(DATA) // 2


class Habits(ThreadingHTTPServer):
    """One file at every address, and what its server does wrong."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.data = DATA
        self.ranges = True  # 206 for a range
        self.headers: dict[str, str] = {}  # told with every answer
        self.length = "told"  # "chunked", "" (neither)
        self.breaks: list[int] = []  # after so many bytes of the next answers
        self.codes: list[int] = []  # of the next answers
        self.asked: list[str | None] = []  # ranges
        self.part = "bytes {first}-{last}/{size}"
        self.url = f"http://127.0.0.1:{self.server_port}/clip.ts"

    def handle_error(self, *args: object) -> None:
        """A client that closes early is no news."""


class Handler(BaseHTTPRequestHandler):
    server: Habits
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        habits, wanted = self.server, self.headers.get("Range")
        habits.asked.append(wanted)
        self.close_connection = True
        if habits.codes and (code := habits.codes.pop(0)) != 200:
            self._head(code, 0)
            return
        data, first = habits.data, 0
        if wanted and habits.ranges:
            first = int(wanted.removeprefix("bytes=").split("-")[0])
            if first >= len(data):
                self._head(416, 0)
                return
        condition = self.headers.get("If-Range")
        if condition and condition not in habits.headers.values():
            wanted, first = None, 0
        body = data[first:]
        part = wanted and habits.ranges
        self._head(206 if part else 200, len(body), first if part else None)
        limit = habits.breaks.pop(0) if habits.breaks else len(body)
        if habits.length == "chunked":
            self.wfile.write(b"%x\r\n" % len(body) + body[:limit])
            if limit >= len(body):
                self.wfile.write(b"\r\n0\r\n\r\n")
        else:
            self.wfile.write(body[:limit])

    def _head(self, code: int, size: int, first: int | None = None) -> None:
        habits = self.server
        self.send_response(code)
        if first is not None and habits.part:
            whole = len(habits.data)
            told = habits.part.format(first=first, last=whole - 1, size=whole)
            self.send_header("Content-Range", told)
        if habits.length == "told" or code >= 400:
            self.send_header("Content-Length", str(size))
        elif habits.length == "chunked":
            self.send_header("Transfer-Encoding", "chunked")
        for name, value in habits.headers.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def habits() -> Iterator[Habits]:
    with serving(Habits()) as server:
        yield server


class Waits(list[float]):
    """A hand-set clock: remembers how long it was to wait, and does not."""

    def __call__(self, seconds: float) -> bool:
        if seconds:
            self.append(seconds)
        return True


def opened(habits: Habits, waits: Waits | None = None) -> HttpFile:
    return HttpFile(SameHost(habits.url, 5, waits if waits is not None else Waits()), habits.url)


def whole(file: HttpFile | IO[bytes]) -> bytes:
    with closing(file):
        return b"".join(iter(lambda: file.read(1000), b""))


def failure(habits: Habits, transfer: Transfer | None = None) -> SourceError:
    with pytest.raises(SourceError) as caught:
        file_edges(habits.url, 100, transfer or Transfer(wait=Waits()))
    return caught.value


def test_a_line_that_breaks_is_read_on_from_where_it_broke(habits: Habits) -> None:
    habits.breaks = [1000, 1, 3000]
    waits = Waits()
    assert whole(opened(habits, waits)) == DATA
    assert habits.asked == ["bytes=0-", "bytes=1000-", "bytes=1001-", "bytes=4001-"]
    assert waits == [FIRST_WAIT_S] * 3  # a byte came each time: nobody loses patience


def test_a_line_that_stays_broken_is_given_up_and_never_taken_for_the_end(habits: Habits) -> None:
    habits.breaks = [HALF] + [0] * TRIES
    waits = Waits()
    file = opened(habits, waits)
    with pytest.raises(SourceError, match=f"after {HALF} of {len(DATA)} bytes") as caught:
        whole(file)
    assert caught.value.retryable
    assert waits == [FIRST_WAIT_S * 2**n for n in range(TRIES)]


def test_a_server_in_trouble_is_asked_again_and_a_refusal_is_final(habits: Habits) -> None:
    habits.breaks, habits.codes = [HALF], [200, 500, 502]
    assert whole(opened(habits)) == DATA
    habits.breaks, habits.codes, habits.asked = [HALF], [200, 404], []
    with pytest.raises(SourceError, match="404"):
        whole(opened(habits))
    assert len(habits.asked) == 2


@pytest.mark.parametrize("told", ["ETag", "Last-Modified", "nothing but another length"])
def test_another_file_at_the_same_address_is_not_glued_on(habits: Habits, told: str) -> None:
    before = {"ETag": '"one"', "Last-Modified": formatdate(0, usegmt=True)}
    after = {"ETag": '"two"', "Last-Modified": formatdate(9, usegmt=True)}
    habits.headers = {told: before[told]} if told in before else {}
    habits.breaks = [HALF]
    file = opened(habits)
    pieces = [file.read(HALF)]
    while sum(map(len, pieces)) < HALF:
        pieces.append(file.read(HALF))
    habits.headers = {told: after[told]} if told in after else {}
    habits.data = DATA[::-1] if told in after else DATA + b"more"
    with closing(file), pytest.raises(SourceError, match="has changed on its server"):
        file.read(1)
    assert b"".join(pieces) == DATA[:HALF]


def test_answers_that_lie_are_told(habits: Habits) -> None:
    habits.part = "bytes 7-{last}/{size}"
    assert "begins at byte 7" in str(failure(habits))
    habits.part, habits.headers = "bytes {first}-{last}/{size}", {"Content-Encoding": "gzip"}
    assert "gzip-encoded" in str(failure(habits))
    habits.headers = {}
    file = opened(habits)
    file.seek(HALF)
    habits.ranges = False  # from the second answer on
    with closing(file), pytest.raises(SourceError, match="200 with what begins at byte 0"):
        file.read(1)


def test_a_busy_server_is_asked_again_when_it_says(habits: Habits) -> None:
    habits.codes, habits.headers = [503, 429], {"Retry-After": "2"}
    waits = Waits()
    assert whole(opened(habits, waits)) == DATA
    assert waits == [2, 2]
    habits.codes = [503] * 9  # not within the timeout
    with pytest.raises(OSError, match="503"):
        opened(habits)
    assert len(habits.codes) == 6


@pytest.mark.parametrize(
    "way", ["ranges", "not advertised", "advertised only", "none", "chunked", "broken"]
)
def test_a_recording_is_the_same_whichever_way_it_comes(
    habits: Habits, tmp_path: Path, way: str
) -> None:
    habits.headers = {"Accept-Ranges": "bytes"} if way in ("ranges", "advertised only") else {}
    habits.ranges = way in ("ranges", "not advertised")
    habits.length = "chunked" if way == "chunked" else "told"
    habits.breaks = [HALF, 10] if way == "broken" else []
    (tmp_path / "clip.ts").write_bytes(DATA)
    with closing(Transfer(wait=Waits())) as transfer:
        edges = file_edges(habits.url, 100, transfer)
    assert edges == (len(DATA), DATA[:100], DATA[-100:])
    (plan,) = plan_recordings([habits.url])
    size, first, last = len(DATA), DATA, DATA
    assert plan.session == edges_session(size, first, last)
    assert plan.session == file_session(str(tmp_path / "clip.ts"))


def test_a_copy_is_made_once_has_no_name_and_is_read_anywhere(
    habits: Habits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    habits.ranges = False
    site = SameHost(habits.url, 5)
    with closing(Transfer()) as transfer:
        for _ in range(2):
            file, length = transfer.open(site, habits.url)
            assert length == len(DATA)
            file.seek(HALF)
            assert whole(file) == DATA[HALF:]
        assert list(tmp_path.iterdir()) == []  # so a kill -9 leaves nothing
    assert habits.asked == ["bytes=0-"]


def test_a_copy_has_a_bound_and_says_so(habits: Habits) -> None:
    habits.ranges = False
    small = Transfer(spool_bytes=len(DATA) - 1)
    assert "spool_bytes (10239)" in str(failure(habits, small))
    habits.length = "chunked"
    assert "spool_bytes (10239)" in str(failure(habits, small))


def test_what_may_be_endless_is_no_recording(habits: Habits) -> None:
    habits.ranges, habits.length = False, ""
    assert "use dinostream run" in str(failure(habits))
    live = Transfer(live=True)
    file, length = live.open(SameHost(habits.url, 5), habits.url)
    assert length is None
    file.close()


@pytest.mark.parametrize(
    ("told", "headers", "finite"),
    [
        ("told", {}, True),
        ("told", {"Content-Type": "multipart/x-mixed-replace; boundary=x"}, False),
        ("chunked", {}, False),  # a camera's server may end its chunks in good order
        ("", {}, False),
    ],
)
def test_what_is_finite_is_known_by_the_answer(
    habits: Habits, told: str, headers: dict[str, str], finite: bool
) -> None:
    habits.ranges, habits.length, habits.headers = False, told, headers
    file, length = Transfer(live=True).open(SameHost(habits.url, 5), habits.url)
    file.close()
    assert (length is not None) is finite

"""Recordings over http: nothing is dropped of what waits, in replays and in live runs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline.stream.chunk import End, Frames
from tests.serving import serving


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *args: object) -> None:
        """A client that closes early is no news."""


@pytest.fixture
def videos_url(shared_media: Path) -> Iterator[str]:
    handler = partial(Quiet, directory=str(shared_media / "videos"))
    with serving(Server(("127.0.0.1", 0), handler)) as server:
        yield f"http://127.0.0.1:{server.server_port}"


@pytest.mark.slow
def test_a_replay_over_http_equals_the_file(play, spec, drain, keys, videos_url, shared_media):
    entries = drain(spec(f"{videos_url}/testsrc2_vp8.webm", "fps:10"))["clip"]
    assert keys(entries) == play(shared_media / "videos" / "testsrc2_vp8.webm", "fps:10").keys
    assert entries[-1].outcome == "ok"


@pytest.mark.slow
def test_a_live_run_reads_a_file_to_its_end_and_drops_nothing(spec, drain, videos_url) -> None:
    url = f"{videos_url}/carphone_distorted.mp4"
    entries = drain(spec(url, session="", live=True, buffer_frames=20, chunk_ms=50))["clip"]
    assert sum(len(entry.infos) for entry in entries if isinstance(entry, Frames)) == 120
    assert [type(entry) for entry in entries if not isinstance(entry, Frames)] == [End]
    assert (entries[-1].outcome, entries[-1].decoded) == ("ok", 120)
    info = next(entry for entry in entries if isinstance(entry, Frames)).infos[0]
    assert info.clock == "start-time"
    assert info.session == str(info.event_time_us)

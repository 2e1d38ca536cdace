"""Recordings and cameras over http as decoders see them: breaks, resumes, and no clock."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import FileIO
from itertools import count, pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.configuration.config import Config
from pipeline.configuration.sources import EDGE_BYTES
from pipeline.decode.capture import Capture
from pipeline.decode.host import DecodeHost
from pipeline.decode.supervisor import START_S
from pipeline.decode.track import Sample
from pipeline.display import open_display
from pipeline.errors import SourceError
from pipeline.job import run_job
from pipeline.media.arrivals import EARLY_US
from pipeline.media.http import SameHost
from pipeline.media.picture import Picture
from pipeline.media.reel import VideoReel
from pipeline.media.transfer import Transfer
from pipeline.sinks.uri import open_reader
from pipeline.stream.chunk import End, Fault, Frames
from pipeline.stream.slow_clock import MARGIN_S
from pipeline.testing import ManualClock
from tests.serving import serving

FRAMES = 200  # 8 s at 25 frames/s: what opens a file has not read all of it


def film(path: Path, side: int = 48, **options: str) -> Path:
    """Pictures of noise, so that a wrong one is seen."""
    noise = np.random.default_rng(1).integers(0, 256, (FRAMES, side, side, 3), np.uint8)
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(
            "libx264", rate=25, width=side, height=side, pix_fmt="yuv420p"
        )
        stream.codec_context.options = {"preset": "ultrafast", "g": "25", "qp": "40"}
        for number in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(noise[number], "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


class Server(ThreadingHTTPServer):
    """Files of a folder, with or without ranges; `/live/NAME` has no length."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.folder = folder
        self.ranges = self.advertised = True
        self.hole: int | None = None  # where transfers break, and nothing can be asked for
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.pictures = threading.Semaphore(0)  # that the camera may show
        self.slow = ""  # "copy": has no ranges and never comes to an end; "busy": asks to wait
        self.asked = threading.Event()

    def handle_error(self, *args: object) -> None:
        """A client that closes early is no news."""


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.close_connection = True
        if self.path == "/mjpeg":
            self._show()
            return
        if self.server.slow:
            self._hold_up()
            return
        data = (self.server.folder / self.path.rpartition("/")[2]).read_bytes()
        live = self.path.startswith("/live/")
        wanted = None if live or not self.server.ranges else self.headers.get("Range")
        first = int(wanted.removeprefix("bytes=").split("-")[0]) if wanted else 0
        hole = self.server.hole
        if first == hole:
            self.send_error(404)
            return
        end = hole if hole is not None and first < hole else len(data)
        self.send_response(206 if wanted else 200)
        if wanted:
            self.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")
        if self.server.advertised:
            self.send_header("Accept-Ranges", "bytes")
        if not live:
            self.send_header("Content-Length", str(len(data) - first))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data[first:end])

    def _hold_up(self) -> None:
        busy = self.server.slow == "busy"
        self.send_response(503 if busy else 200)
        self.send_header("Retry-After", "3")
        self.send_header("Content-Length", "0" if busy else str(1 << 30))
        self.end_headers()
        self.server.asked.set()
        with suppress(ConnectionError):
            while not busy:
                self.wfile.write(bytes(188))
                self.server.pictures.acquire(timeout=0.001)  # a line has its speed

    def _show(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        jpeg = (self.server.folder / "picture.jpg").read_bytes()
        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
        while self.server.pictures.acquire():
            self.wfile.write(head.encode() + jpeg + b"\r\n")

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    for name in ("clip.mp4", "clip.ts", "clip.flv", "clip.mkv", "clip.h264"):
        film(folder / name)
    film(folder / "fragments.mp4", movflags="empty_moov+frag_keyframe+default_base_moof")
    film(folder / "streamed.mp4", movflags="faststart")
    with av.open(str(folder / "picture.jpg"), "w", format="mjpeg") as container:
        stream = container.add_stream("mjpeg", width=96, height=96, pix_fmt="yuvj420p")
        noise = np.random.default_rng(1).integers(0, 256, (96, 96, 3), np.uint8)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(noise, "rgb24")))
        container.mux(stream.encode(None))
    return folder


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    with serving(Server(folder)) as server:
        yield server
        server.pictures.release(1000)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["ranges", "not advertised", "none"])
@pytest.mark.parametrize("name", ["clip.mp4", "clip.ts"])
def test_a_resume_equals_the_file_whichever_way_its_bytes_come(
    play, server: Server, folder: Path, name: str, way: str
) -> None:
    server.ranges, server.advertised = way != "none", way == "ranges"
    whole = play(folder / name)
    assert len(whole.samples) == FRAMES
    url = f"{server.url}/{name}"
    assert play(url).keys == whole.keys
    for index in (60, FRAMES - 1):
        assert play(url, cursor=whole.cursor(index)).keys == whole.keys[index + 1 :]


@pytest.mark.slow
def test_what_a_decoder_logs_is_logged_once_where_its_host_is(
    server: Server, drain, spec, caplog: pytest.LogCaptureFixture
) -> None:
    server.ranges = server.advertised = False
    drain(spec(f"{server.url}/clip.mp4", "fps:1"))
    (line,) = [one for one in caplog.records if "gives no parts of it" in one.getMessage()]
    assert (line.name, line.levelname) == ("pipeline.media.transfer", "WARNING")
    assert line.stream == "clip"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["clip.flv", "clip.mkv", "streamed.mp4"])
def test_a_broken_line_leaves_a_recording_that_goes_on_another_day(
    play, server: Server, folder: Path, name: str
) -> None:
    whole, url = play(folder / name), f"{server.url}/{name}"
    server.hole = (folder / name).stat().st_size * 9 // 10
    broken = play(url)
    assert (broken.end.outcome, broken.end.unfinished) == ("degraded", True)
    assert f"broke off after {server.hole} of" in broken.end.detail
    assert 0 < len(broken.samples) < FRAMES
    assert broken.keys == whole.keys[: len(broken.samples)]  # none is a damaged half of itself
    cursor = broken.cursor(len(broken.samples) - 1)
    still = play(url, "all", cursor=cursor)
    assert (still.end.outcome, still.end.unfinished) == ("degraded", True)
    server.hole = None
    rest = play(url, "all", cursor=cursor)
    assert broken.keys + rest.keys == whole.keys
    assert rest.end == whole.end


class Torn(FileIO):
    """A file whose transfer breaks for good at `hole`, once that is set."""

    hole: int | None = None

    def read(self, size: int = -1, /) -> bytes:
        end = self.tell() + size if self.hole is None else self.hole
        data = super().read(min(size, end - self.tell()))
        if size and not data and self.hole is not None:
            raise SourceError("the transfer broke off", retryable=True)
        return data


@pytest.mark.slow
def test_a_break_in_the_middle_of_a_picture_gives_out_no_half(folder: Path) -> None:
    """libav hands on what it has of a transport stream's picture before it tells of an error."""

    def pictures(file: Torn, hole: int | None) -> list[NDArray[np.uint8]]:
        class Given(Transfer):
            def open(self, site: SameHost, url: str) -> tuple[Torn, int]:
                return file, 1

        reel = VideoReel.open(
            "http://x/y", keyframes=False, max_pixels=1 << 20, timeout_s=5, transfer=Given()
        )
        file.hole = hole
        found: list[NDArray[np.uint8]] = []
        with suppress(SourceError), closing(reel):
            for one in reel.pictures():
                if isinstance(one, Picture):
                    found.append(one.frame.to_ndarray())
        return found

    whole = pictures(Torn(folder / "clip.ts"), None)
    assert len(whole) == FRAMES
    size = (folder / "clip.ts").stat().st_size
    for hole in range(size // 2, size // 2 + 6 * 188, 188):
        torn = pictures(Torn(folder / "clip.ts"), hole)
        assert torn
        assert all(np.array_equal(a, b) for a, b in zip(torn, whole, strict=False))


@pytest.mark.slow
@pytest.mark.parametrize("way", ["http", "file"])
def test_a_decoder_that_hangs_in_the_network_leaves_the_rest_for_another_day(
    play, spec, keys, server: Server, folder: Path, way: str
) -> None:
    """As it does while the name of a host is looked up. A file that hangs has no other day."""
    url = f"{server.url}/clip.ts" if way == "http" else str(folder / "clip.ts")
    entries, stopped, clock = [], [], ManualClock()
    with closing(DecodeHost(clock=clock)) as host:
        host.open(spec(url))
        host.request("clip")
        while not entries or not isinstance(entries[-1], End):
            pid = host.pid("clip")
            if entries and pid not in (None, *stopped):
                os.kill(pid, signal.SIGSTOP)
                stopped.append(pid)
            clock.advance(START_S + 1 if entries else 0)
            for chunk in host.wait(0):
                entries += chunk.entries
                if not isinstance(entries[-1], End):
                    host.request("clip")
    assert [entry.kind for entry in entries if isinstance(entry, Fault)] == ["stalled"] * 3
    end = entries[-1]
    assert (end.outcome, end.unfinished) == ("degraded", way == "http")
    (*_, last) = (entry for entry in entries if isinstance(entry, Frames))
    rest = play(url, cursor=last.cursor)
    assert keys(entries) + rest.keys == play(folder / "clip.ts").keys


@pytest.mark.slow
@pytest.mark.parametrize("slow", ["copy", "busy"])
@pytest.mark.parametrize("resumed", [True, False])
def test_a_replay_that_is_stopped_while_it_waits_for_bytes_is_stopped_and_no_failure(
    play, spec, host, next_chunk, server: Server, folder: Path, *, slow: str, resumed: bool
) -> None:
    whole, url = play(folder / "clip.ts"), f"{server.url}/clip.ts"
    cursor = whole.cursor(60) if resumed else None
    server.slow = slow
    host.open(spec(url, cursor=cursor))
    host.request("clip")
    assert server.asked.wait(60)
    host.stop("clip")
    (end,) = next_chunk(host).entries
    assert isinstance(end, End)
    assert (end.outcome, end.decoded) == ("stopped", 61 if resumed else 0)
    server.slow = ""
    assert play(url, "all", cursor=cursor).keys == whole.keys[61 if resumed else 0 :]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["clip.ts", "clip.flv", "clip.mkv", "fragments.mp4"])
def test_what_has_no_length_is_live_whatever_its_container_says(
    spec, server: Server, name: str
) -> None:
    camera = Capture(spec(f"{server.url}/live/{name}", live=True, session=""), lambda: 0)
    items = [item for item in camera.items() if item is not None]
    assert sum(isinstance(item, Sample) for item in items) == FRAMES
    assert not any(isinstance(item, End) for item in items)
    assert items[-1] == Fault("clip", "disconnected", "the connection ended")
    assert not camera.finite


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("live/clip.ts", "its container (mpegts) does not tell when it began"),
        ("live/clip.h264", "nothing tells the camera's clock here"),
        ("clip.ts", "nothing tells the camera's clock here"),
    ],
)
def test_what_tells_no_clock_goes_by_arrival_and_says_so_once(
    spec, server: Server, place: str, why: str
) -> None:
    asked = spec(f"{server.url}/{place}", live=True, session="", clock="capture")
    clock_us = count(0, 40_000).__next__
    items = [item for item in Capture(asked, clock_us).items() if item is not None]
    assert {item.info.clock for item in items if isinstance(item, Sample)} == {"start-time"}
    told = [item for item in items if isinstance(item, Fault) and item.kind == "arrival"]
    assert told == [Fault("clip", "arrival", f"{why}; event time goes by arrival")]


@pytest.mark.parametrize(
    ("place", "clockless"),
    [("live/clip.h264", True), ("clip.h264", False), ("live/clip.ts", False)],
)
def test_what_has_no_clock_is_known(server: Server, place: str, clockless: bool) -> None:
    transfer = Transfer(live=True)
    reel = VideoReel.open(
        f"{server.url}/{place}",
        keyframes=False,
        max_pixels=1 << 20,
        timeout_s=5,
        transfer=transfer,
    )
    assert reel.clockless is clockless
    assert (reel.time_base == Fraction(1, 1_000_000)) is clockless
    reel.close()


@pytest.mark.parametrize(("camera_fps", "taken"), [(5, 12), (10, 6)])
def test_pictures_without_a_clock_have_the_time_of_their_arrival(
    spec, server: Server, camera_fps: int, taken: int
) -> None:
    clock = ManualClock(100.0)
    transfer = Transfer(live=True, clock=clock)
    camera = spec(f"{server.url}/mjpeg", "fps:5", "all", live=True, session="")
    capture = Capture(camera, lambda: round(clock() * 1_000_000), transfer)
    samples, seen = [], 0
    server.pictures.release()
    for item in capture.items():
        if isinstance(item, Sample):
            samples.append(item)
        if len(samples) == 12:
            break
        if capture.counts.decoded > seen:
            seen = capture.counts.decoded
            clock.advance(1 / camera_fps)
            server.pictures.release()
    infos = [sample.info for sample in samples]
    step_us, early_us = 1_000_000 // camera_fps, round(MARGIN_S * 1_000_000)
    lags_us = [info.ingest_time_us - info.event_time_us for info in infos]
    assert lags_us == [early_us + EARLY_US] + [early_us] * 11
    assert {b.event_time_us - a.event_time_us for a, b in pairwise(infos[1:])} == {step_us}
    assert sum(sample.taken & 1 for sample in samples) == taken
    assert samples[1].info.time_base == Fraction(1, 1_000_000)


@pytest.mark.slow
def test_a_job_whose_line_broke_says_so_and_the_next_run_goes_on(
    server: Server, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch", reason="an environment for the decoders alone")

    def run(url: str, sink: str) -> tuple[int, str]:
        config = Config(
            model="dinov2_vitti14",
            weights="random",
            operators={"embedding": {}},
            streams={"clip": {"url": url}},
            short_side=28,
            sampling={"fps": 1},
            threads=1,
            runtime="inline",
            sink=f"sqlite:{tmp_path / sink}",
        )
        code = run_job(config, live=False, fresh=False, display=open_display(as_json=True))
        return code, json.loads(capsys.readouterr().out)["failures"].get("clip", "")

    def ids(sink: str) -> list[str]:
        with closing(open_reader(f"sqlite:{tmp_path / sink}")) as reader:
            return sorted(one.message.id for one in reader.records())

    film(folder / "large.mkv", 224)  # what lies in the middle says nothing about its identity
    url = f"{server.url}/large.mkv"
    assert run(str(folder / "large.mkv"), "undisturbed.db")[0] == 0
    server.hole = (folder / "large.mkv").stat().st_size // 2
    assert server.hole > EDGE_BYTES
    code, why = run(url, "broken.db")
    assert code == 3
    assert f"broke off after {server.hole} of" in why
    assert len(ids("broken.db")) < len(ids("undisturbed.db"))
    server.hole = None
    assert run(url, "broken.db")[0] == 0
    assert ids("broken.db") == ids("undisturbed.db")

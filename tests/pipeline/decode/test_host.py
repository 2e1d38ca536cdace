"""The host with real decode processes: nothing that happens to one is lost or waited for."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.decode.host import DecodeHost
from pipeline.decode.process import ROOT
from pipeline.media.card import card_trouble
from pipeline.stream.chunk import Chunk, End, Fault, Frames
from pipeline.stream.spec import StreamSpec
from pipeline.testing import ManualClock

GONE_S = 10.0


def frames_of(chunk: Chunk) -> list[Frames]:
    return [entry for entry in chunk.entries if isinstance(entry, Frames)]


def wait_gone(pid: int) -> None:
    """Until the process is dead; a zombie counts as dead."""
    deadline_s = time.monotonic() + GONE_S
    while time.monotonic() < deadline_s:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return
        if state == "Z":
            return
        os.sched_yield()
    raise AssertionError(f"process {pid} is still there")


@pytest.fixture
def clip_path(shared_media: Path) -> Path:
    return shared_media / "videos" / "R6llTwEh07w.mp4"


@pytest.mark.slow
def test_processes_give_what_playback_gives(play, spec, drain, keys, clip_path: Path) -> None:
    entries = drain(spec(clip_path, "every:5"))["clip"]
    whole = play(clip_path, "every:5")
    assert keys(entries) == whole.keys
    end = entries[-1]
    assert isinstance(end, End)
    assert (end.outcome, end.decoded, end.lost) == ("ok", 303, 0)
    assert 30e6 < end.memory_bytes < 400e6


@pytest.mark.slow
@pytest.mark.skipif(not card_trouble(), reason="shows a machine without a GPU that decodes")
def test_without_a_gpu_cuda_is_refused_and_auto_goes_on(
    play, spec, drain, keys, shared_media
) -> None:
    path = shared_media / "videos" / "bt601.mov"
    found = drain(
        spec(path, "every:5", stream="gpu", decode="cuda"),
        spec(path, "every:5", stream="any", decode="auto"),
    )
    (end,) = found["gpu"]
    assert isinstance(end, End)
    assert end.outcome == "rejected"
    assert end.detail.startswith("decode: cuda: ")
    assert keys(found["any"]) == play(path, "every:5").keys


@pytest.mark.slow
def test_many_streams_at_once(play, spec, drain, keys, shared_media: Path) -> None:
    names = ["bt601.mov", "sample.mkv", "video_desks.3gp", "carphone_pristine.mp4"]
    specs = [spec(shared_media / "videos" / name, "fps:10", stream=name) for name in names]
    found = drain(*specs)
    for name in names:
        assert keys(found[name]) == play(shared_media / "videos" / name, "fps:10").keys


@pytest.mark.slow
def test_one_chunk_per_request_and_16_frames_at_most(host, spec, next_chunk, clip_path) -> None:
    host.open(spec(clip_path))
    assert host.wait(0.3) == []
    host.request("clip")
    first = next_chunk(host)
    assert host.wait(0.3) == []
    host.request("clip")
    second = next_chunk(host)
    assert [len(frames.infos) for frames in frames_of(first) + frames_of(second)] == [8, 16]
    assert frames_of(second)[0].infos[0].position == str(8 * 512)


@pytest.mark.slow
def test_a_killed_child_goes_on_where_it_was(play, host, spec, next_chunk, keys, clip_path) -> None:
    whole = play(clip_path, "every:3")
    host.open(spec(clip_path, "every:3"))
    entries: list = []
    for turn in range(1000):
        host.request("clip")
        if turn in (1, 2, 4):
            os.kill(host.pid("clip"), signal.SIGKILL)
        entries += next_chunk(host).entries
        if isinstance(entries[-1], End):
            break
    assert keys(entries) == whole.keys
    assert (entries[-1].outcome, entries[-1].decoded) == ("ok", 303)
    crashes = [entry for entry in entries if isinstance(entry, Fault)]
    assert [fault.kind for fault in crashes] == ["crashed"] * 3
    assert "SIGKILL" in crashes[0].detail


@pytest.mark.slow
def test_a_child_that_is_killed_while_nobody_asks(host, spec, next_chunk, clip_path) -> None:
    host.open(spec(clip_path))
    os.kill(host.pid("clip"), signal.SIGKILL)
    assert host.wait(0.5) == []
    host.request("clip")
    chunk = next_chunk(host)
    while not frames_of(chunk):
        host.request("clip")
        chunk = next_chunk(host)
    assert frames_of(chunk)[0].infos[0].position == "0"


def test_a_child_that_keeps_dying_is_given_up(host, spec, clip_path) -> None:
    host.open(spec(clip_path))
    host.request("clip")
    killed: list[int] = []
    entries: list = []
    while not (entries and isinstance(entries[-1], End)):
        if (pid := host.pid("clip")) not in (None, *killed):
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)
        for chunk in host.wait(0.05):
            entries += chunk.entries
            if not isinstance(entries[-1], End):
                host.request("clip")
    assert len(killed) == 3
    assert [type(entry) for entry in entries] == [Fault, Fault, Fault, End]
    assert entries[-1].outcome == "rejected"
    assert host.wait(0.2) == []


@pytest.mark.slow
def test_a_hanging_child_is_replaced(play, host, spec, next_chunk, keys, clip_path) -> None:
    whole = play(clip_path, "every:3")
    host.open(spec(clip_path, "every:3", stall_s=2.0))
    host.request("clip")
    entries = list(next_chunk(host).entries)
    hung = host.pid("clip")
    os.kill(hung, signal.SIGSTOP)
    host.request("clip")  # the chunk that was decoded ahead is in the stopped process
    entries += next_chunk(host).entries
    wait_gone(hung)
    while not isinstance(entries[-1], End):
        host.request("clip")
        entries += next_chunk(host).entries
    assert keys(entries) == whole.keys
    assert [entry.kind for entry in entries if isinstance(entry, Fault)] == ["stalled"]


@pytest.mark.slow
def test_slow_decoding_is_no_stall(drain, spec, clip_path) -> None:
    """One frame in 300 seconds: no chunk for a while, but signs of life."""
    entries = drain(spec(clip_path, "fps:0.003", stall_s=1.0))["clip"]
    assert [type(entry) for entry in entries] == [Frames, End]


@pytest.mark.slow
def test_a_reader_that_was_away_finds_no_stall(host, spec, next_chunk, clip_path) -> None:
    """The engine's step may take longer than the deadline."""
    host.open(spec(clip_path, stall_s=0.5))
    host.request("clip")
    ready_s = time.monotonic() + 2.0
    while time.monotonic() < ready_s:
        os.sched_yield()
    assert frames_of(next_chunk(host))


@pytest.mark.slow
def test_stopping_gives_what_is_decoded_and_then_the_end(host, spec, next_chunk, clip_path) -> None:
    host.open(spec(clip_path))
    host.request("clip")
    entries = list(next_chunk(host).entries)
    host.stop("clip")
    while not isinstance(entries[-1], End):
        host.request("clip")
        entries += next_chunk(host).entries
    assert entries[-1].outcome == "stopped"
    assert entries[-1].decoded < 303
    runs = [entry for entry in entries if isinstance(entry, Frames)]
    assert 1 <= len(runs) <= 3
    host.stop("clip")  # ended: without effect


class Counting(ManualClock):
    """Counts how often somebody looks at it, and goes on as the others do."""

    looks = 0

    def __call__(self) -> float:
        self.looks += 1
        return super().__call__() + time.monotonic()


@pytest.mark.slow
def test_a_camera_that_is_stopped_between_two_connections_is_not_waited_for_busily(spec) -> None:
    clock = Counting()
    host = DecodeHost(clock=clock)
    with closing(host), socket.create_server(("127.0.0.1", 0)) as nobody:
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}/x"
        nobody.close()
        host.open(spec(url, live=True, session=""))
        while host.pid("clip") is not None:
            host.wait(0.05)
        host.stop("clip")
        clock.advance(60)  # past the next try
        clock.looks = 0
        assert host.wait(0.3) == []
        assert clock.looks < 20
        host.request("clip")
        (chunk,) = host.wait(0)
    assert isinstance(chunk.entries[-1], End)
    assert chunk.entries[-1].outcome == "stopped"


def test_close_leaves_no_process(spec, clip_path, shared_media) -> None:
    host = DecodeHost()
    host.open(spec(clip_path))
    host.open(spec(shared_media / "videos" / "demo.mp4", stream="other"))
    pids = [host.pid("clip"), host.pid("other")]
    os.kill(pids[0], signal.SIGSTOP)
    host.close()
    for pid in pids:
        assert not Path(f"/proc/{pid}").exists()


@pytest.mark.slow
def test_broken_files_are_rejected_or_degraded(drain, spec, shared_media: Path) -> None:
    corrupt = shared_media / "corrupt"
    found = drain(spec(corrupt / "bad_video.mp4"), spec(corrupt / "corrupted.mp4", stream="torn"))
    (rejected,) = found["clip"]
    assert (rejected.outcome, rejected.decoded) == ("rejected", 0)
    end = found["torn"][-1]
    assert (end.outcome, end.lost > 0) == ("degraded", True)
    assert {entry.kind for entry in found["torn"] if isinstance(entry, Fault)} == {"decode"}


PARENT = """
import json, sys
from pipeline.decode.host import DecodeHost
from pipeline.stream.spec import StreamSpec
from pipeline.testing import ManualClock
host = DecodeHost()
host.open(StreamSpec.from_json(json.loads(sys.argv[1])))
print(host.pid("clip"), flush=True)
host.request("clip")
while True:
    host.wait(60)
"""


@pytest.fixture
def orphan(spec) -> Iterator[Callable[[StreamSpec], tuple[subprocess.Popen[str], int]]]:
    """Start another process that hosts a stream; it and its child's pid."""
    started: list[subprocess.Popen[str]] = []

    def start(what: StreamSpec) -> tuple[subprocess.Popen[str], int]:
        parent = subprocess.Popen(
            [sys.executable, "-c", PARENT, json.dumps(what.to_json())],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(parent)
        assert parent.stdout
        return parent, int(parent.stdout.readline())

    yield start
    for parent in started:
        parent.kill()
        parent.communicate()


@pytest.mark.slow
def test_a_child_does_not_outlive_its_parent(orphan, spec, clip_path) -> None:
    parent, child = orphan(spec(clip_path))
    parent.kill()
    wait_gone(child)


@pytest.mark.slow
def test_not_even_while_it_hangs_in_the_network(orphan, spec) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"rtsp://127.0.0.1:{silent.getsockname()[1]}/cam"
        parent, child = orphan(spec(url, session="", live=True, stall_s=600.0))
        connection, _ = silent.accept()
        parent.kill()
        wait_gone(child)
        connection.close()


@pytest.mark.slow
def test_a_decode_process_imports_neither_torch_nor_the_cluster(clip_path) -> None:
    script = (
        "import sys, pipeline.decode.child, pipeline.media.rendered;"
        "print(sorted({'torch', 'ray', 'kafka', 'pydantic', 'PIL'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
def test_secrets_are_in_no_command_line_and_no_error(host, spec, next_chunk) -> None:
    secret = "geh31m-c4n4ry"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        url = f"rtsp://admin:{secret}@127.0.0.1:{port}/cam?token={secret}2"
        host.open(spec(url, session="", live=True, stall_s=2.0))
        pid = host.pid("clip")
        assert secret not in Path(f"/proc/{pid}/cmdline").read_text()
        assert secret not in Path(f"/proc/{pid}/environ").read_text()
        assert secret not in repr(spec(url))
        host.request("clip")
        connection, _ = silent.accept()
        connection.sendall(b"RTSP/1.0 500 " + url.encode() + b"\r\n\r\n")
        connection.close()
        chunk = next_chunk(host)
    assert isinstance(chunk.entries[0], Fault)
    assert secret not in repr(chunk)

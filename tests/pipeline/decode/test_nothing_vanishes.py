"""Decode processes that die at the worst moments: every sampled frame is handed over or counted."""

from __future__ import annotations

import http.server
import io
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from random import Random

import av
import numpy as np
import pytest

from pipeline.decode.host import DecodeHost
from pipeline.stream.chunk import Chunk, End, Entry, Fault, Frames, Gap, Trouble

PATIENCE_S = 60.0
SHOWN = 100
PERIOD_S = 0.1  # of the frames that do not come at once
TICKS = 4  # of 1/25 s between two: a busy machine takes its turns at a pace of 25 frames/s too


class Eager(Random):
    """Connects again at once."""

    def uniform(self, a: float, b: float) -> float:
        return 1e-4


class Consumer:
    """Asks a host for one stream's chunks, fast or slowly."""

    def __init__(self, host: DecodeHost) -> None:
        self.host = host
        self.entries: list[Entry] = []
        self.troubles: list[Entry] = []  # came unasked

    @property
    def ended(self) -> bool:
        return bool(self.entries) and isinstance(self.entries[-1], End)

    @property
    def end(self) -> End:
        assert isinstance(self.entries[-1], End)
        return self.entries[-1]

    def pull(self) -> None:
        """One request, one chunk."""
        self.host.request("clip")
        deadline_s = time.monotonic() + PATIENCE_S
        while not (answers := self._heard(self.host.wait(1.0))):
            assert time.monotonic() < deadline_s, "the request was not answered"
        (answer,) = answers
        self.entries += answer.entries

    def _heard(self, chunks: list[Chunk]) -> list[Chunk]:
        """The chunks that were asked for; trouble comes when it comes."""
        news = [chunk for chunk in chunks if isinstance(chunk.entries[0], Trouble)]
        self.troubles += [entry for chunk in news for entry in chunk.entries]
        return [chunk for chunk in chunks if chunk not in news]

    def kill(self, *, idle: bool) -> None:
        """SIGKILL its process; `idle`: let the host see it, and start another, before we ask."""
        killed = self.host.pid("clip")
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        deadline_s = time.monotonic() + PATIENCE_S
        while idle and self.host.pid("clip") in (killed, None):
            assert time.monotonic() < deadline_s
            assert self._heard(self.host.wait(0.05)) == [], "nothing comes unasked"

    def idle_until_decoded(self) -> None:
        """A slow consumer: whatever its process has decoded ahead is ready before we ask."""
        for _ in range(3):
            assert self._heard(self.host.wait(0.1)) == [], "nothing comes unasked"


@pytest.fixture
def consumer() -> Iterator[Consumer]:
    host = DecodeHost(rng=Eager())
    yield Consumer(host)
    host.close()


@pytest.fixture(scope="module")
def station() -> Iterator[str]:
    """Where a camera shows so many frames, most of them at once: /live.ts closes the connection
    then, /held.ts never does."""
    over, noise = threading.Event(), np.random.default_rng(1)
    file = io.BytesIO()
    with av.open(file, "w", format="mpegts") as container:
        stream = container.add_stream("mpeg2video", 25, width=160, height=90, pix_fmt="yuv420p")
        for number in range(SHOWN):
            picture = noise.integers(0, 256, (90, 160, 3), np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts, frame.time_base = number * TICKS, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "video/mp2t")
            self.end_headers()
            data, piece = file.getbuffer(), len(file.getbuffer()) // SHOWN
            at_once = piece * (SHOWN * 3 // 4)
            self.wfile.write(data[:at_once])
            for first in range(at_once, len(data), piece):
                over.wait(PERIOD_S)
                self.wfile.write(data[first : first + piece])
            if self.path == "/held.ts":
                over.wait()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        over.set()
        server.shutdown()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("idle", "slow"),
    [(False, True), (True, False), (True, True)],
    ids=["asked, slow", "idle, fast", "idle, slow"],
)
def test_a_recording_loses_nothing(
    consumer: Consumer, play, spec, keys, shared_media: Path, *, idle: bool, slow: bool
) -> None:
    clip = shared_media / "videos" / "R6llTwEh07w.mp4"
    whole = play(clip, "every:3")
    consumer.host.open(spec(clip, "every:3"))
    turn = 0
    while not consumer.ended:
        consumer.pull()
        turn += 1
        if slow and turn < 3:
            consumer.idle_until_decoded()
        if turn in (1, 3):
            consumer.kill(idle=idle)
    assert keys(consumer.entries) == whole.keys
    faults = [entry.kind for entry in consumer.entries if isinstance(entry, Fault)]
    assert faults == ["crashed"] * 2
    end = consumer.end
    assert (end.outcome, end.decoded, end.sampled, end.lost) == ("ok", 303, 101, 0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("idle", "slow"),
    [(False, True), (True, False), (True, True)],
    ids=["asked, slow", "idle, fast", "idle, slow"],
)
def test_what_a_live_stream_loses_is_counted(
    consumer: Consumer, spec, station: str, *, idle: bool, slow: bool
) -> None:
    """What died with its processes is in what is told of their deaths, to the frame."""
    held = {"live": True, "session": "", "stall_s": 600.0}
    consumer.host.open(spec(f"{station}/held.ts", "every:2", buffer_frames=40, **held))
    for _ in range(2):
        consumer.pull()
        if slow:
            consumer.idle_until_decoded()
        consumer.kill(idle=idle)
        consumer.pull()
        consumer.pull()
    consumer.host.stop("clip")
    while not consumer.ended:
        consumer.pull()
    check_counts(consumer)
    assert [one.kind for one in faults(consumer)].count("crashed") == 2


@pytest.mark.slow
def test_what_a_killed_process_had_taken_is_lost_though_it_told_nobody(
    consumer: Consumer, spec, station: str
) -> None:
    """Nobody listens until it is dead, and nobody asks: all that it took is lost, to the frame."""
    held = {"live": True, "session": "", "stall_s": 600.0, "max_age_s": 3600.0}
    consumer.host.open(spec(f"{station}/held.ts", "all", buffer_frames=200, **held))
    process = consumer.host._streams["clip"].process
    assert process is not None
    deadline_s, taken = time.monotonic() + PATIENCE_S, [0]
    while taken[-1] < SHOWN // 2:
        assert time.monotonic() < deadline_s
        if (sampled := process.look().counts.sampled) != taken[-1]:
            taken.append(sampled)
    os.kill(process.pid, signal.SIGKILL)
    while not consumer.troubles:
        assert time.monotonic() < deadline_s
        assert consumer._heard(consumer.host.wait(0.05)) == []
    (crash,) = consumer.troubles
    assert isinstance(crash, Trouble)
    assert crash.kind == "crashed"
    assert crash.lost == process.note.counts.sampled >= taken[-1]


@pytest.mark.slow
@pytest.mark.parametrize("room", [8, 200])
def test_a_stop_in_the_beginning_of_a_connection_counts_what_it_cuts_off(
    consumer: Consumer, spec, station: str, room: int
) -> None:
    """It comes all at once, and waits a moment where there is no room."""
    held = {"live": True, "session": "", "stall_s": 600.0, "max_age_s": 3600.0}
    consumer.host.open(spec(f"{station}/held.ts", "all", "every:2", buffer_frames=room, **held))
    consumer.pull()
    consumer.host.stop("clip")
    while not consumer.ended:
        consumer.pull()
    check_counts(consumer)
    assert consumer.end.sampled == consumer.end.decoded
    gaps = [one for one in consumer.entries if isinstance(one, Gap) and one.dropped]
    causes = {gap.cause for gap in gaps}
    assert "drain" in causes if room == 8 else not causes
    assert all(gap.by_rule[0] == gap.dropped for gap in gaps)
    runs = [one for one in consumer.entries if isinstance(one, Frames)]
    handed = sum(taken >> 1 & 1 for run in runs for taken in run.taken)
    assert handed + sum(gap.by_rule[1] for gap in gaps) == (consumer.end.decoded + 1) // 2


@pytest.mark.slow
def test_a_source_that_blocks_waits_for_whoever_asks_over_every_connection(
    consumer: Consumer, spec, station: str
) -> None:
    """There is room for four frames, and each connection brings a hundred."""
    waits = {"live": True, "session": "", "drop": "block", "max_age_s": 0.001, "buffer_frames": 4}
    consumer.host.open(spec(f"{station}/live.ts", "all", stall_s=600.0, **waits))
    consumer.pull()
    consumer.idle_until_decoded()
    while len(sessions(consumer)) < 2:
        consumer.pull()
    consumer.host.stop("clip")
    while not consumer.ended:
        consumer.pull()
    check_counts(consumer)
    assert next(iter(sessions(consumer).values())) == SHOWN
    causes = {one.cause for one in consumer.entries if isinstance(one, Gap) and one.dropped}
    assert causes <= {"drain"}


@pytest.mark.slow
def test_of_a_source_whose_latest_frame_is_wanted_the_others_are_counted(
    consumer: Consumer, spec, station: str
) -> None:
    latest = {"live": True, "session": "", "drop": "latest", "max_age_s": 3600.0}
    consumer.host.open(spec(f"{station}/held.ts", "all", stall_s=600.0, **latest))
    consumer.pull()
    deadline_s = time.monotonic() + PATIENCE_S
    while consumer.host._streams["clip"].process.look().counts.sampled < SHOWN * 3 // 4:
        assert time.monotonic() < deadline_s
        consumer.host.wait(0.1)
    consumer.pull()
    runs = [one for one in consumer.entries if isinstance(one, Frames)]
    assert [len(run.infos) for run in runs] == [1, 1]
    newest = runs[-1].cursor["sampled"]
    assert newest > SHOWN // 2
    gaps = [one for one in consumer.entries if isinstance(one, Gap) and one.dropped]
    assert {gap.cause for gap in gaps} == {"full"}
    assert sum(gap.dropped for gap in gaps) == newest - 2


def sessions(consumer: Consumer) -> Counter[str]:
    """Session -> frames of it that have come."""
    runs = [one for one in consumer.entries if isinstance(one, Frames)]
    return Counter(info.session for run in runs for info in run.infos)


def faults(consumer: Consumer) -> list[Fault]:
    return [one for one in consumer.entries + consumer.troubles if isinstance(one, Fault)]


def check_counts(consumer: Consumer) -> None:
    """sampled = handed over + dropped + lost with a process."""
    entries = consumer.entries
    handed = sum(len(entry.infos) for entry in entries if isinstance(entry, Frames))
    dropped = sum(entry.dropped for entry in entries if isinstance(entry, Gap))
    died = sum(fault.lost for fault in faults(consumer))
    assert handed > 0
    assert consumer.end.outcome == "stopped"
    assert consumer.end.sampled == handed + dropped + died
    assert consumer.end.lost == died


@pytest.mark.slow
def test_a_lost_connection_is_told_and_made_again_while_all_of_it_waits(
    consumer: Consumer, spec, station: str
) -> None:
    """Nobody asks for a frame: the trouble comes all the same, another process begins, and what the
    first one brought is handed over afterwards, in order."""
    url = f"{station}/live.ts"
    consumer.host.open(spec(url, live=True, session="", max_age_s=3600.0))
    first = consumer.host.pid("clip")
    deadline_s = time.monotonic() + PATIENCE_S
    while not consumer.troubles or consumer.host.pid("clip") in (first, None):
        assert time.monotonic() < deadline_s
        assert consumer._heard(consumer.host.wait(0.05)) == []
    (trouble, *_) = consumer.troubles
    assert isinstance(trouble, Trouble)
    assert (trouble.kind, trouble.detail) == ("disconnected", "the connection ended")
    consumer.pull()
    consumer.pull()
    consumer.host.stop("clip")
    while not consumer.ended:
        consumer.pull()
    runs = [entry for entry in consumer.entries if isinstance(entry, Frames)]
    sessions = list(dict.fromkeys(info.session for run in runs for info in run.infos))
    assert sessions == sorted(sessions)
    own = [info for run in runs for info in run.infos if info.session == trouble.session]
    assert own[-1].position == trouble.position
    gaps = [entry.reason for entry in consumer.entries if isinstance(entry, Gap)]
    assert gaps.count("reconnected") == len(sessions) - 1
    check_counts(consumer)

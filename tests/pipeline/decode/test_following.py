"""Files that a recorder still writes: whoever waits for them lets it write a little more."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.decode.collector import Item, checksum
from pipeline.decode.following import Following
from pipeline.decode.host import DecodeHost
from pipeline.decode.track import Sample
from pipeline.stream.chunk import Cursor, End, Fault, sampled_in
from pipeline.stream.sampling import Sampling
from pipeline.stream.spec import StreamSpec
from pipeline.testing import ManualClock

FRAMES, FPS, STALL_S = 40, 20, 5.0
PIECE_BYTES = 3001  # no multiple of anything
Step = Callable[[], object]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], bytes]:
    """The bytes of a clip, by its ending."""
    folder = tmp_path_factory.mktemp("films")
    noise = np.random.default_rng(1).integers(0, 256, (FRAMES, 56, 56, 3), np.uint8)

    def made(ending: str) -> bytes:
        path = folder / f"clip.{ending}"
        if not path.exists():
            write(path, noise)
        return path.read_bytes()

    return made


def write(path: Path, pictures: NDArray[np.uint8]) -> None:
    """With pictures that come in another order than they are shown."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", FPS, width=56, height=56, pix_fmt="yuv420p")
        stream.codec_context.options = {"preset": "veryfast", "g": "12", "qp": "40"}
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


class Recorder:
    """Takes one step whenever somebody waits; afterwards only time passes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = ManualClock()
        self._began_us = time.time_ns() // 1000
        self._steps: list[Step] = []
        self._busy_s = 0.0
        self._ends = False
        self.stopped = False

    def writes(self, name: str, data: bytes, *, until: int | None = None) -> None:
        """In pieces; the first of them makes the file."""
        for first in range(0, len(data[:until]), PIECE_BYTES):
            piece = data[first : first + PIECE_BYTES]
            self._steps.append(lambda piece=piece: self._append(name, piece))

    def does(self, step: Step) -> None:
        self._steps.append(step)

    def ends(self) -> None:
        """When nothing has been written for so long that all is whole, the reader is stopped."""
        self._ends = True

    def stops_reading(self) -> None:
        self.does(lambda: setattr(self, "stopped", True))

    def wait(self, seconds: float) -> bool:
        self.clock.advance(seconds)
        if seconds and self._steps:
            self._steps.pop(0)()
            self._busy_s = self.clock()
        elif self._ends and self.clock() - self._busy_s > 4 * STALL_S:
            self.stopped = True
        return not self.stopped

    def wall_us(self) -> int:
        return self._began_us + int(self.clock() * 1_000_000)

    def _append(self, name: str, piece: bytes) -> None:
        with (self.folder / name).open("ab") as file:
            file.write(piece)


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    return Recorder(tmp_path)


def spec_of(place: Path) -> StreamSpec:
    return StreamSpec(
        "gate",
        str(place),
        session="0" * 12,
        follow=True,
        samplings=(Sampling("all"),),
        short_side=28,
        stall_s=STALL_S,
    )


def followed(
    recorder: Recorder, place: Path, *, cursor: Cursor | None = None
) -> Iterator[Item | None]:
    """Items, until the recorder's time is up; a caller who stops is not asked again."""
    spec = spec_of(place).after(cursor)
    following = Following(spec, recorder.wall_us, recorder.wait, recorder.clock)
    for item in following.items():
        yield item
        if recorder.stopped:
            yield following.end("stopped")
            return


def samples(items: list[Item | None]) -> list[Sample]:
    return [item for item in items if isinstance(item, Sample)]


def faults(items: list[Item | None]) -> list[str]:
    return [item.detail for item in items if isinstance(item, Fault)]


def shown(found: list[Sample]) -> list[tuple[str, int]]:
    return [(sample.info.position, checksum(sample.pixels)) for sample in found]


def kept(sample: Sample) -> Cursor:
    """Its cursor as a progress store gives it back."""
    cursor = {**sample.cursor, "checksum": checksum(sample.pixels)}
    return json.loads(json.dumps(cursor))


@pytest.mark.parametrize("ending", ["ts", "mkv", "flv", "mp4"])
def test_a_file_gives_as_it_grows_what_it_gives_when_it_is_whole(
    ending: str, film: Callable[[str], bytes], recorder: Recorder, play
) -> None:
    """An MP4 has its index at the end, so it is waited for."""
    path = recorder.folder / f"clip.{ending}"
    path.touch()
    recorder.writes(path.name, film(ending))
    items = list(followed(recorder, path))
    found = samples(items)
    whole = play(path, "all", short_side=28)
    assert shown(found) == shown(whole.samples)
    assert len(found) == FRAMES
    assert items[-1] == End("gate", "ok", "", FRAMES, 0, sampled=FRAMES)
    assert [sample.cursor["sampled"] for sample in found] == list(range(1, FRAMES + 1))


def test_frames_come_before_the_file_is_whole(
    film: Callable[[str], bytes], recorder: Recorder
) -> None:
    data = film("ts")
    path = recorder.folder / "clip.ts"
    path.touch()
    recorder.writes(path.name, data, until=len(data) // 2)
    found = list(islice((i for i in followed(recorder, path) if isinstance(i, Sample)), 10))
    assert len(found) == 10
    assert path.stat().st_size < len(data)


def test_frames_do_not_wait_for_bytes_that_do_not_come(
    film: Callable[[str], bytes], tmp_path: Path
) -> None:
    """In a real decoder: a chunk that is not full goes on its way while the file is waited for."""
    path = tmp_path / "gate-1.ts"
    path.write_bytes(film("ts"))
    spec = replace(spec_of(tmp_path), chunk_ms=100, stall_s=3600.0)
    host = DecodeHost()
    try:
        host.open(spec)
        host.request("gate")
        came = 0
        while came < FRAMES - 8:  # those are in the decoder until the file is over
            for chunk in host.wait(60.0):
                came += sum(sampled_in(entry) for entry in chunk.entries)
                host.request("gate")
    finally:
        host.close()


def test_a_recorder_puts_one_file_after_the_other(
    film: Callable[[str], bytes], recorder: Recorder
) -> None:
    """`2` comes before `10`, one of yesterday before today's, and what is no video is none."""
    names = ("28/gate-9.ts", "29/gate-2.mkv", "29/gate-10.mp4", "29/gate-11.ts")
    for day in ("28", "29"):
        (recorder.folder / day).mkdir()
    for name in names:
        recorder.writes(name, film(name.rpartition(".")[2]))
        recorder.writes(f"{name}.txt", b"no video")
    recorder.ends()
    items = list(followed(recorder, recorder.folder))
    found = samples(items)
    assert [sample.cursor["file"]["name"] for sample in found[::FRAMES]] == list(names)
    sessions = [sample.info.session for sample in found]
    assert [sessions.count(one) for one in dict.fromkeys(sessions)] == [FRAMES] * 4
    assert sessions == sorted(sessions)
    assert faults(items) == []
    assert items[-1] == End("gate", "stopped", "", 4 * FRAMES, 0, sampled=4 * FRAMES)
    assert found[-1].cursor["sampled"] == 4 * FRAMES


@pytest.mark.parametrize("upto", [5, FRAMES - 1, FRAMES, FRAMES + 7])
def test_another_process_goes_on_in_the_same_file_without_a_loss_or_a_double(
    upto: int, film: Callable[[str], bytes], recorder: Recorder
) -> None:
    """The first file is whole by then, the second still grows; older ones may be deleted."""
    data = film("ts")
    recorder.writes("gate-1.ts", data)
    recorder.writes("gate-2.ts", data)
    recorder.ends()
    first = samples(list(islice((i for i in followed(recorder, recorder.folder) if i), upto)))
    last = first[-1]
    if last.cursor["file"]["name"] == "gate-2.ts":
        (recorder.folder / "gate-1.ts").unlink()
    rest = samples(list(followed(recorder, recorder.folder, cursor=kept(last))))
    both = [*first, *rest]
    assert len(both) == 2 * FRAMES
    assert len({(one.info.session, one.info.position) for one in both}) == 2 * FRAMES
    assert shown(both[:FRAMES]) == shown(both[FRAMES:])
    assert len({one.info.session for one in both}) == 2
    assert [one.cursor["sampled"] for one in both] == list(range(1, 2 * FRAMES + 1))
    for session in {one.info.session for one in both}:
        times_us = [one.info.event_time_us for one in both if one.info.session == session]
        assert {late - early for early, late in pairwise(times_us)} == {1_000_000 // FPS}


def test_a_stop_in_the_middle_gives_no_half_frame(
    film: Callable[[str], bytes], recorder: Recorder, play
) -> None:
    data = film("ts")
    recorder.writes("gate-1.ts", data, until=len(data) // 2)
    recorder.stops_reading()
    items = list(followed(recorder, recorder.folder))
    found = samples(items)
    assert faults(items) == []
    assert items[-1] == End("gate", "stopped", "", len(found), 0, sampled=len(found))
    recorder.stopped = False
    (recorder.folder / "gate-1.ts").write_bytes(data)
    recorder.ends()
    rest = samples(list(followed(recorder, recorder.folder, cursor=kept(found[-1]))))
    assert shown([*found, *rest]) == shown(
        play(recorder.folder / "gate-1.ts", "all", short_side=28).samples
    )


def test_what_is_not_read_is_told(film: Callable[[str], bytes], recorder: Recorder) -> None:
    data = film("ts")
    recorder.writes("gate-2.ts", data)
    recorder.does(lambda: recorder.clock.advance(STALL_S))  # it is over at this look
    recorder.writes("gate-2.ts", bytes(188))
    recorder.writes("gate-1.ts", data, until=188)
    recorder.writes("gate-3.ts", b"no video " * 1000)
    recorder.writes("gate-4.ts", data)
    recorder.ends()
    items = list(followed(recorder, recorder.folder))
    assert len(samples(items)) == 2 * FRAMES
    grown, late, wrong = faults(items)
    assert grown.startswith("gate-2.ts has grown by 188 bytes after it was taken for whole")
    assert late == "gate-1.ts came after what lies behind it, and is not read"
    assert wrong.startswith("gate-3.ts: cannot be opened")


def test_a_file_that_is_gone_when_it_was_to_be_read_on_is_told(
    film: Callable[[str], bytes], recorder: Recorder
) -> None:
    for name in ("gate-1.ts", "gate-2.ts"):
        (recorder.folder / name).write_bytes(film("ts"))
    first = samples(list(islice((i for i in followed(recorder, recorder.folder) if i), 9)))
    (recorder.folder / "gate-1.ts").unlink()
    recorder.ends()
    items = list(followed(recorder, recorder.folder, cursor=kept(first[-1])))
    assert faults(items) == ["gate-1.ts is gone; how much was left of it is not known"]
    rest = samples(items)
    assert {sample.cursor["file"]["name"] for sample in rest} == {"gate-2.ts"}
    assert [sample.cursor["sampled"] for sample in rest] == list(range(10, 10 + FRAMES))


def test_event_time_is_the_containers_else_that_of_writing(
    film: Callable[[str], bytes], recorder: Recorder
) -> None:
    path = recorder.folder / "clip.ts"
    path.write_bytes(film("ts"))
    written_s = time.time() - 3600
    os.utime(path, (written_s, written_s))
    found = samples(list(followed(recorder, path)))
    assert {sample.info.clock for sample in found} == {"start-time"}
    length_s = FRAMES / FPS
    assert found[0].info.event_time_us == pytest.approx((written_s - length_s) * 1e6, abs=1e5)

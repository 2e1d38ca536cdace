"""A recorder's files are one stream: its time, its holes, and ids that do not depend on what comes
later."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from operators.moment import rfc3339
from pipeline.decode.chained import Chained
from pipeline.decode.collector import checksum
from pipeline.decode.track import Sample
from pipeline.media.encode import write_clip
from pipeline.stream.chunk import Cursor, End, Fault, Frames, Gap
from pipeline.stream.layout import Layout
from pipeline.stream.sampling import Sampling
from pipeline.stream.spec import StreamSpec

LAYOUT = Layout("{time:%Y-%m-%d_%H-%M-%S}.mp4", "UTC")
FPS = 10
LONG_AGO = (1_700_000_000, 1_700_000_000)


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., bytes]:
    """The bytes of a clip of so many frames; `look` tells it from the others."""

    @lru_cache
    def made(frames: int, look: int = 0, side: int = 64) -> bytes:
        path = tmp_path_factory.mktemp("clips") / "clip.mp4"
        noise = np.random.default_rng(look).integers(0, 255, (frames, side, side, 3), np.uint8)
        write_clip(path, noise, FPS, keyframe_every=5)
        return path.read_bytes()

    return made


class Recorder:
    """Its folder, and what is played of it."""

    def __init__(self, folder: Path, layout: Layout = LAYOUT) -> None:
        self.folder = folder
        self.layout = layout

    def write(self, name: str, data: bytes) -> None:
        path = self.folder / f"2026-11-30_{name}.mp4"
        path.write_bytes(data)
        os.utime(path, LONG_AGO)

    def spec(self, rule: str = "all", cursor: Cursor | None = None, **more: Any) -> StreamSpec:
        first, *others = sorted(str(path) for path in self.folder.iterdir())
        return StreamSpec(
            "gate",
            first,
            session="c4a1n",
            samplings=(Sampling.parse(rule),),
            short_side=56,
            join=tuple(others),
            layout=self.layout,
            cursor=cursor,
            **more,
        )

    def play(self, rule: str = "all", cursor: Cursor | None = None) -> Seen:
        return Seen(self.items(self.spec(rule, cursor)))

    @staticmethod
    def items(spec: StreamSpec) -> list[Any]:
        return [item for item in Chained(spec, wall_us, lambda _: True).items() if item is not None]


class Seen:
    """What a playback yielded."""

    def __init__(self, items: Sequence[Any]) -> None:
        self.samples = [item for item in items if isinstance(item, Sample)]
        self.faults = [item.detail for item in items if isinstance(item, Fault)]
        self.end = items[-1]
        assert isinstance(self.end, End)
        self.breaks: list[int] = []  # how many samples lie before each
        count = 0
        for item in items:
            count += isinstance(item, Sample)
            if isinstance(item, Gap):
                self.breaks.append(count)

    @property
    def keys(self) -> list[tuple[str, int, int]]:
        return [(s.info.position, s.info.event_time_us, checksum(s.pixels)) for s in self.samples]

    @property
    def ids(self) -> list[str]:
        return [sample.info.position for sample in self.samples]

    @property
    def times(self) -> list[str]:
        return [rfc3339(sample.info.event_time_us)[11:23] for sample in self.samples]

    def cursor(self, index: int) -> Cursor:
        sample = self.samples[index]
        cursor = {**sample.cursor, "checksum": checksum(sample.pixels)}
        return json.loads(json.dumps(cursor))


def wall_us() -> int:
    return time.time_ns() // 1000


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    return Recorder(tmp_path)


def test_time_goes_on_from_file_to_file_and_holes_are_gaps(recorder, shot) -> None:
    recorder.write("12-00-00", shot(20))
    recorder.write("12-00-02", shot(20, 1))
    recorder.write("12-00-05", shot(20, 2))  # a second late: jitter
    recorder.write("12-00-20", shot(10, 3))
    seen = recorder.play()
    assert seen.end.outcome == "ok"
    assert seen.times[:1] + seen.times[19:21] == ["12:00:00.000", "12:00:01.900", "12:00:02.000"]
    assert seen.times[40] == "12:00:04.000"
    assert seen.breaks == [60]
    assert seen.times[60] == "12:00:20.000"
    assert len(set(seen.ids)) == 70
    assert [sample.info.clock for sample in seen.samples] == ["start-time"] * 70
    numbers = [int(position) for position in seen.ids]
    assert numbers == sorted(numbers)


def test_ids_depend_on_what_was_played_and_on_nothing_behind_it(recorder, shot) -> None:
    recorder.write("12-00-00", shot(20))
    recorder.write("12-00-04", shot(20, 2))
    before = recorder.play("fps:5")
    recorder.write("12-00-06", shot(20, 3))
    grown = recorder.play("fps:5")
    assert grown.keys[: len(before.keys)] == before.keys
    recorder.write("12-00-02", shot(20, 1))
    inserted = recorder.play("fps:5")
    assert inserted.keys[:10] == before.keys[:10]
    assert not set(inserted.ids[10:]) & set(grown.ids)
    recorder.write("12-00-00", shot(20, 7))
    assert not set(recorder.play("fps:5").ids) & set(inserted.ids)


@pytest.mark.parametrize("index", [3, 19, 20, 33, 59])
def test_a_resume_gives_the_rest(recorder, shot, index: int) -> None:
    for number, name in enumerate(("12-00-00", "12-00-02", "12-00-40")):
        recorder.write(name, shot(20, number))
    whole = recorder.play()
    rest = recorder.play(cursor=whole.cursor(index))
    assert whole.keys[index + 1 :] == rest.keys
    assert whole.end == rest.end
    assert rest.end.unfinished


def test_a_resume_goes_on_in_a_chain_that_has_grown(recorder, shot) -> None:
    recorder.write("12-00-00", shot(20))
    before = recorder.play("fps:5")
    recorder.write("12-00-02", shot(20, 1))
    rest = recorder.play("fps:5", before.cursor(-1))
    assert before.keys + rest.keys == recorder.play("fps:5").keys
    assert rest.faults == []


def test_retention_in_front_changes_nothing_and_a_late_file_is_told(recorder, shot) -> None:
    for number, name in enumerate(("12-00-00", "12-00-02", "12-00-04")):
        recorder.write(name, shot(20, number))
    whole = recorder.play()
    cursor = whole.cursor(50)
    (recorder.folder / "2026-11-30_12-00-00.mp4").unlink()
    rest = recorder.play(cursor=cursor)
    assert (rest.keys, rest.end.outcome) == (whole.keys[51:], "ok")
    assert rest.faults[0].startswith("files before 2026-11-30_12-00-04.mp4: 1 now, 2 ")
    recorder.write("12-00-00", shot(20))
    recorder.write("11-00-00", shot(20, 5))
    told = recorder.play(cursor=cursor)
    assert told.keys == rest.keys
    (recorder.folder / "2026-11-30_12-00-02.mp4").unlink()
    again = recorder.play(cursor=cursor)
    assert re.search(r"^files before .*12-00-04.mp4: 2 now, 2 ", again.faults[0])
    assert re.search(r"^files before .*12-00-04.mp4: 3 now, 2 ", told.faults[0])
    assert told.end.outcome == "degraded"
    (recorder.folder / "2026-11-30_12-00-04.mp4").unlink()
    recorder.write("12-00-06", shot(20, 6))
    gone = recorder.play(cursor=cursor)
    assert any("12-00-04.mp4 is gone" in fault for fault in gone.faults)
    assert gone.breaks == [0]
    assert len(gone.samples) == 20


def test_what_cannot_be_read_is_told_counted_and_a_gap(recorder, shot) -> None:
    recorder.write("12-00-00", shot(20))
    recorder.write("12-00-02", b"")
    recorder.write("12-00-03", b"no video at all")
    recorder.write("12-00-04", shot(20, 2))
    seen = recorder.play()
    assert seen.breaks == [20]
    assert seen.end.outcome == "degraded"
    assert seen.end.detail == "files that could not be read: 2; frames lost: 0"
    assert [fault.partition(": ")[0] for fault in seen.faults] == [
        "2026-11-30_12-00-02.mp4",
        "2026-11-30_12-00-03.mp4",
    ]
    rest = recorder.play(cursor=seen.cursor(25))
    assert (rest.keys, rest.end) == (seen.keys[26:], seen.end)


def test_a_gap_for_what_could_not_be_read_is_in_the_ids(recorder, shot) -> None:
    recorder.write("12-00-00", shot(20))
    recorder.write("12-00-01", b"broken")
    recorder.write("12-00-02", shot(20, 2))
    broken = recorder.play()
    (recorder.folder / "2026-11-30_12-00-01.mp4").unlink()
    assert (broken.breaks, recorder.play().breaks) == ([20], [])
    assert not {*broken.ids[20:]} & {*recorder.play().ids}


def test_one_that_cannot_be_read_at_the_end_is_tried_again(recorder, shot) -> None:
    recorder.write("12-00-00", shot(20))
    recorder.write("12-00-02", shot(20, 1)[:300])
    broken = recorder.play()
    assert broken.end.outcome == "degraded"
    recorder.write("12-00-02", shot(20, 1))
    assert broken.keys + recorder.play(cursor=broken.cursor(-1)).keys == recorder.play().keys


def test_an_overlap_is_refused_by_both_names(recorder, shot) -> None:
    recorder.write("12-00-00", shot(20))
    recorder.write("12-00-02", shot(80, 1))
    recorder.write("12-00-05", shot(20, 2))
    seen = recorder.play()
    assert seen.end.outcome == "degraded"
    assert seen.end.unfinished
    assert re.search(
        r"12-00-02.mp4 goes on until \S+T12:00:10.0+Z, and \S+12-00-05.mp4 begins at .* by 5.0 s",
        seen.end.detail,
    )


def test_what_was_recorded_twice_at_a_cut_stands_still(recorder, shot) -> None:
    recorder.write("12-00-00", shot(25))
    for number in range(10):
        recorder.write(f"12-00-{2 * number + 2:02}", shot(25, number + 1))
    seen = recorder.play("fps:5")
    assert seen.end.outcome == "ok"
    assert len(set(seen.ids)) == len(seen.ids)
    assert seen.times[-1] < "12:00:26"  # 27.4 s were recorded, in 22.5
    assert seen.samples[-1].info.event_time_us == max(s.info.event_time_us for s in seen.samples)


def test_other_sizes_and_codecs_are_one_stream(recorder, shot, shared_media: Path) -> None:
    recorder.write("12-00-00", shot(20))
    recorder.write("12-00-02", shot(20, 1, 96))
    videos = shared_media / "videos"
    other = next(path for path in sorted(videos.iterdir()) if path.suffix == ".webm")
    recorder.write("12-00-04", other.read_bytes())
    seen = recorder.play("fps:5")
    assert seen.end.outcome == "ok"
    assert {sample.info.source_hw for sample in seen.samples[:20]} == {(64, 64), (96, 96)}
    assert len(seen.samples) > 20
    rest = recorder.play("fps:5", seen.cursor(12))
    assert rest.keys == seen.keys[13:]


def test_a_drift_is_held_to_the_names_and_breaks_nothing(tmp_path: Path, shot) -> None:
    """Each file is a tenth longer than its name says."""
    recorder = Recorder(tmp_path)
    for number in range(20):
        recorder.write(f"12-0{number // 30}-{number * 2 % 60:02}", shot(22, number))
    seen = recorder.play()
    assert seen.breaks == []
    assert seen.end.outcome == "ok"
    begins = {}
    for sample in seen.samples:
        begins.setdefault(sample.cursor["file"]["name"], sample.info.event_time_us)
    late_s = [us / 1e6 - recorder.layout.read(name).start_us / 1e6 for name, us in begins.items()]
    assert late_s[9] == pytest.approx(1.8)
    assert max(late_s) < 2.101  # 1 s, what %S leaves open, and a frame
    assert not {*seen.ids} & {*recorder.play("keyframes").ids}


def test_the_last_file_is_left_while_it_is_written(recorder, shot) -> None:
    recorder.write("12-00-00", shot(20))
    recorder.write("12-00-02", shot(20, 1))
    last = recorder.folder / "2026-11-30_12-00-02.mp4"
    data = last.read_bytes()
    last.write_bytes(data[:-8])

    def grows(_: float) -> bool:
        last.write_bytes(data)
        return True

    items = [item for item in Chained(recorder.spec(), wall_us, grows).items() if item is not None]
    seen = Seen(items)
    assert len(seen.samples) == 20
    assert seen.faults == ["2026-11-30_12-00-02.mp4 is still being written; the next run plays it"]
    assert seen.end.outcome == "ok"
    assert len(recorder.play(cursor=seen.cursor(-1)).samples) == 20  # quiet by then


@pytest.mark.parametrize("damage", ["replaced", "cut off", "no video"])
def test_a_file_that_cannot_be_gone_on_with_holds_up_nothing_behind_it(
    recorder, shot, damage
) -> None:
    name = "2026-11-30_12-00-00.mp4"
    recorder.write("12-00-00", shot(20))
    recorder.write("12-00-10", shot(20, 1))
    whole = recorder.play()
    contents = {"replaced": shot(20, 9), "cut off": shot(20)[:200], "no video": b"x" * 2000}
    recorder.write("12-00-00", contents[damage])
    seen = recorder.play(cursor=whole.cursor(9))
    assert [told.partition(":")[0] for told in seen.faults] == [name]
    assert seen.breaks == [0]
    assert seen.keys == whole.keys[20:]
    assert seen.end.outcome == "degraded"
    assert seen.end.detail == "files that could not be read: 1; frames lost: 0"


def test_a_decode_process_plays_it_and_another_goes_on(recorder, shot, drain) -> None:
    for number in range(3):
        recorder.write(f"12-00-0{2 * number}", shot(20, number))
    spec = recorder.spec()
    entries = drain(spec)["gate"]
    frames = [entry for entry in entries if isinstance(entry, Frames)]
    ids = [info.position for entry in frames for info in entry.infos]
    assert ids == recorder.play().ids
    rest = drain(replace(spec, cursor=frames[1].cursor))["gate"]
    after = sum(len(entry.infos) for entry in frames[:2])
    assert [info.position for one in rest if isinstance(one, Frames) for info in one.infos] == ids[
        after:
    ]


@pytest.mark.slow
def test_fifty_times_the_files_need_no_more_memory(tmp_path: Path, shot, drain) -> None:
    recorder = Recorder(tmp_path)
    recorder.write("10-00-00", shot(10))
    first = next(tmp_path.iterdir())
    peaks = []
    for files in (4, 200):
        for number in range(len(list(tmp_path.iterdir())), files):
            minutes, seconds = divmod(number, 60)
            os.link(first, tmp_path / f"2026-11-30_10-{minutes:02}-{seconds:02}.mp4")
        (*_, end) = drain(recorder.spec("fps:1"))["gate"]
        assert end.decoded == 10 * files
        peaks.append(end.memory_bytes)
    assert peaks[1] < peaks[0] * 1.1  # PyAV 18.1: 62.0, 65.5 and, of 600 files, 65.5 MiB

"""Playlists as streams: recordings that are resumed, live ones over several connections."""

from __future__ import annotations

import os
import signal
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
import pytest

from pipeline.configuration.sources import plan_recordings
from pipeline.decode.capture import Capture
from pipeline.decode.track import Sample
from pipeline.stream.chunk import End, Fault, Frames, Gap, Trouble
from pipeline.stream.sampling import Sampling
from pipeline.stream.spec import StreamSpec

FRAMES = 10  # of a segment, which is a second long


def segment(folder: Path, number: int, *, offset: int = 0) -> bytes:
    """A second of ten frames, each of another grey."""
    path = folder / f"{number}.ts"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FRAMES)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.options = {"preset": "ultrafast", "g": "99", "sc_threshold": "0"}
        for index in range(FRAMES):
            frame = av.VideoFrame(64, 48, "yuv420p")
            for plane in frame.planes:
                plane.update(bytes([16 + 20 * number + 2 * index]) * plane.buffer_size)
            frame.pts, frame.time_base = (number + offset) * FRAMES + index, Fraction(1, FRAMES)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path.read_bytes()


@pytest.fixture
def shelf(playlists, tmp_path: Path):
    """A server that holds segments 0.ts to 4.ts, and 3.ts on a clock that is 1000 s ahead."""
    for number in range(5):
        playlists.files[f"{number}.ts"] = segment(tmp_path, number)
    playlists.files["far.ts"] = segment(tmp_path, 3, offset=1000)
    return playlists


CUT = ("0.ts", "1.ts", "#EXT-X-DISCONTINUITY", "far.ts", "#EXT-X-DISCONTINUITY", "0.ts", "1.ts")


@pytest.mark.slow
def test_a_playlist_is_resumed_after_every_kind_of_frame(shelf, play) -> None:
    """Also behind a discontinuity, where positions are no pts any more, and in front of a hole."""
    url = shelf.play(*CUT, "gone.ts", "4.ts", ended=True)
    whole = play(url)
    assert (len(whole.samples), whole.end.outcome, whole.end.lost) == (60, "degraded", 10)
    assert [gap.reason for gap in whole.gaps] == ["discontinuity"] * 2
    for index in (0, 9, 10, 25, 33, 48, 49, 55):
        cursor = {**whole.samples[index].cursor, "checksum": whole.keys[index][-1]}
        asked = len(shelf.asked)
        rest = play(url, cursor=cursor)
        assert rest.keys == whole.keys[index + 1 :]
        assert len(shelf.asked) - asked <= 2 + 7 - index // FRAMES  # the playlist twice


@pytest.mark.slow
def test_a_playlist_is_resumed_after_a_frame_without_a_timestamp(shelf, play) -> None:
    """Which is found by counting."""
    url = shelf.play("0.ts", "1.ts", ended=True)
    whole = play(url)
    cursor = {**whole.cursor(14), "pts": None, "position": "135000+1"}
    assert play(url, cursor=cursor).keys == whole.keys[15:]


@pytest.mark.slow
def test_event_time_goes_on_over_another_clock(shelf, play) -> None:
    played = play(shelf.play(*CUT, ended=True))
    times_s = [sample.info.event_time_us / 1e6 for sample in played.samples]
    assert times_s == pytest.approx([index / FRAMES for index in range(50)])
    assert played.end.outcome == "ok"


STALL_S = 1.5  # an answer may take two fifths of it, on a busy machine too


def live(url: str, **more: Any) -> StreamSpec:
    facts: dict[str, Any] = {"samplings": (Sampling("all"),), "live": True}
    return StreamSpec(stream="cam", url=url, **(facts | more))


class Wall:
    """Microseconds since the epoch, a second later at each look."""

    now_us = 1_800_000_000_000_000

    def __call__(self) -> int:
        self.now_us += 1_000_000
        return self.now_us


def captured(spec: StreamSpec, *, until: type = Fault) -> tuple[Capture, list[Any]]:
    """What comes in, up to the first item of a kind."""
    capture, items = Capture(spec, Wall()), []
    for item in capture.items():
        if item is not None:
            items.append(item)
            if isinstance(item, until):
                break
    return capture, items


def samples(items: list[Any]) -> list[Sample]:
    return [item for item in items if isinstance(item, Sample)]


def test_a_recording_among_cameras_ends(shelf) -> None:
    capture, items = captured(live(shelf.play("0.ts", "1.ts", ended=True)), until=End)
    assert capture.finite
    assert len(samples(items)) == 20
    assert items[-1].outcome == "ok"


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 17, 20, 41, 49, 50])
def test_a_recording_among_cameras_goes_on_where_it_was_stopped(shelf, count: int) -> None:
    """Behind the last frame, wherever in its segment that was; behind the very last it is over."""
    url = shelf.play(*[f"{number}.ts" for number in range(5)], ended=True)
    whole = samples(captured(live(url), until=End)[1])
    assert len(whole) == 50
    cursor = whole[count - 1].cursor
    _, items = captured(live(url, cursor=cursor), until=End)
    assert [s.info.pts for s in samples(items)] == [s.info.pts for s in whole[count:]]
    assert (items[-1].outcome, items[-1].decoded, items[-1].lost) == ("ok", 50 - count, 0)


@pytest.mark.slow
def test_a_stall_is_told_and_nothing_is_shown_twice(shelf) -> None:
    url = shelf.play("0.ts", "1.ts", "2.ts", s=0.01)
    _, items = captured(live(url, stall_s=STALL_S))
    assert len(samples(items)) == 30
    assert items[-1].kind == "stalled"
    cursor = samples(items)[-1].cursor
    _, again = captured(live(url, stall_s=STALL_S, cursor=cursor))
    assert [type(item) for item in again] == [Fault]
    shelf.play("1.ts", "2.ts", "#EXT-X-DISCONTINUITY", "far.ts", first=1, ended=True)
    _, more = captured(live(url, cursor=cursor))
    assert len(samples(more)) == 10
    assert isinstance(more[-1], Fault)
    assert more[-1].kind == "disconnected"  # it was live before: its encoder may come back


@pytest.mark.slow
def test_what_was_decoded_and_not_sampled_is_no_news_either(shelf) -> None:
    """Else an encoder that stands still would give one old frame to every connection."""
    url = shelf.play("0.ts", "1.ts", "2.ts", s=0.01)
    facts = {"stall_s": STALL_S, "samplings": (Sampling("fps", 0.1),)}
    capture, items = captured(live(url, **facts))
    assert len(samples(items)) == 1
    _, again = captured(live(url, cursor={"mark": capture.reached[1]}, **facts))
    assert [type(item) for item in again] == [Fault]


@pytest.mark.slow
def test_it_goes_on_in_the_same_session_when_the_playlist_does(shelf) -> None:
    url = shelf.play("0.ts", "1.ts", s=0.01)
    items: list[Any] = []
    for item in Capture(live(url, stall_s=STALL_S), Wall()).items():
        if item is not None:
            items.append(item)
        if isinstance(item, Fault) and item.kind == "stalled":
            shelf.play("0.ts", "1.ts", "#EXT-X-DISCONTINUITY", "far.ts", ended=True, s=0.01)
    kinds = [
        item.reason if isinstance(item, Gap) else item.kind
        for item in items
        if isinstance(item, Gap | Fault)
    ]
    assert kinds == ["stalled", "discontinuity", "resumed", "disconnected"]
    assert len({sample.info.session for sample in samples(items)}) == 1
    times_us = [sample.info.event_time_us for sample in samples(items)]
    assert len(times_us) == 30
    assert times_us == sorted(times_us)
    assert times_us[-1] - times_us[0] < 5_000_000


def test_event_time_of_a_live_playlist_begins_in_the_past(shelf) -> None:
    """Three seconds of it were there already when it was opened, and the next is not there yet."""
    url = shelf.play("0.ts", "1.ts", "2.ts")
    first = next(item for item in Capture(live(url), Wall()).items() if isinstance(item, Sample))
    opened_us = Wall().now_us + 1_000_000
    assert first.info.event_time_us == opened_us - 4_000_000


@pytest.mark.slow
def test_event_time_of_another_connection_begins_with_what_is_new(shelf) -> None:
    """Of the three seconds that are there, two and a half were shown before."""
    url = shelf.play("0.ts", "1.ts", "2.ts")
    frames = (item for item in Capture(live(url), Wall()).items() if isinstance(item, Sample))
    *_, last = islice(frames, 25)
    again = Capture(live(url, cursor=last.cursor), Wall()).items()
    first = next(item for item in again if isinstance(item, Sample))
    opened_us = Wall().now_us + 1_000_000
    assert first.info.event_time_us == opened_us - 1_500_000


@pytest.mark.slow
def test_the_memory_outlives_the_decode_process(shelf, host) -> None:
    """A decoder is killed, the playlist goes on by one segment: the next one shows that alone."""
    host.open(live(shelf.play("0.ts", "1.ts", "2.ts", s=0.01)))
    shown: list[str] = []
    faults: list[str] = []
    host.request("cam")
    while "disconnected" not in faults:
        for chunk in host.wait(5.0):
            for entry in chunk.entries:
                if isinstance(entry, Frames):
                    shown += [info.session for info in entry.infos]
                elif isinstance(entry, Fault):
                    faults.append(entry.kind)
            if not all(isinstance(entry, Trouble) for entry in chunk.entries):
                host.request("cam")
        if len(shown) == 30 and not faults:
            os.kill(host.pid("cam"), signal.SIGKILL)
            shelf.play("1.ts", "2.ts", "3.ts", first=1, ended=True, s=0.01)
    assert faults == ["crashed", "disconnected"]
    assert [shown.count(session) for session in dict.fromkeys(shown)] == [30, 10]


@pytest.mark.slow
def test_a_decoder_that_is_killed_within_a_segment_loses_what_it_held_and_no_more(
    shelf, host
) -> None:
    """One segment of 40 frames, of which a few are handed over; a few more may wait in it."""
    shelf.files["long.ts"] = b"".join(shelf.files[f"{number}.ts"] for number in range(4))
    host.open(live(shelf.play("long.ts", ended=True, s=4), buffer_frames=4, chunk_ms=20))
    entries: list[Any] = []
    killed = False
    host.request("cam")
    while not any(isinstance(entry, End) for entry in entries):
        for chunk in host.wait(5.0):
            entries += chunk.entries
            if not killed and any(isinstance(entry, Frames) for entry in chunk.entries):
                os.kill(host.pid("cam"), signal.SIGKILL)
                killed = True
            if not isinstance(chunk.entries[-1], Trouble | End):
                host.request("cam")
    runs = [entry.infos for entry in entries if isinstance(entry, Frames)]
    frames = [info.pts for run in runs for info in run]
    lost = sum(entry.lost for entry in entries if isinstance(entry, Trouble))
    assert len(set(frames)) == len(frames)
    assert len(frames) + lost == 40
    assert lost <= 8


@pytest.mark.slow
def test_a_playlist_is_told_by_its_segments(shelf) -> None:
    def session(url: str) -> str:
        (plan,) = plan_recordings([url])
        return plan.session

    first = session(shelf.play("0.ts", "1.ts", ended=True))
    shelf.files |= {"0.ts?ticket=7": shelf.files["0.ts"], "1.ts?ticket=7": shelf.files["1.ts"]}
    assert session(shelf.play("0.ts?ticket=7", "1.ts?ticket=7", ended=True)) == first
    assert session(shelf.play("0.ts", "2.ts", ended=True)) != first
    shelf.files["0.ts"] = shelf.files["4.ts"]
    assert session(shelf.play("0.ts", "1.ts", ended=True)) != first


def test_a_live_playlist_is_no_recording(shelf) -> None:
    with pytest.raises(Exception, match="may grow; use dinostream run"):
        plan_recordings([shelf.play("0.ts")])


@pytest.mark.slow
def test_a_replay_of_a_playlist_that_is_live_by_now_ends(shelf, play) -> None:
    """The best variant was looked at before and is a recording; the one that is played may grow."""
    names = ["#EXT-X-STREAM-INF:BANDWIDTH=9,RESOLUTION=640x480", "large.m3u8"]
    names += ["#EXT-X-STREAM-INF:BANDWIDTH=5,RESOLUTION=320x240", "small.m3u8"]
    shelf.files["master.m3u8"] = "\n".join(["#EXTM3U", *names]).encode()
    shelf.play("0.ts", "1.ts", name="large.m3u8", ended=True)
    shelf.play("0.ts", "1.ts", name="small.m3u8", ended=True)
    url = f"{shelf.url}/master.m3u8"
    whole = play(url)
    assert plan_recordings([url])
    shelf.play("0.ts", "1.ts", name="small.m3u8")
    fresh = play(url, damaged=True)  # any other argument: nothing is taken from a cache
    assert (fresh.end.outcome, fresh.samples) == ("rejected", [])
    assert "may grow; use dinostream run" in fresh.end.detail
    resumed = play(url, cursor=whole.cursor(14)).end
    assert (resumed.outcome, resumed.unfinished, resumed.decoded) == ("degraded", True, 15)
    shelf.play("0.ts", "1.ts", name="small.m3u8", ended=True)
    assert play(url, cursor=whole.cursor(14)).keys == whole.keys[15:]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "frames", "lost", "last_s"),
    [
        ("plain", 60, 0, 5.9),
        ("hole", 50, 10, 5.9),
        ("master", 60, 0, 5.9),
        ("enc", 60, 0, 5.9),
        ("disc", 90, 0, 8.9),
        ("v64x48_broken", 50, 10, 5.9),
    ],
)
def test_the_reports(playlists, play, shared_media, name, frames, lost, last_s) -> None:
    """What people reported elsewhere, with an independent decoder's answers."""
    for path in (shared_media / "reports" / "hls").iterdir():
        playlists.files[path.name] = path.read_bytes()
    played = play(f"{playlists.url}/{name}.m3u8")
    assert (len(played.samples), played.end.lost) == (frames, lost)
    assert played.end.outcome == ("degraded" if lost else "ok")
    assert sum(fault.lost for fault in played.faults) == lost
    assert played.samples[-1].info.event_time_us == pytest.approx(last_s * 1e6)
    fetched = {name for name in playlists.asked if name.endswith(".ts")}
    assert len(fetched) == 6

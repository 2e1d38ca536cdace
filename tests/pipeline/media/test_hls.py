"""Playlists over a real server, recorded and live; time passes where the reel waits alone."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from itertools import islice, pairwise, takewhile
from pathlib import Path
from typing import Any

import av
import pytest

from pipeline.errors import SourceError
from pipeline.media.decrypt import decrypt
from pipeline.media.hls import HlsReel
from pipeline.media.hls_memory import Shown
from pipeline.media.hls_site import HlsSite
from pipeline.media.http import SameHost
from pipeline.media.picture import Loss, Mark, Picture, Splice, Stall, Step

FRAMES = 10  # of a segment, which is a second long


def segment(clips, folder: Path, number: int, *, colour: int = 0, offset: int = 0) -> bytes:
    """A second of ten frames; `offset` seconds ahead of where its number puts it."""
    frames = [clips.colour((48, 64), (60 + 9 * number + colour, 90, 170))] * FRAMES
    begin = (number + offset) * FRAMES
    path = folder / "segment.ts"
    clips.write(path, frames, pts=list(range(begin, begin + FRAMES)), rate=FRAMES)
    return path.read_bytes()


@pytest.fixture
def shelf(playlists, clips, tmp_path: Path):
    """A server that holds segments 0.ts to 5.ts."""
    for number in range(6):
        playlists.files[f"{number}.ts"] = segment(clips, tmp_path, number)
    return playlists


class Waiting:
    """A clock that goes on where somebody waits; `on_wait` may change the server."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.on_wait: Callable[[], None] = lambda: None

    def clock(self) -> float:
        return self.now_s

    def __call__(self, seconds: float) -> bool:
        self.now_s += seconds
        self.on_wait()
        return True


def opened(url: str, waiting: Waiting | None = None, **more: Any) -> HlsReel:
    waiting = waiting or Waiting()
    facts: dict[str, Any] = {
        "keyframes": False,
        "max_pixels": 1 << 24,
        "damaged": False,
        "short_side": 48,
        "live": True,
        "stall_s": 10.0,
        "clock": waiting.clock,
        "wait": waiting,
    }
    return HlsReel.open(url, SameHost(url, 5.0), **(facts | more))


def news(reel: HlsReel) -> Iterator[Step]:
    return (step for step in reel.pictures() if step is not None)


def times_s(steps: list[Step]) -> list[float]:
    first = next(step.pts for step in steps if isinstance(step, Picture))
    pts = [step.pts for step in steps if isinstance(step, Picture)]
    return [round((p - first) / 90000, 3) for p in pts]


def every(seconds: float, count: int) -> list[float]:
    return [round(seconds * index, 3) for index in range(count)]


def test_a_recording(shelf) -> None:
    reel = opened(shelf.play("0.ts", "1.ts", "2.ts", ended=True))
    assert (reel.finite, reel.duration_s, reel.behind_s) == (True, 3.0, 0.0)
    assert times_s(list(news(reel))) == every(0.1, 30)
    assert shelf.asked == ["list.m3u8", "0.ts", "1.ts", "2.ts"]


def test_names_with_blanks_and_other_letters(shelf) -> None:
    shelf.files |= {"Süd 0.ts": shelf.files["0.ts"], "Süd 1.ts": shelf.files["1.ts"]}
    steps = list(news(opened(shelf.play("Süd 0.ts", "S%C3%BCd%201.ts", ended=True))))
    assert times_s(steps) == every(0.1, 20)


def test_one_variant_is_fetched_whatever_the_others_are(shelf) -> None:
    for size, names in (("64x48", "012"), ("128x96", "345"), ("16x12", "9")):
        shelf.play(*[f"{name}.ts" for name in names], name=f"{size}.m3u8", ended=True)
    shelf.files["master.m3u8"] = "\n".join(
        [
            "#EXTM3U",
            *("#EXT-X-STREAM-INF:BANDWIDTH=9,RESOLUTION=128x96", "128x96.m3u8"),
            *("#EXT-X-STREAM-INF:BANDWIDTH=5,RESOLUTION=64x48", "64x48.m3u8"),
            *("#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=16x12", "16x12.m3u8"),
        ]
    ).encode()
    assert len(list(news(opened(f"{shelf.url}/master.m3u8")))) == 30
    assert shelf.asked == ["master.m3u8", "64x48.m3u8", "0.ts", "1.ts", "2.ts"]


def test_a_playlist_that_is_cut_on_the_way_is_not_believed(shelf) -> None:
    """It could be played: two segments, and no end."""
    url = shelf.play("0.ts", "1.ts", "2.ts", ended=True)
    text = shelf.files["list.m3u8"]
    shelf.cuts["list.m3u8"] = text.index(b"2.ts")
    said = f"its playlist broke off after {text.index(b'2.ts')} of {len(text)} bytes"
    with pytest.raises(SourceError, match=said) as caught:
        opened(url)
    assert caught.value.retryable
    assert len(list(news(opened(url)))) == 30


def test_a_live_playlist_that_is_cut_on_the_way_is_asked_for_again(shelf) -> None:
    """The part that came ends in the midst of a segment's name."""
    waiting = Waiting()
    url = shelf.play("2.ts", "3.ts", first=2)

    def grow() -> None:
        shelf.play("2.ts", "3.ts", "4.ts", "5.ts", first=2, ended=True)
        if waiting.now_s < 1002:
            shelf.cuts["list.m3u8"] = shelf.files["list.m3u8"].index(b"4.ts") + 2

    waiting.on_wait = grow
    assert times_s(list(news(opened(url, waiting)))) == every(0.1, 40)


def test_a_segment_that_is_cut_on_the_way_is_asked_for_again(shelf) -> None:
    shelf.cuts["1.ts"] = 1000
    steps = list(news(opened(shelf.play("0.ts", "1.ts", "2.ts", ended=True))))
    assert times_s(steps) == every(0.1, 30)
    assert shelf.asked.count("1.ts") == 2


@pytest.mark.parametrize("hole", ["gone.ts", "no-video.ts", "#EXT-X-GAP"])
def test_a_missing_segment_is_said_and_passed_over(shelf, hole: str) -> None:
    shelf.files["no-video.ts"] = b"<html>404, but politely</html>"
    lines = [hole, "2.ts"] if hole.startswith("#") else [hole]
    steps = list(news(opened(shelf.play("0.ts", "1.ts", *lines, "3.ts", ended=True))))
    (loss,) = [step for step in steps if isinstance(step, Loss)]
    assert steps.index(loss) == 20
    assert loss.frames == 10
    assert "1 s are missing, about 10 frames" in loss.detail
    assert times_s(steps) == every(0.1, 20) + [round(3 + t, 3) for t in every(0.1, 10)]


def test_a_missing_first_segment_is_told_when_one_knows_the_rate(shelf) -> None:
    steps = list(news(opened(shelf.play("gone.ts", "1.ts", ended=True))))
    assert [type(step) for step in steps] == [Picture] * 10 + [Loss]
    with pytest.raises(SourceError, match=r"segment gone.ts: HTTP 404"):
        list(news(opened(shelf.play("gone.ts", "gone.ts", ended=True))))


def test_a_discontinuity_splices(shelf, clips, tmp_path: Path) -> None:
    shelf.files["far.ts"] = segment(clips, tmp_path, 2, offset=1000)
    url = shelf.play("0.ts", "1.ts", "#EXT-X-DISCONTINUITY", "far.ts", ended=True)
    steps = list(news(opened(url)))
    assert [index for index, step in enumerate(steps) if step == Splice()] == [20]
    assert times_s(steps)[20] > 1000
    first = shelf.play("#EXT-X-DISCONTINUITY", "0.ts", ended=True)
    assert Splice() not in list(news(opened(first)))  # nothing lies before it


def test_frames_that_wait_for_later_ones_go_over_the_edge_of_a_segment(shelf, clips, tmp_path):
    """Ten frames with B-frames, cut into two containers where the second has no key frame."""
    shelf.files |= dict(zip(("a.ts", "b.ts"), reordered(tmp_path), strict=True))
    steps = list(news(opened(shelf.play("a.ts", "b.ts", ended=True))))
    assert times_s(steps) == every(0.1, 20)


def reordered(folder: Path) -> tuple[bytes, bytes]:
    """Twenty frames, one key frame, in two transport streams of ten packets each."""
    whole = folder / "whole.ts"
    with av.open(str(whole), "w") as container:
        stream = container.add_stream("libx264", rate=FRAMES)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.options = {"bf": "3", "g": "99", "sc_threshold": "0"}
        for number in range(20):
            frame = av.VideoFrame(64, 48, "yuv420p")
            for plane in frame.planes:
                plane.update(bytes([number * 9 + 20]) * plane.buffer_size)
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with av.open(str(whole)) as source:
        packets = [packet for packet in source.demux(video=0) if packet.size]
        parts = []
        for name, some in (("a", packets[:10]), ("b", packets[10:])):
            with av.open(str(folder / f"{name}.ts"), "w") as part:
                part.add_stream_from_template(source.streams.video[0])
                for packet in some:
                    packet.stream = part.streams.video[0]
                    part.mux(packet)
            parts.append((folder / f"{name}.ts").read_bytes())
    return parts[0], parts[1]


def test_fragmented_mp4_and_parts_of_one_file(playlists, clips, tmp_path: Path) -> None:
    path = tmp_path / "whole.mp4"
    with av.open(
        str(path), "w", options={"movflags": "empty_moov+frag_keyframe+default_base_moof"}
    ) as c:
        stream = c.add_stream("libx264", rate=FRAMES)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.options = {"g": str(FRAMES), "bf": "0"}
        for number in range(3 * FRAMES):
            frame = clips.colour((48, 64), (60 + number, 90, 170))
            frame.pts = number
            c.mux(stream.encode(frame))
        c.mux(stream.encode(None))
    data = path.read_bytes()
    starts = [i - 4 for i in range(len(data)) if data[i : i + 4] == b"moof"]
    edges = [*starts, data.index(b"mfra") - 4]
    playlists.files["whole.mp4"] = data
    lines = [f'#EXT-X-MAP:URI="whole.mp4",BYTERANGE="{starts[0]}@0"']
    for begin, end in pairwise(edges):
        lines += [f"#EXT-X-BYTERANGE:{end - begin}@{begin}", "whole.mp4"]
    steps = list(news(opened(playlists.play(*lines, ended=True))))
    assert times_s(steps) == every(0.1, 30)
    assert len(playlists.asked) == 1 + 1 + len(starts)  # the playlist, the head once, the parts


PLAIN = b"what was filmed, to the last byte"


@pytest.mark.parametrize(
    ("iv", "secret"),
    [
        (
            "00000000000000000000000000000008",
            "d0a359ff30c8066554e89a313598863bc724231a5e9c1e240c1b3b1befa2eb99c5074add2a4942053e60f9f5b32fac2e",
        ),
        (
            "6465666768696a6b6c6d6e6f70717273",
            "7132562884f55cfae98168a8acc4a6ad0b658b857007ffb289c7603895498c16a4caeae421d049326b2fa153d0f573cd",
        ),
    ],
)
def test_aes_128(playlists, iv: str, secret: str) -> None:
    """What `openssl enc -aes-128-cbc` made of it, under the vector that is said or the number."""
    playlists.files |= {"key": bytes(range(16)), "secret": bytes.fromhex(secret)}
    site = HlsSite(SameHost(playlists.url, 5.0))
    said = f",IV=0x{iv}" if iv.startswith("64") else ""
    url = playlists.play(f'#EXT-X-KEY:METHOD=AES-128,URI="key"{said}', *["secret"] * 2, first=8)
    for segment in site.media(url).segments[: 2 if said else 1]:
        assert finished(site.fetch(segment.body)) == PLAIN
    assert playlists.asked.count("key") == 1


def finished(steps: Generator[None, None, bytes]) -> bytes:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def test_what_cannot_be_decrypted(playlists) -> None:
    with pytest.raises(SourceError, match="cannot be decrypted: 15 bytes with a key of 16"):
        decrypt(bytes(15), bytes(16), bytes(16))
    with pytest.raises(SourceError, match="16 bytes with a key of 3"):
        decrypt(bytes(16), b"abc", bytes(16))


def test_a_live_playlist_is_followed(shelf) -> None:
    waiting = Waiting()
    shelf.play("0.ts", "1.ts")

    def grow() -> None:
        shelf.play("1.ts", "2.ts", "3.ts", first=1, ended=True)

    waiting.on_wait = grow
    reel = opened(f"{shelf.url}/list.m3u8", waiting)
    assert (reel.finite, reel.duration_s) == (False, None)
    assert times_s(list(news(reel))) == every(0.1, 40)
    assert reel.behind_s == 2.0 + 1


def test_an_encoder_that_stands_still_is_told_and_goes_on(shelf) -> None:
    waiting = Waiting()
    shelf.play("0.ts", "1.ts")

    def grow() -> None:
        if waiting.now_s > 1030:
            shelf.play("0.ts", "1.ts", "2.ts", ended=True)

    waiting.on_wait = grow
    steps = list(news(opened(f"{shelf.url}/list.m3u8", waiting)))
    assert [type(step) for step in steps] == [Picture] * 20 + [Stall] + [Picture] * 10


def shown(reel: HlsReel, count: int) -> Mark:
    """The mark after so many pictures."""
    pictures = (step for step in reel.pictures() if isinstance(step, Picture))
    for _ in islice(pictures, count):
        mark = reel.mark()
    return mark


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 15, 20, 29, 30])
def test_another_connection_shows_nothing_twice_and_leaves_nothing_out(shelf, count: int) -> None:
    """An encoder that stands still gives its last segments to every connection."""
    url = shelf.play("0.ts", "1.ts", "2.ts")
    first = opened(url)
    mark = shown(first, count)
    reel = opened(url, Waiting(), shown=mark)
    steps = until_still(reel)
    assert all(isinstance(step, Picture) for step in steps)
    assert [step.pts for step in steps] == pts_of(opened(url), 30)[count:]
    assert reel.resumed


def pts_of(reel: HlsReel, count: int) -> list[int | None]:
    pictures = (step for step in reel.pictures() if isinstance(step, Picture))
    return [picture.pts for picture in islice(pictures, count)]


def until_still(reel: HlsReel) -> list[Step]:
    """What comes before the playlist is said to stand still."""
    return list(takewhile(lambda step: not isinstance(step, Stall), news(reel)))


def test_the_counter_of_timestamps_may_turn_in_the_segment_that_is_gone_on_in() -> None:
    was = Shown(None, finite=False)
    was.add(7, b"seven")
    shown = Shown(was.mark(7, 2**33 - 2), finite=False)
    assert not shown.add(7, b"seven")
    pts = [2**33 - 3, 2**33 - 2, 2**33 - 1, 0]
    assert [shown.has(7, each) for each in pts] == [True, True, False, False]
    turned = Shown(was.mark(7, 1), finite=False)
    turned.add(7, b"seven")
    assert [turned.has(7, each) for each in (2**33 - 1, 0, None, 1, 2)] == [True] * 4 + [False]


def test_where_going_on_needs_what_came_before_the_loss_is_told(shelf, clips, tmp_path) -> None:
    """The second segment has no key frame: only with the first one can it be decoded."""
    shelf.files |= dict(zip(("a.ts", "b.ts"), reordered(tmp_path), strict=True))
    frames = [clips.colour((48, 64), (60, 90, 170))] * FRAMES
    clips.write(tmp_path / "c.ts", frames, pts=list(range(22, 32)), rate=FRAMES)
    shelf.files["c.ts"] = (tmp_path / "c.ts").read_bytes()
    mark = shown(opened(shelf.play("a.ts", "b.ts", "c.ts")), 15)
    url = shelf.play("a.ts", "b.ts", "c.ts", ended=True)
    loss, *steps = news(opened(url, shown=mark))
    assert [type(step) for step in steps] == [Picture] * 10
    assert isinstance(loss, Loss)
    assert (loss.frames, loss.detail) == (
        5,
        "a segment cannot be gone on in: 0.6 s are missing, about 5 frames",
    )


def test_another_connection_goes_on_with_what_is_new(shelf) -> None:
    mark = shown(opened(shelf.play("0.ts", "1.ts", "2.ts")), 30)
    reel = opened(shelf.play("1.ts", "2.ts", "3.ts", "4.ts", first=1), shown=mark)
    pictures = (step for step in reel.pictures() if isinstance(step, Picture))
    assert times_s(list(islice(pictures, 20)))[0] == 0.0
    assert reel.mark()[2::2] == [2, 3, 4]


@pytest.mark.parametrize(("count", "behind_s"), [(10, 3), (20, 2), (15, 2.5), (24, 1.6)])
def test_how_old_the_first_picture_of_another_connection_is(shelf, count, behind_s) -> None:
    """Of 0.ts, 1.ts and 2.ts, what was shown is not counted; and a target duration is added."""
    mark = shown(opened(shelf.play("0.ts", "1.ts", "2.ts")), count)
    reel = opened(shelf.play("0.ts", "1.ts", "2.ts"), shown=mark)
    next(step for step in reel.pictures() if isinstance(step, Picture))
    assert reel.behind_s == pytest.approx(behind_s)


@pytest.mark.slow
def test_what_comes_long_after_the_connection_is_later(shelf) -> None:
    """The encoder stood still, and nothing was new for a minute."""
    mark = shown(opened(shelf.play("0.ts", "1.ts")), 20)
    waiting = Waiting()

    def grow() -> None:
        if waiting.now_s >= 1060:
            shelf.play("0.ts", "1.ts", "2.ts")

    waiting.on_wait = grow
    reel = opened(shelf.play("0.ts", "1.ts"), waiting, shown=mark)
    next(step for step in reel.pictures() if isinstance(step, Picture))
    assert waiting.now_s >= 1060
    assert reel.behind_s == pytest.approx(2 - (waiting.now_s - 1000))


def test_another_connection_leaves_out_nothing_that_is_still_there(shelf) -> None:
    """Its segment has left the playlist, and one more that nobody has seen."""
    mark = shown(opened(shelf.play("0.ts")), 10)
    names = [f"{number}.ts" for number in range(2, 6)]
    steps = until_still(opened(shelf.play(*names, first=2), Waiting(), shown=mark))
    assert times_s(steps) == every(0.1, 40)
    (loss,) = [step for step in steps if isinstance(step, Loss)]
    assert loss.frames == 10
    assert loss.detail.startswith("1 segments left the playlist before they were read")


def test_an_encoder_that_was_started_anew_is_news_under_old_numbers(shelf, clips, tmp_path) -> None:
    mark = shown(opened(shelf.play("0.ts", "1.ts", "2.ts")), 30)
    for number in range(3):
        shelf.files[f"{number}.ts"] = segment(clips, tmp_path, number, colour=50)
    reel = opened(shelf.play("0.ts", "1.ts", "2.ts"), shown=mark)
    pictures = (step for step in reel.pictures() if isinstance(step, Picture))
    assert len(list(islice(pictures, 10))) == 10


def test_a_live_one_that_was_ended_is_no_recording(shelf) -> None:
    mark = shown(opened(shelf.play("0.ts", "1.ts")), 20)
    reel = opened(shelf.play("0.ts", "1.ts", ended=True), shown=mark)
    assert not reel.finite
    assert list(news(reel)) == []


def test_a_live_playlist_without_video_is_no_endless_wait(shelf) -> None:
    shelf.files["x.ts"] = b"nothing"
    waiting = Waiting()
    waiting.on_wait = lambda: shelf.play(*["x.ts"] * 9) and None
    reel = opened(shelf.play(*["x.ts"] * 3), waiting)
    with pytest.raises(SourceError, match=r"segment x.ts: cannot be opened"):
        list(news(reel))


def test_seeking_goes_by_place(shelf) -> None:
    """The same segment twice: its timestamps say nothing about which of the two it is."""
    tag = "#EXT-X-DISCONTINUITY"
    url = shelf.play("0.ts", "1.ts", tag, "0.ts", "1.ts", tag, "0.ts", ended=True)
    reel = opened(url)
    mark = shown(reel, 35)
    assert reel.seek(mark[0], mark)
    assert len([s for s in reel.pictures() if isinstance(s, Picture)]) == 20
    assert reel.seek(mark[0] - 90000, mark)
    assert len([s for s in reel.pictures() if isinstance(s, Picture)]) == 30

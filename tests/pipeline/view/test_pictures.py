"""Pictures of frames: real recordings, real decode processes."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from fractions import Fraction
from io import BytesIO

import av
import numpy as np
import pytest
from PIL import Image

from operators.errors import UsageError
from pipeline.configuration.sources import plan_recordings
from pipeline.decode.capture import Capture
from pipeline.decode.track import Sample
from pipeline.media.container import open_video
from pipeline.media.fingerprint import file_session
from pipeline.media.reel import VideoReel
from pipeline.media.tape import Taping
from pipeline.stream.sampling import Sampling
from pipeline.stream.spec import StreamSpec
from pipeline.synthetic.scene import open_scene
from pipeline.synthetic.uri import parse_scene_uri
from pipeline.view.film import AHEAD_FRAMES
from pipeline.view.footage import Footage
from pipeline.view.pictures import MOST_WAITING, NoPicture, Pictures

BEGAN_US = 1_795_000_000_000_000
TICKS = 1024  # of a frame, in an MP4 of 10 frames/s


def blocks(number):
    """A picture `[96, 160, 3]` that looks like no other."""
    grey = np.random.default_rng(number).integers(0, 255, (6, 10, 1), np.uint8)
    return np.ascontiguousarray(grey.repeat(16, 0).repeat(16, 1).repeat(3, 2))


def write(path, frames=60, *, turned=0, options=None):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, width=160, height=96, pix_fmt="yuv420p")
        stream.codec_context.options = options or {"g": "20", "bf": "0"}
        stream.codec_context.thread_count = 1
        stream.set_display_rotation(turned, False, False)
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(blocks(number), "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def error(picture, wanted):
    """Mean over all pixels of what a JPEG differs by."""
    shown = np.asarray(Image.open(BytesIO(picture))).astype(int)
    assert shown.shape == wanted.shape
    return np.abs(shown - wanted).mean()


@pytest.fixture
def open_pictures():
    """`open_pictures(path)`: of this footage, until the test ends."""
    opened = []

    def made(*media, **more):
        opened.append(Pictures(Footage.of([str(one) for one in media]), **more))
        return opened[-1]

    yield made
    for pictures in opened:
        pictures.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("turned", "b_frames", "numbers"),
    [(0, 0, (0, 1, 2, 59, 20, 21, 22, 40, 41, 33)), (90, 0, (33, 34)), (0, 3, (41, 42, 39))],
)
def test_the_picture_is_that_of_the_very_frame(
    open_pictures, tmp_path, turned, b_frames, numbers
) -> None:
    options = {"g": "20", "bf": str(b_frames), "b-adapt": "0"}
    path = write(tmp_path / "clip.mp4", turned=turned, options=options)
    pictures, session = open_pictures(path), file_session(str(path))
    assert pictures.source("clip.mp4", session) == "footage"
    for number in numbers:
        made = pictures.of("clip.mp4", session, str(number * TICKS), number * 100_000, 1080)
        wanted = [np.rot90(blocks(one), turned // 90) for one in (number, number + 1)]
        assert error(made, wanted[0]) < 4 < 30 < error(made, wanted[1])


@pytest.mark.slow
def test_a_tape_has_the_frames_of_its_stream(open_pictures, tmp_path) -> None:
    path = write(tmp_path / "clip.ts", options={"g": "10", "bf": "0"})
    opened = replace(open_video(str(path), max_pixels=1 << 24, timeout_s=5), finite=False)
    reel = VideoReel(opened, keyframes=False, max_pixels=1 << 24)
    clock = iter(range(BEGAN_US, BEGAN_US + 10**9, 100_000))
    tape = Taping(str(tmp_path / "tapes"), 1 << 30, segment_s=1.5)
    every = (Sampling("all"),)
    spec = StreamSpec("gate", "rtsp://gate/", live=True, samplings=every, tape=tape)
    capture = Capture(spec, lambda: next(clock), connect=lambda *_: reel)
    infos = [item.info for item in capture.items() if isinstance(item, Sample)]
    pictures = open_pictures(tmp_path / "tapes")
    assert pictures.source("gate", infos[0].session) == "footage"
    assert pictures.source("yard", infos[0].session) is None
    for number in (0, 35, 37):
        info = infos[number]
        where = (info.stream, info.session, info.position, info.event_time_us)
        assert error(pictures.of(*where, 96), blocks(number)) < 4


@pytest.mark.slow
def test_a_session_is_found_by_what_it_is_whatever_its_file_is_called(
    open_pictures, tmp_path
) -> None:
    (tmp_path / "footage").mkdir()
    path = write(tmp_path / "footage" / "one.mp4", 20)
    write(tmp_path / "footage" / "two.mp4", 30)
    session = file_session(str(path))
    path.rename(tmp_path / "footage" / "moved.mp4")
    pictures = open_pictures(tmp_path / "footage")
    made = pictures.of("front-door", session, str(7 * TICKS), 0, 1080)
    assert error(made, blocks(7)) < 4


@pytest.mark.slow
def test_a_region_is_what_is_shown_of_it(open_pictures, tmp_path) -> None:
    path = write(tmp_path / "clip.mp4", 20)
    pictures, session = open_pictures(path), file_session(str(path))
    where = ("clip.mp4", session, str(3 * TICKS), 0, 1080)
    assert error(pictures.of(*where, "32,16,128,80"), blocks(3)[16:80, 32:128]) < 4
    for region in ("0,0,1000,96", "left"):
        with pytest.raises(NoPicture, match="region"):
            pictures.of(*where, region)
    assert error(pictures.of(*where), blocks(3)) < 4, "others go on"


@pytest.mark.slow
def test_frames_behind_the_one_that_is_looked_at_are_there_already(open_pictures, tmp_path) -> None:
    path = write(tmp_path / "clip.mp4", 200)
    pictures, session = open_pictures(path), file_session(str(path))
    pictures.of("clip.mp4", session, str(10 * TICKS), 0, 96)
    while pictures._is_behind():
        time.sleep(0.01)
    path.write_bytes(b"")  # no other decoder would find anything now
    for number in range(10, 10 + AHEAD_FRAMES - 1):
        made = pictures.of("clip.mp4", session, str(number * TICKS), 0, 96)
        assert error(made, blocks(number)) < 4


@pytest.mark.slow
def test_scenes_are_drawn_as_they_were(open_pictures) -> None:
    uri = "synthetic:room?seed=1&seconds=2&fps=10&size=64x48"
    (plan,) = plan_recordings([uri])
    made = open_pictures(uri).of(plan.stream, plan.session, "13", 0, 48)
    assert error(made, open_scene(parse_scene_uri(uri)).render(13).rgb.astype(int)) < 8


@pytest.mark.slow
@pytest.mark.parametrize(
    ("position", "session", "why"),
    [
        ("1", None, "frame 1 is not there"),
        (str(99 * TICKS), None, f"frame {99 * TICKS} is not there"),
        ("0", "0123456789ab", "is not among what --media names; name the very file, or its tape"),
    ],
)
def test_what_cannot_be_had_is_said_in_a_sentence(
    open_pictures, tmp_path, position, session, why
) -> None:
    path = write(tmp_path / "clip.mp4", 20)
    pictures, own = open_pictures(path), file_session(str(path))
    with pytest.raises(NoPicture, match=why):
        pictures.of("clip.mp4", session or own, position, 0, 96)
    assert error(pictures.of("clip.mp4", own, "0", 0, 96), blocks(0)) < 4, "others go on"


def test_without_footage_it_is_said_how_to_name_some(open_pictures) -> None:
    pictures = open_pictures()
    assert pictures.source("gate", "0123456789ab") is None
    with pytest.raises(NoPicture, match="is not known here: --media FILE_OR_FOLDER names it"):
        pictures.of("gate", "0123456789ab", "0", 0, 96)


def test_footage_that_is_not_there_is_refused_at_once(open_pictures, tmp_path) -> None:
    with pytest.raises(UsageError, match="nowhere"):
        open_pictures(tmp_path / "nowhere.mp4")


@pytest.mark.slow
def test_a_file_that_broke_since_is_said(open_pictures, tmp_path) -> None:
    path = write(tmp_path / "clip.mp4", 20)
    pictures, session = open_pictures(path), file_session(str(path))
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(NoPicture, match=r"^clip\.mp4: "):
        pictures.of("clip.mp4", session, "0", 0, 96)


@pytest.mark.slow
def test_the_newest_comes_first_and_who_waits_too_long_in_line_is_told(
    open_pictures, tmp_path
) -> None:
    path = write(tmp_path / "clip.mp4", 200)
    pictures, session = open_pictures(path), file_session(str(path))
    order: list[int] = []
    taken, busy, told = threading.Event(), threading.Event(), threading.Lock()
    film = pictures._film

    def held(request):
        taken.set()
        busy.wait()
        order.append(int(request.shot.position) // TICKS)
        return film(request)

    pictures._film = held
    refused: list[int] = []

    def ask(number: int) -> None:
        try:
            pictures.of("clip.mp4", session, str(number * TICKS), 0, 96)
        except NoPicture:
            with told:
                refused.append(number)

    asking = []
    for count, number in enumerate(range(190, 190 - 5 * (MOST_WAITING + 2), -5)):
        asking.append(threading.Thread(target=ask, args=(number,)))
        asking[-1].start()
        taken.wait()  # the first one is being looked for, and the others wait in order
        while len(pictures._waiting) + len(refused) < count:
            time.sleep(0.01)
    busy.set()
    for one in asking:
        one.join()
    assert refused == [185]
    assert list(dict.fromkeys(order))[:2] == [190, 190 - 5 * (MOST_WAITING + 1)]


@pytest.mark.slow
def test_when_it_is_closed_there_are_no_pictures_any_more(tmp_path) -> None:
    path = write(tmp_path / "clip.mp4", 20)
    pictures, session = Pictures(Footage.of([str(path)])), file_session(str(path))
    pictures.of("clip.mp4", session, "0", 0, 96)
    pictures.close()
    with pytest.raises(NoPicture, match="the service ends"):
        pictures.of("clip.mp4", session, str(19 * TICKS), 0, 96)

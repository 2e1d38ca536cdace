"""Shots of films as they are played: real clips, resumes, a recorder's files, cameras and tapes."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from pipeline.configuration.tapes import tapes_in
from pipeline.decode.capture import Capture
from pipeline.decode.chained import Chained
from pipeline.decode.collector import checksum
from pipeline.decode.playback import Playback
from pipeline.decode.shots import Shots
from pipeline.decode.taped import Taped
from pipeline.decode.track import Sample
from pipeline.media.container import open_video
from pipeline.media.encode import write_clip
from pipeline.media.reel import VideoReel
from pipeline.media.sender_clock import SenderClock
from pipeline.media.tape import Taping
from pipeline.stream.chunk import Shot
from pipeline.stream.layout import Layout
from pipeline.stream.sampling import Sampling
from pipeline.stream.shots import ShotRule
from pipeline.stream.spec import StreamSpec

SCENES = (37, 25, 38)  # frames, ten a second
BEGAN_US, PACKET_US = 1_700_000_000_000_000, 100_000
LONG_AGO, NOW_US = (1_700_000_000, 1_700_000_000), 1_800_000_000_000_000


def picture(scene: int, number: int) -> np.ndarray:
    draw = np.random.default_rng(scene)
    shown = np.kron(draw.integers(20, 230, (6, 10, 3)), np.ones((16, 16, 1))).astype(np.uint8)
    shown[40:60, number % 30 * 4 :][:, :20] = 255
    return shown


def pictures(lengths: tuple[int, ...] = SCENES, first: int = 0) -> list[np.ndarray]:
    return [
        picture(first + scene, n) for scene, frames in enumerate(lengths) for n in range(frames)
    ]


def judged(items, spec: StreamSpec, *, over: bool = False) -> tuple[list[Shot], list[Sample]]:
    shots = Shots(spec)
    told = [one for item in items if item is not None for one in shots.judge(item)]
    told += shots.rest() if over else []
    found = [one for one in told if isinstance(one, Shot)]
    return found, [one for one in told if isinstance(one, Sample)]


def said(shots: list[Shot]) -> list[tuple]:
    """All that their records depend on."""
    return [(one.start, one.last.place, one.frames, one.began) for one in shots]


def clip_spec(path: Path, **more: object) -> StreamSpec:
    rules = (Sampling("fps", 2),)
    facts = {"session": "x", "samplings": rules, "short_side": 56, "shots": ShotRule()}
    return StreamSpec("clip", str(path), **{**facts, **more})


@pytest.mark.parametrize(
    ("name", "firsts"),
    [
        ("SOX5yA1l24A.mp4", [0, 138, 219, 292]),
        ("TrumanShow_wave_f_nm_np1_fr_med_26.avi", [0, 19]),  # its pts run backwards
        ("WUzgd7C1pWA.mp4", [0]),  # a camera that is carried
    ],
)
def test_cuts_of_real_films_are_where_a_person_sees_them(shared_media, name, firsts) -> None:
    spec = clip_spec(shared_media / "videos" / name)
    shots, _ = judged(Playback(spec, lambda: 0).items(), spec)
    found = [sum(one.frames for one in shots[:number]) for number in range(len(shots))]
    assert found == firsts


def test_whoever_goes_on_tells_the_rest(shared_media) -> None:
    spec = clip_spec(shared_media / "videos" / "SOX5yA1l24A.mp4")
    shots, samples = judged(Playback(spec, lambda: 0).items(), spec)
    for sample in samples[1::7]:
        cursor = sample.cursor | {"checksum": checksum(sample.pixels)}
        later = spec.after(json.loads(json.dumps(cursor)))
        again, _ = judged(Playback(later, lambda: 0).items(), later)
        assert said(again) == said(shots[len(shots) - len(again) :])
        assert sum(one.frames for one in again) >= shots[-1].frames


def test_a_span_has_its_own_shots_whatever_is_sampled(tmp_path) -> None:
    write_clip(tmp_path / "a.mp4", pictures(), fps=10)
    rules = [Sampling("fps", 2), Sampling("every", 3), Sampling("all", None)]
    found = []
    for rule in rules:
        spec = clip_spec(tmp_path / "a.mp4", span_s=(1.0, 7.0), samplings=(rule,))
        found.append(said(judged(Playback(spec, lambda: 0).items(), spec)[0]))
    assert found == [found[0]] * 3
    assert [one[2] for one in found[0]] == [27, 25, 8]


def test_a_recorders_files_are_one_film(tmp_path) -> None:
    """The second goes on with the first one's scene, and a hole lies before the third."""
    every = pictures()
    for second, part in ((0, every[:20]), (2, every[20:70]), (30, every[70:])):
        path = tmp_path / f"2026-11-30_00-00-{second:02}.mp4"
        write_clip(path, part, fps=10)
        os.utime(path, LONG_AGO)
    first, *others = sorted(map(str, tmp_path.iterdir()))
    layout = Layout("{time:%Y-%m-%d_%H-%M-%S}.mp4", "UTC")
    every_frame = (Sampling("all", None),)
    spec = clip_spec(Path(first), join=tuple(others), layout=layout, samplings=every_frame)
    shots, samples = judged(Chained(spec, lambda: NOW_US).items(), spec, over=True)
    assert [(one.frames, one.began) for one in shots] == [
        (37, "start"),
        (25, "cut"),
        (8, "cut"),
        (30, "gap"),
    ]
    positions = [one.info.position for one in samples]
    firsts = [0, 37, 62, 70]
    assert [one.start["position"] for one in shots] == [positions[first] for first in firsts]


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("clip") / "clip.ts"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, width=160, height=96, pix_fmt="yuv420p")
        stream.codec_context.options = {"g": "10", "sc_threshold": "0", "threads": "1"}
        for pixels in pictures():
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        container.mux(stream.encode(None))
    return str(path)


@pytest.mark.parametrize("clock", ["arrival", "capture"])
def test_a_tape_tells_what_its_camera_told(film, tmp_path, clock) -> None:
    opened = replace(open_video(film, max_pixels=1 << 24, timeout_s=5), finite=False)
    reel = VideoReel(opened, keyframes=False, max_pixels=1 << 24)
    reel.sender = SenderClock("rtsp", None, reel.time_base)
    ticks = iter(range(BEGAN_US, BEGAN_US + 10**9, PACKET_US))
    taping = Taping(str(tmp_path), 1 << 30, segment_s=1.5)
    live = replace(clip_spec(Path("gate")), live=True, session="", tape=taping, clock=clock)
    live = replace(live, stream="gate", url="rtsp://gate/")
    capture = Capture(live, lambda: next(ticks), connect=lambda *_: reel)
    shots, samples = judged(capture.items(), live, over=True)
    assert [(one.frames, one.began) for one in shots] == [
        (frames, "cut" if number else "start") for number, frames in enumerate(SCENES)
    ]
    times = [one.last.event_time_us for one in shots]
    assert times == sorted(times)
    assert abs(times[-1] - samples[-1].info.event_time_us) < 1_000_000, "both are dated alike"
    ((_, plan),) = tapes_in(str(tmp_path / "gate"))
    told = {"session": plan.session, "late_begins": plan.late_begins, "taped": True}
    spec = replace(clip_spec(tmp_path / "gate"), stream="gate", **told)
    for rule in (Sampling("fps", 2), Sampling("every", 9)):
        own = replace(spec, samplings=(rule,), breaks=())
        assert said(judged(Taped(own, lambda: 0).items(), own)[0]) == said(shots)
    again, _ = judged(Taped(spec, lambda: 0).items(), spec)
    assert said(again) == said(shots[:-1]), "a tape that may grow does not end its last shot"

"""Frames that are looked for: the very ones that a whole pass gives at their positions."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from pipeline.decode.sought import BEFORE, Sought
from pipeline.decode.track import Sample
from pipeline.stream.chunk import End


def blocks(number, size_hw=(96, 160)):
    """A picture that looks like no other."""
    height, width = size_hw
    noise = np.random.default_rng(number).integers(0, 255, (height // 16, width // 16, 3), np.uint8)
    return np.ascontiguousarray(noise.repeat(16, 0).repeat(16, 1))


def write(path, frames=60, *, options=None, turned=None, pts=None, codec="libx264"):
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10, width=160, height=96, pix_fmt="yuv420p")
        stream.codec_context.options = options or {"g": "20"}
        stream.codec_context.thread_count = 1
        if turned is not None:
            stream.set_display_rotation(turned, False, False)
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(blocks(number), "rgb24")
            frame.pts, frame.time_base = pts[number] if pts else number, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def sought(spec, path, position, **more):
    """The samples from there on, and the end."""
    wanted = spec(path, at=("5e5510n", position, 0), **more)
    items = [item for item in Sought(wanted, lambda: 0).items() if item is not None]
    return [item for item in items if isinstance(item, Sample)], items[-1]


CLIPS = {
    "plain.mp4": {"options": {"g": "20", "bf": "0"}},
    "bidirectional.mp4": {"options": {"g": "20", "bf": "3", "b-adapt": "0"}},
    "open.ts": {"options": {"g": "20", "bf": "3", "x264-params": "open-gop=1:b-adapt=0"}},
    "turned.mp4": {"turned": 90},
    "uneven.mkv": {"pts": [number * 3 + number % 3 for number in range(60)]},
    "old.avi": {"codec": "mpeg4", "options": {"g": "20"}},
}


@pytest.mark.parametrize("name", CLIPS)
def test_a_frame_that_is_sought_is_the_one_of_a_whole_pass(spec, play, tmp_path, name):
    path = write(tmp_path / name, **CLIPS[name])
    whole = play(path, short_side=56).samples
    assert len(whole) == 60
    for number in (0, 1, 7, 19, 20, 21, 38, 41, 58, 59):
        wanted = whole[number]
        found, end = sought(spec, path, wanted.info.position, short_side=56)
        assert isinstance(end, End)
        behind = [one for one in found if one.info.pts >= wanted.info.pts]
        assert [*map(name_of, behind)] == [*map(name_of, whole[number:])]
        before = [*map(name_of, found[1 : 1 + len(found) - len(behind)])]
        assert before == [*map(name_of, whole[max(0, number - len(before)) : number])][::-1]
        assert len(before) <= BEFORE
        assert found[0].info.source_hw == wanted.info.source_hw
        assert np.array_equal(found[0].pixels, wanted.pixels)


def name_of(sample):
    return sample.info.position


def test_those_before_it_come_too_as_far_as_its_key_frame(spec, play, tmp_path):
    """Whoever looks at a frame may have come from the one behind it."""
    path = write(tmp_path / "clip.mp4", options={"g": "30", "bf": "0"})
    whole = play(path, short_side=56).samples
    for number, expected in ((35, 5), (59, BEFORE), (30, 0)):
        found, _ = sought(spec, path, name_of(whole[number]), short_side=56)
        before = whole[number - expected : number][::-1]
        assert [*map(name_of, found[1 : 1 + expected])] == [*map(name_of, before)]
        for one, there in zip(found[1:], before, strict=False):
            assert np.array_equal(one.pixels, there.pixels)


@pytest.mark.parametrize(("degrees", "quarters"), [(0, 0), (90, 1), (180, 2)])
def test_it_is_shown_upright_and_never_larger_than_it_is(spec, tmp_path, degrees, quarters):
    path = write(tmp_path / "clip.mp4", turned=degrees)
    found, _ = sought(spec, path, str(33 * 1024), short_side=1080, patch=2)
    shown = np.rot90(blocks(33), quarters)
    assert found[0].pixels.shape == shown.shape
    assert np.abs(found[0].pixels.astype(int) - shown).mean() < 8


def test_most_of_the_recording_is_not_decoded_for_it(spec, tmp_path):
    path = write(tmp_path / "clip.mp4", 200, options={"g": "20", "bf": "0"})
    steps = []
    for item in Sought(spec(path, at=("5e5510n", "180224", 0)), lambda: 0).items():
        steps.append(item)
        if isinstance(item, Sample):
            break
    assert item.info.position == "180224", "of a clip with 1024 ticks a frame"
    assert len(steps) < 60


def test_a_position_without_a_time_of_its_own_is_counted_to(spec, play, tmp_path):
    path = tmp_path / "twice.mkv"
    pts = [*range(30), *([29] * 3), *range(33, 60)]
    write(path, 60, options={"g": "20", "bf": "0"}, pts=[10 * one for one in range(60)])
    repeated = retimed(path, tmp_path / "repeated.mkv", pts)
    whole = play(repeated).samples
    odd = [one for one in whole if "+" in one.info.position]
    assert odd
    found, _ = sought(spec, repeated, odd[-1].info.position, short_side=56)
    assert found[0].info.position == odd[-1].info.position


def retimed(path, target, times):
    """The same packets with other times."""
    with av.open(str(path)) as source, av.open(str(target), "w") as container:
        stream = container.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(source.demux(video=0)):
            if packet.size:
                packet.pts = packet.dts = times[number] * 100
                packet.stream = stream
                container.mux(packet)
    return target


def test_a_frame_that_is_not_there_is_said_and_not_searched_for_to_the_end(spec, tmp_path):
    path = write(tmp_path / "clip.mp4", 100)
    for position in ("1", "5121", "99999999", "-5", "here", "9" * 99, "1+1"):
        found, end = sought(spec, path, position)
        assert (found, end.outcome) == ([], "rejected")
        assert end.detail == f"frame {position} is not there"


def test_a_scene_is_drawn_from_there(spec, play):
    uri = "synthetic:room?seed=1&seconds=2&fps=10&size=64x48"
    whole = play(uri, short_side=28).samples
    found, _ = sought(spec, uri, "13", short_side=28)
    assert np.array_equal(found[0].pixels, whole[13].pixels)


@pytest.mark.slow
def test_frames_of_real_clips_are_those_of_a_whole_pass(spec, play, clip):
    whole = play(clip, "fps:5").samples
    for wanted in (whole[len(whole) // 2], whole[-1]):
        wished = spec(clip, at=("5e5510n", wanted.info.position, 0), short_side=224)
        items = Sought(wished, lambda: 0).items()
        found = next(item for item in items if isinstance(item, Sample | End))
        assert isinstance(found, Sample)
        assert found.info.position == wanted.info.position
        if min(wanted.info.source_hw) >= 224:
            assert np.array_equal(found.pixels, wanted.pixels)

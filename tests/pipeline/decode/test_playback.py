"""Every real clip: time never goes back, and a frame's identity and pixels do not depend on how it
was reached."""

from __future__ import annotations

import json
import zlib
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from pipeline.decode import playback
from pipeline.errors import SourceError
from pipeline.media.encode import write_clip
from pipeline.stream.chunk import Gap

PICTURES = json.loads(Path(__file__).with_name("pictures.json").read_text())


BOTH = ("keyframes", "all")  # so that each clip is decoded whole once, for all that ask
PINNED = 60  # frames, of full size
CHEAP_FRAMES, CHEAP_PIXELS = 150, 5e7  # of every container and codec there is such a clip


@pytest.fixture(scope="session")
def play_small(play):
    """Pictures of 56 pixels show a wrong frame as well, and cost half as much."""
    return lambda path, *rules, **more: play(path, *rules, short_side=56, **more)


@pytest.mark.slow
def test_event_time_never_goes_back_and_positions_are_unique(play_small, clip: Path) -> None:
    played = play_small(clip, *BOTH)
    times = [sample.info.event_time_us for sample in played.samples]
    assert times == sorted(times)
    positions = [sample.info.position for sample in played.samples]
    assert len(set(positions)) == len(positions) == played.end.decoded > 0
    assert played.end.outcome == "ok", played.end.detail
    assert all(side % 14 == 0 for sample in played.samples for side in sample.pixels.shape[:2])


@pytest.mark.slow
def test_every_ffmpeg_gives_the_same_pictures(play, play_small, clip: Path) -> None:
    """No record's identity names the decoder's version, because none has made a difference. Where
    one does, `pipeline.media.scaler.FILTER_NAME`, which is in every variant, needs another name."""
    times = [sample.info.event_time_us for sample in play_small(clip, *BOTH).samples[:PINNED]]
    span_s = (0.0, (times[-1] - times[0]) / 1e6 + 1.0)  # an AVI's first frame comes a bit later
    keys = json.dumps(play(clip, *BOTH, span_s=span_s).keys[:PINNED]).encode()
    assert f"{zlib.crc32(keys):08x}" == PICTURES[clip.name]


@pytest.mark.slow
def test_samplings_agree_on_the_frames_they_share(play_small, clip: Path) -> None:
    """Key frames alone, where the others are not decoded, are the key frames among all."""
    everything = play_small(clip, *BOTH)
    known = {key[0]: key for key in everything.keys}
    some = play_small(clip, "fps:5", span_s=(0.0, 2.0))
    assert some.keys == [known[sample.info.position] for sample in some.samples]
    assert some.samples[0].info.position == everything.samples[0].info.position
    assert play_small(clip, "keyframes").keys == [
        known[sample.info.position] for sample in everything.samples if sample.taken & 1
    ]


@pytest.mark.slow
def test_a_resume_equals_the_undisturbed_run(play_small, clip: Path) -> None:
    whole = play_small(clip, *BOTH)
    last = len(whole.samples) - 1
    height, width = whole.samples[0].info.source_hw
    cheap = last < CHEAP_FRAMES and last * height * width < CHEAP_PIXELS
    for index in {0, last // 2, max(last - 1, 0), last} if cheap else {last * 3 // 4}:
        cursor = json.loads(json.dumps(whole.cursor(index)))
        rest = play_small(clip, *BOTH, cursor=cursor)
        assert rest.keys == whole.keys[index + 1 :]
        assert rest.end == whole.end


@pytest.mark.slow
def test_a_resume_of_sampled_frames_keeps_the_sampling(play, shared_media: Path) -> None:
    clip = shared_media / "videos" / "RATRACE_wave_f_nm_np1_fr_goo_37.avi"
    rules = ("fps:3", "every:7", "keyframes")
    whole = play(clip, *rules)
    for index in range(len(whole.samples)):
        rest = play(clip, *rules, cursor=whole.cursor(index))
        assert rest.keys == whole.keys[index + 1 :]
        assert [s.taken for s in rest.samples] == [s.taken for s in whole.samples[index + 1 :]]


@pytest.mark.slow
def test_a_resume_in_a_broken_clip_counts_the_same_losses(play_small, broken_clip: Path) -> None:
    whole = play_small(broken_clip)
    for index in range(0, len(whole.samples), 7):
        rest = play_small(broken_clip, cursor=whole.cursor(index))
        assert rest.keys == whole.keys[index + 1 :]
        assert rest.end == whole.end


@pytest.mark.slow
def test_a_changed_file_is_noticed(play, shared_media: Path) -> None:
    cursor = play(shared_media / "videos" / "demo.mp4", span_s=(0.0, 0.5)).cursor(10)
    played = play(shared_media / "videos" / "mmaction2_test.mp4", cursor=cursor)
    assert played.samples == []
    assert played.end.outcome == "rejected"
    assert "has changed" in played.end.detail


@pytest.mark.parametrize(
    ("name", "clock", "first_us"),
    [
        ("bt601.mov", "container", 1707765415000000),
        ("sample.flv", "container", 1464714095000000),
        ("sample.mkv", "container", 1464714095000000),
        ("demo.mp4", "media", 0),
    ],
)
def test_event_time_starts_at_the_containers_word(
    play, shared_media: Path, name: str, clock: str, first_us: int
) -> None:
    info = play(shared_media / "videos" / name, "keyframes").samples[0].info
    assert (info.clock, info.event_time_us) == (clock, first_us)


def test_the_users_start_time_comes_first(play, shared_media: Path) -> None:
    played = play(shared_media / "videos" / "bt601.mov", start_time_us=1_000_000)
    info = played.samples[0].info
    assert (info.clock, info.event_time_us) == ("start-time", 1_000_000)


def test_fps_follows_the_timestamps_where_the_declared_rate_lies(play, shared_media: Path) -> None:
    """FLV and MKV here declare 1000 frames per second; the clip has 30 in 0.97 s."""
    for name in ("sample.flv", "sample.mkv"):
        times = [
            s.info.event_time_us for s in play(shared_media / "videos" / name, "fps:10").samples
        ]
        assert len(times) == 10
        assert all(60_000 < b - a < 140_000 for a, b in pairwise(times))


@pytest.mark.slow
def test_a_scene_is_rendered_and_resumed_exactly(play) -> None:
    uri = "synthetic:room?seed=3&seconds=0.5&fps=10&size=64x48"
    whole = play(uri)
    assert [s.info.position for s in whole.samples] == ["0", "1", "2", "3", "4"]
    assert whole.samples[0].pixels.shape == (224, 294, 3)
    rest = play(uri, cursor=whole.cursor(2))
    assert rest.keys == whole.keys[3:]


@pytest.mark.slow
def test_of_a_span_the_same_frames_are_taken_and_none_is_decoded_behind_it(play) -> None:
    uri = "synthetic:room?seed=3&seconds=1.2&fps=10&size=64x48"
    whole = play(uri, "fps:5")
    part = play(uri, "fps:5", span_s=(0.5, 0.9))
    assert part.keys == whole.keys[3:6]  # 0.6 and 0.8 s, and 1.0 s, the first that reaches 0.9
    assert (part.end.outcome, part.end.decoded, part.end.sampled) == ("ok", 11, 3)
    joined = play(uri, "fps:5", span_s=(0.5, 0.9), join=(uri,))
    assert joined.keys == part.keys
    assert play(uri, "fps:5", span_s=(5.0, 6.0)).keys == []


@pytest.mark.slow
def test_frames_of_scenes_say_that_they_were_rendered_through_a_codec_too(
    play, tmp_path: Path
) -> None:
    uri = "synthetic:room?seed=3&seconds=0.2&fps=10&size=112x84"
    grey = np.full((84, 112, 3), 90, np.uint8)
    write_clip(tmp_path / "named.mp4", [grey] * 2, 10, scene=uri)
    write_clip(tmp_path / "plain.mp4", [grey] * 2, 10)
    for source, rendered in (
        (uri, True),
        (tmp_path / "named.mp4", True),
        (tmp_path / "plain.mp4", False),
    ):
        assert {sample.info.rendered for sample in play(source).samples} == {rendered}
    joined = play(tmp_path / "named.mp4", join=(str(tmp_path / "plain.mp4"),))
    assert [sample.info.rendered for sample in joined.samples] == [True, True, False, False]


@pytest.mark.slow
def test_joined_files_are_one_timeline(play, shared_media: Path) -> None:
    """Time bases 1/14336, 1/1000 and 1/30, sizes that differ, and a resume in each part."""
    videos = shared_media / "videos"
    parts = ["demo.mp4", "sample.mkv", "RATRACE_wave_f_nm_np1_fr_goo_37.avi"]
    first, *others = (str(videos / name) for name in parts)
    more = {"join": tuple(others)}
    whole = play(first, "every:20", **more)
    assert whole.end.decoded == 280 + 30 + 72
    times = [s.info.event_time_us for s in whole.samples]
    assert times == sorted(set(times))
    assert len({s.info.position for s in whole.samples}) == len(whole.samples)
    assert whole.gaps == [Gap("clip", "size"), Gap("clip", "size")]
    for index in range(0, len(whole.samples), 3):
        rest = play(first, "every:20", cursor=whole.cursor(index), **more)
        assert rest.keys == whole.keys[index + 1 :]


def test_a_joined_file_that_cannot_be_read_is_a_fault(play, shared_media: Path) -> None:
    videos, corrupt = shared_media / "videos", shared_media / "corrupt"
    joined = (str(corrupt / "bad_video.mp4"), str(videos / "video_0.mov"))
    played = play(videos / "video_0.mov", join=joined)
    assert played.end.outcome == "degraded"
    assert played.end.decoded == 6
    assert "file 2" in played.faults[0].detail


def test_a_joined_file_that_could_be_had_another_day_leaves_the_rest_to_it(
    play, shared_media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a card does not answer."""
    videos = shared_media / "videos"
    more = {"join": (str(videos / "sample.mkv"),)}
    whole = play(videos / "video_0.mov", **more)

    def away(url: str, **_: object) -> None:
        raise SourceError("no CUDA device answers", retryable=True)

    with monkeypatch.context() as patched:
        usual = playback.open_reel
        patched.setattr(
            playback, "open_reel", lambda url, **own: (away if "mkv" in url else usual)(url, **own)
        )
        some = play(videos / "video_0.mov", **more)
    assert (some.faults, some.end.outcome, some.end.unfinished) == ([], "degraded", True)
    cursor = some.cursor(len(some.samples) - 1)
    assert some.keys + play(videos / "video_0.mov", cursor=cursor, **more).keys == whole.keys


@pytest.mark.slow
def test_the_share_of_a_recording_rises_to_nearly_one(play, shared_media: Path) -> None:
    for source in (shared_media / "videos" / "demo.mp4", "synthetic:room?seconds=0.5&size=64x48"):
        shares = [sample.share for sample in play(source, "fps:10").samples]
        assert shares == sorted(shares)
        assert shares[0] == 0.0
        assert 0.75 < shares[-1] <= 1.0
    assert play(shared_media / "corrupt" / "unordered.mov").samples[-1].share <= 1.0

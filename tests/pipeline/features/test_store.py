"""Features are computed once, are what replay sees, and survive a kill in the middle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from operators.errors import UsageError
from operators.frames import FrameBatch
from pipeline.errors import SourceError
from pipeline.features import store as feature_store
from pipeline.features.clip import Clip
from pipeline.features.recorded import clip_spec
from pipeline.features.store import FeatureStore
from pipeline.fit.scene_actions import scenes_with_actions
from pipeline.media.frame_size import FrameSize
from pipeline.media.still import day_taken, read_still
from pipeline.synthetic.scene import open_scene
from pipeline.synthetic.uri import parse_scene_uri

SIZE = FrameSize(28, 14)


@pytest.mark.slow
def test_the_same_file_is_computed_once_wherever_it_lies(store, small_clip, tmp_path):
    path = small_clip(tmp_path / "a.mp4", "bars")
    first = store.frames(path, fps=5)
    assert store.computed_frames == 10
    copy = tmp_path / "b.mp4"
    copy.write_bytes(path.read_bytes())
    again = store.frames(copy, fps=5)
    assert store.computed_frames == 10
    np.testing.assert_array_equal(first.cls, again.cls)
    np.testing.assert_allclose(first.times_s, np.arange(10) / 5)
    assert first.cls.shape == (10, 4, 192)
    assert first.mean_patch.shape == (10, 192)
    assert (first.source_hw, first.outcome) == ((48, 64), "ok")
    assert first.duration_s == pytest.approx(2.0)
    store.frames(path, fps=10)
    assert store.computed_frames == 30


@pytest.mark.slow
def test_a_file_that_cannot_be_read_is_refused_again_when_it_is_asked_for_again(store, tmp_path):
    path = tmp_path / "a.mp4"
    path.write_text("no video")
    kept = []
    for _ in range(2):
        with pytest.raises(SourceError, match=r"a\.mp4") as refused:
            store.frames(path, fps=5)
        kept.append(refused)  # and with it the reading that it ended
    assert str(kept[0].value) == str(kept[1].value)


@pytest.mark.slow
def test_it_holds_what_the_backbone_says_of_replays_frames(
    store, small_clip, tmp_path, tiny_backbone
):
    path = small_clip(tmp_path / "a.mp4", "rows")
    wanted = Clip(path, 5)
    pixels, infos = [], []
    footage = feature_store.Footage()
    for entry in footage.entries(clip_spec(wanted, store.folder.size)):
        if isinstance(entry, feature_store.Frames):
            pixels.append(entry.pixels)
            infos += entry.infos
    footage.close()
    features = tiny_backbone(FrameBatch(tuple(infos[:8]), np.concatenate(pixels)[:8]))
    stored = store.frames(path, fps=5, patches=True)
    np.testing.assert_allclose(stored.cls[:8, -1], features.cls, atol=1e-6)
    np.testing.assert_allclose(stored.cls[:8, 0], features.normed(8)[1], atol=1e-6)
    mean = features.patches.flatten(1, 2).mean(1)
    np.testing.assert_allclose(stored.mean_patch[:8], mean, atol=1e-6)
    np.testing.assert_allclose(stored.patches[:8], features.patches, atol=5e-3)  # kept as float16


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_was(store, small_clip, tmp_path, tiny_backbone, monkeypatch):
    monkeypatch.setattr(feature_store, "_PART_FRAMES", 4)
    path = small_clip(tmp_path / "a.mp4", "bars", frames=100)
    wanted = Clip(path, 10)
    steps = store.compute(wanted)
    for _ in range(3):
        next(steps)
    store.close()  # as a kill would: two parts lie in the folder, the third is lost
    whole = FeatureStore(tmp_path / "whole", tiny_backbone, short_side=28)
    want = whole.frames(path, fps=10)
    second = FeatureStore(tmp_path / "features", tiny_backbone, short_side=28)
    got = second.frames(path, fps=10)
    second.close()
    whole.close()
    assert second.computed_frames < len(want) == 100
    np.testing.assert_array_equal(got.cls, want.cls)
    np.testing.assert_array_equal(got.times_us, want.times_us)
    assert got.duration_s == want.duration_s


@pytest.mark.slow
def test_a_span_and_what_lies_beyond_the_end(store, small_clip, tmp_path):
    path = small_clip(tmp_path / "a.mp4", "bars", frames=100).rename(tmp_path / "caf\udce9.mp4")
    span = store.frames(path, fps=5, start_s=1.0, end_s=1.5)
    np.testing.assert_allclose(span.times_s, [1.0, 1.2, 1.4])
    assert store.computed_frames == 3
    with pytest.raises(SourceError, match=r"no frame from 60.* it is|decoded is 10\.0 s long"):
        store.frames(path, fps=5, start_s=60.0, end_s=61.0)


@pytest.mark.slow
def test_a_damaged_cache_file_is_computed_again(store, small_clip, tmp_path):
    path = small_clip(tmp_path / "a.mp4", "bars")
    first = store.frames(path, fps=5)
    (kept,) = (tmp_path / "features").rglob("*.safetensors")
    kept.write_bytes(kept.read_bytes()[:-100])
    np.testing.assert_array_equal(store.frames(path, fps=5).cls, first.cls)
    assert store.computed_frames == 20


@pytest.mark.slow
def test_what_is_no_video_is_named(store, tmp_path):
    path = tmp_path / "notes.mp4"
    path.write_text("no video")
    with pytest.raises(SourceError, match=r"notes\.mp4"):
        store.frames(path, fps=5)


def test_pictures_are_upright_and_scaled_like_frames(store, small_picture, tmp_path):
    path = small_picture(tmp_path / "a.png", "bars")
    still = read_still(path, SIZE)
    assert still.pixels.shape == (28, 42, 3)
    turned = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: to be shown a quarter turn to the right
    exif[0x0132] = "2026:11:22 10:00:00"
    Image.open(path).save(turned, exif=exif)
    assert read_still(turned, SIZE).pixels.shape == (42, 28, 3)
    assert (day_taken(turned), day_taken(path)) == ("2026-11-22", None)
    features = store.image(path, patches=True)
    assert features.cls.shape == (1, 4, 192)
    assert features.raw_patches.shape == (1, 2, 3, 192)
    store.image(path, patches=True)
    assert store.computed_frames == 1
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(turned.read_bytes()[:200])
    with pytest.raises(SourceError, match=r"bad\.jpg"):
        store.compute_images([Path(path), bad])


@pytest.mark.slow
def test_scenes_are_rendered_here_and_known_by_their_uris(store):
    scenes = scenes_with_actions("room", range(2), SIZE, fps=5, seconds=1.0)
    for scene in scenes:
        assert scene.spans[0].label == open_scene(parse_scene_uri(scene.name)).action
    first, second = (store.frames(Path(scene.name), fps=5) for scene in scenes)
    assert store.computed_frames == len(first) + len(second) == 10
    assert not np.array_equal(first.cls, second.cls)
    store.frames(Path(scenes[0].name), fps=5)
    assert store.computed_frames == 10
    with pytest.raises(UsageError, match=r"--fps says 2\.5"):
        scenes_with_actions("room", range(2), SIZE, fps=2.5, seconds=1.0)

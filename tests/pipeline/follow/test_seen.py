"""Recordings whose pictures change their size, and frames that are lost before a span's end."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from operators.errors import UsageError
from pipeline.errors import SourceError
from pipeline.features.clip import Clip
from pipeline.features.store import FeatureStore
from pipeline.features.stored import Part
from pipeline.follow.seen import SeenClip
from pipeline.follow.shown import pictures

pytestmark = pytest.mark.slow

FPS, SECONDS = 10, 2


def stretch(path: Path, size_hw: tuple[int, int], seconds: int = SECONDS) -> bytes:
    """A transport stream of noise, keyframes twice a second."""
    noise = np.random.default_rng(0)
    height, width = size_hw
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", FPS, width=width, height=height)
        stream.pix_fmt = "yuv420p"
        stream.codec_context.options = {"g": "5", "sc_threshold": "0", "threads": "1", "bf": "0"}
        for _ in range(seconds * FPS):
            pixels = noise.integers(0, 255, (height, width, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        container.mux(stream.encode(None))
    return path.read_bytes()


@pytest.fixture(scope="module")
def changing(tmp_path_factory):
    """`changing(hw, hw)`: a recording of both sizes, two seconds each."""
    folder = tmp_path_factory.mktemp("changing")

    def of(*sizes):
        path = folder / ("-".join(f"{w}x{h}" for h, w in sizes) + ".ts")
        if not path.exists():
            path.write_bytes(b"".join(stretch(folder / "part.ts", hw) for hw in sizes))
        return path

    return of


def seen(store: FeatureStore, backbone, clip: Clip) -> SeenClip:
    list(store.compute(clip))
    return SeenClip(store, clip, backbone)


def test_pictures_that_change_their_size_are_refused_with_both(
    changing, store, tiny_backbone
) -> None:
    """Where it lies in what is followed; a click is in pixels of one of them."""
    path = changing((56, 84), (112, 168))

    def of(first_s, last_s):
        return seen(store, tiny_backbone, Clip(path, 5.0, first_s, last_s, patches=True))

    said = r"84x56\.ts|84x56-168x112\.ts: its picture changes from 84x56 to 168x112 at 2\.0 s"
    with pytest.raises(UsageError, match=said):
        of(1.5, 2.5)
    before, behind = of(0.0, 1.7), of(2.0, None)
    assert (before.source_hw, len(before)) == ((56, 84), 9)
    assert (behind.source_hw, len(behind)) == ((112, 168), 10)


def test_patches_of_another_number_are_refused(changing, store, tiny_backbone) -> None:
    path = changing((56, 84), (112, 56))
    assert len(seen(store, tiny_backbone, Clip(path, 5.0, 0.0, 1.7, patches=True))) == 9
    assert len(store.frames(path, fps=5.0).times_s) == 20, "without patches nobody minds"
    with pytest.raises(SourceError, match=r"becomes one of 56x112, .* 2\.0 s behind its beginning"):
        seen(store, tiny_backbone, Clip(path, 5.0, patches=True))


def test_features_of_an_older_release_do_not_say_it_and_pictures_do(
    changing, store, tiny_backbone
) -> None:
    clip = Clip(changing((56, 84), (112, 168)), 5.0, patches=True)
    list(store.compute(clip))
    for path in store.token_files(clip):
        part = Part.read(path)
        Part(part.arrays, {k: v for k, v in part.facts.items() if k != "sizes"}).write(path)
    known = SeenClip(store, clip, tiny_backbone)
    with pytest.raises(UsageError, match=r"changes from .* to .*, and masks are of one size"):
        list(pictures(clip, known.source_hw, known.times_us))


@pytest.mark.parametrize(("last_s", "is_lost"), [(3.0, True), (0.5, False)])
def test_frames_that_are_lost_up_to_the_end_of_a_span_are_told(
    tmp_path, store, tiny_backbone, last_s, is_lost
) -> None:
    """And none behind it, however far the decoder was ahead."""
    data = bytearray(stretch(tmp_path / "clean.ts", (56, 84), seconds=6))
    for place in range(len(data) // 5, len(data) // 3, 997):
        data[place] ^= 0x41
    (tmp_path / "broken.ts").write_bytes(data)
    clip = Clip(tmp_path / "broken.ts", 5.0, 0.0, last_s, patches=True)
    trouble = seen(store, tiny_backbone, clip).trouble
    assert bool(trouble) == is_lost
    assert not is_lost or trouble.endswith("frames lost")

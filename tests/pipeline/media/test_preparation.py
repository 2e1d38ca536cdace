"""Interlaced pictures do not comb, and what a container hides is not shown."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.media.aperture import Aperture, aperture_of
from pipeline.media.filters import Filters
from pipeline.media.frame_size import FrameSize
from pipeline.media.picture import Picture
from pipeline.media.scaler import Scaler


@pytest.fixture
def scaled(clips) -> Callable[[Path], list[tuple[Picture, NDArray[np.uint8]]]]:
    """A file's pictures, as they are decoded and at the model's size."""
    return lambda path: [(one, Scaler(FrameSize(224, 14))(one)) for one in clips.pictures(path)]


def test_interlaced_footage_does_not_comb(scaled, shared_media: Path) -> None:
    """A white box that moves: its edge stands at the same place in all rows."""
    pictures = scaled(shared_media / "reports" / "inter.ts")
    assert len(pictures) == 20
    for picture, pixels in pictures:
        assert picture.source_hw == (288, 352)
        assert picture.preparation == "top field"
        white = pixels[..., 1] > 127
        rows = white[white.any(axis=1)]
        if len(rows) > 8:
            edges = rows[2:-2].argmax(axis=1)
            assert np.ptp(edges) <= 1


def test_a_frame_may_say_it_where_its_stream_does_not(clips, tmp_path: Path) -> None:
    """MPEG-2 in MP4: the container knows of no fields. A box that moves to the right."""
    frames = []
    for number in range(6):
        rgb = np.zeros((96, 128, 3), np.uint8)
        rgb[0::2, 8 * number : 8 * number + 40] = rgb[1::2, 8 * number + 12 : 8 * number + 52] = 255
        frames.append(clips.rgb(rgb, "yuv420p"))
    fields = {"flags": "+ildct+ilme", "qscale": "1"}
    path = clips.write(tmp_path / "a.mp4", frames, codec="mpeg2video", options=fields)
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.field_order == 0
    assert {one.preparation for one in clips.pictures(path)} == {"top field"}
    assert {one.source_hw for one in clips.pictures(path)} == {(96, 128)}
    for one in clips.pictures(path):
        edges = (Scaler(FrameSize(96, 16))(one)[..., 1] > 127)[16:80].argmax(axis=1)
        assert np.ptp(edges) <= 1
    (first, *_) = stored = list(clips.pictures(path, deinterlace=False))
    assert {one.preparation for one in stored} == {""}
    assert np.ptp(first.frame.to_ndarray(format="gray")[16:80, :60].argmin(axis=1)) > 4


def test_pictures_stay_as_they_are_where_that_is_wanted(clips, shared_media: Path) -> None:
    inter = shared_media / "reports" / "inter.ts"
    assert {one.preparation for one in clips.pictures(inter, deinterlace=False)} == {""}


def test_what_a_container_hides_is_not_shown(scaled, shared_media: Path) -> None:
    """64 of 96 rows: red on the left, blue on the right, nothing else."""
    for picture, pixels in scaled(shared_media / "reports" / "clap.mp4"):
        assert picture.source_hw == (64, 128)
        assert picture.preparation == "128x64+0+32"
        assert pixels.shape == (224, 448, 3)
        assert (pixels[:, :200].argmax(axis=2) == 0).all()
        assert (pixels[:, 248:].argmax(axis=2) == 2).all()


def test_other_footage_is_taken_as_it_is(scaled, shared_media: Path) -> None:
    for name in ("bt601.mov", "sample_h262_mpeg_audio.ts"):
        found = scaled(shared_media / "videos" / name)
        assert {picture.preparation for picture, _ in found} == {""}


def box(kind: bytes, *parts: bytes) -> bytes:
    data = b"".join(parts)
    return struct.pack(">I4s", 8 + len(data), kind) + data


def movie(path: Path, *clap: int, wide: bool = False) -> Path:
    entry = bytes(24) + struct.pack(">HH", 128, 96) + bytes(50)
    entry += box(b"clap", struct.pack(">8i", *clap))
    table = box(b"stsd", bytes(4), struct.pack(">I", 1), box(b"avc1", entry))
    media = box(b"mdia", box(b"minf", box(b"stbl", table)))
    head = box(b"tkhd", bytes(12), struct.pack(">I", 7))
    moov = box(b"moov", box(b"trak", head, media))
    filler = box(b"free", bytes(99))
    if wide:
        filler = struct.pack(">I4sQ", 1, b"mdat", 16 + 50) + bytes(50)
    path.write_bytes(box(b"ftyp", b"isom") + filler + moov)
    return path


def aperture(path: Path, track: int) -> Aperture | None:
    with path.open("rb") as file:
        return aperture_of(file, track)


@pytest.mark.parametrize(
    ("clap", "found"),
    [
        ((128, 1, 64, 1, 0, 1, 16, 1), Aperture(128, 64, 0, 32)),
        ((200, 2, 96, 1, -28, 2, 0, 1), Aperture(100, 96, 0, 0)),
        ((128, 1, 96, 1, 0, 1, 0, 1), None),  # all of it
        ((128, 1, 64, 1, 0, 1, 40, 1), None),  # beyond the picture
        ((128, 0, 64, 1, 0, 1, 0, 1), None),
        ((0, 1, 64, 1, 0, 1, 0, 1), None),
    ],
)
def test_clean_apertures(tmp_path: Path, clap: tuple[int, ...], found: Aperture | None) -> None:
    assert aperture(movie(tmp_path / "a.mp4", *clap), 7) == found
    assert aperture(movie(tmp_path / "b.mp4", *clap, wide=True), 7) == found
    assert aperture(tmp_path / "a.mp4", 8) is None


@pytest.mark.slow
def test_a_file_that_is_cut_off_anywhere_has_none(tmp_path: Path) -> None:
    data = movie(tmp_path / "a.mp4", 128, 1, 64, 1, 0, 1, 16, 1).read_bytes()
    cut = tmp_path / "cut.mp4"
    for length in range(len(data)):
        cut.write_bytes(data[:length])
        assert aperture(cut, 7) in (None, Aperture(128, 64, 0, 32))


@pytest.mark.parametrize(
    ("planar", "interleaved"), [("yuv420p", "nv12"), ("yuv420p10le", "p010le")]
)
def test_a_cards_frames_keep_their_colours_behind_an_odd_edge(
    planar: str, interleaved: str
) -> None:
    random = np.random.default_rng(0)
    top, kind = (1 << 10, np.uint16) if "10" in planar else (1 << 8, np.uint8)
    usual = av.VideoFrame.from_ndarray(random.integers(0, top, (96, 64), kind), format=planar)
    chain = [("crop", "40:32:9:0:exact=1")]
    theirs = Filters()(usual.reformat(format=interleaved), chain)
    assert np.array_equal(theirs.to_ndarray(), Filters()(usual, chain).to_ndarray())

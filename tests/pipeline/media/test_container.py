"""What may be opened, and that nothing else is touched on the way."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.errors import SourceError
from pipeline.media.container import open_video


def refusal(path: Path | str, max_pixels: int = 1 << 24) -> str:
    with pytest.raises(SourceError) as caught:
        open_video(str(path), max_pixels=max_pixels, timeout_s=2)
    return str(caught.value)


@pytest.fixture
def segment(clips, tmp_path: Path) -> Path:
    return clips.write(tmp_path / "a.ts", [clips.colour((64, 64), (120, 90, 170))] * 5)


def playlist(*lines: str) -> str:
    return "\n".join(["#EXTM3U", "#EXT-X-TARGETDURATION:1", *lines, "#EXT-X-ENDLIST", ""])


@pytest.mark.parametrize("name", ["list.m3u8", "list.mp4", "list.ts", "list"])
@pytest.mark.parametrize("target", ["a.ts", "file://{}", "/{}", "concat:{}|{}"])
def test_a_playlist_is_no_file(segment: Path, name: str, target: str) -> None:
    listed = segment.with_name(name)
    listed.write_text(playlist("#EXTINF:1,", target.format(segment, segment)))
    why = "a list of other files (hls)" if name == "list.m3u8" else "cannot be opened"
    assert why in refusal(listed)


def test_a_playlist_of_playlists_is_no_file(segment: Path) -> None:
    inner = segment.with_name("inner.conf")
    inner.write_text(playlist("#EXTINF:1,", "a.ts"))
    outer = segment.with_name("outer.m3u8")
    outer.write_text("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\ninner.conf\n")
    assert "list of other files (hls)" in refusal(outer)


@pytest.mark.parametrize("name", ["list.ffconcat", "list.mp4", "list.txt"])
def test_ffconcat_is_refused(segment: Path, name: str) -> None:
    listed = segment.with_name(name)
    listed.write_text("ffconcat version 1.0\nfile a.ts\n")
    assert "list of other files (concat)" in refusal(listed)


def test_dash_is_refused(segment: Path) -> None:
    listed = segment.with_name("list.mpd")
    listed.write_text(
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period>'
        '<AdaptationSet contentType="video"><Representation id="1" bandwidth="1"><BaseURL>a.ts'
        "</BaseURL></Representation></AdaptationSet></Period></MPD>"
    )
    refusal(listed)


def test_numbered_pictures_are_refused(clips, tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"img{number}.png").write_bytes(PNG)
    assert "(image2)" in refusal(tmp_path / "img%d.png")
    assert "no video (png_pipe)" in refusal(tmp_path / "img1.png")


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c63f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)


def test_a_session_description_is_refused(tmp_path: Path) -> None:
    described = tmp_path / "camera.sdp"
    described.write_text(
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
        "m=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n"
    )
    assert "a list of other files (sdp)" in refusal(described)


def test_text_is_no_video(tmp_path: Path) -> None:
    text = tmp_path / "film.mp4"
    text.write_text("once upon a time\n" * 1000)
    assert "cannot be opened" in refusal(text)
    text.write_bytes(b"")
    assert "cannot be opened" in refusal(text)


def test_sound_alone_is_no_video(shared_media: Path) -> None:
    path = shared_media / "corrupt" / "sample_audio_only.mp4"
    assert refusal(path) == "holds no video, only audio"


def test_the_extension_means_nothing(clips, shared_media: Path, tmp_path: Path) -> None:
    for name in ("film.jpg", "film.m3u8", "film", "rtsp:film.mp4", "concat:a|b.mp4", "50%d.mp4"):
        shutil.copy(shared_media / "videos" / "video_0.mov", tmp_path / name)
        assert len(clips.pictures(tmp_path / name)) == 3


def test_a_size_above_the_limit_is_refused_before_decoding(shared_media: Path) -> None:
    path = shared_media / "corrupt" / "invalid_vp9_bitstream-bug_1416.webm"
    assert "pictures of 12336x12336 exceed max_pixels (16777216)" in refusal(path)
    assert "exceed max_pixels (1000)" in refusal(shared_media / "videos" / "demo.mp4", 1000)


def test_a_size_that_grows_above_the_limit_is_refused(clips, tmp_path: Path) -> None:
    path = pasted(clips, tmp_path, (64, 64), (256, 256))
    with pytest.raises(SourceError, match="exceed max_pixels"):
        list(clips.items(path, max_pixels=100 * 100))
    assert len(clips.pictures(path, max_pixels=256 * 256)) > 5


def pasted(clips, folder: Path, *sizes: tuple[int, int]) -> Path:
    """Transport streams of several sizes one after the other, as cameras and broadcasters do."""
    path = folder / "pasted.ts"
    with path.open("wb") as out:
        for number, size in enumerate(sizes):
            frames = [clips.colour(size, (60 + 40 * number, 90, 170))] * 5
            out.write(clips.write(folder / f"part{number}.ts", frames).read_bytes())
    return path


def test_several_video_streams_the_default_one(clips, shared_media: Path) -> None:
    """The clip has 320x180 and 480x270; the larger is marked as the default."""
    path = str(shared_media / "videos" / "nasa_13013.mp4")
    opened = open_video(path, max_pixels=1 << 24, timeout_s=1)
    sizes = [(s.width, s.height, int(s.disposition) & 1) for s in opened.container.streams.video]
    assert (opened.stream.width, opened.stream.height) == (480, 270), sizes
    opened.container.close()


def test_names_that_are_not_utf8(clips, shared_media: Path) -> None:
    for name in ("video_desks.3gp", "hmdb51_Turnk_r_Pippi_Michel_cartwheel_f_cm_np2_le_med_6.avi"):
        assert clips.pictures(shared_media / "videos" / name, keyframes=True)


def test_no_such_file(tmp_path: Path) -> None:
    assert refusal(tmp_path / "absent.mp4") == "cannot be opened: No such file or directory"


def test_passwords_are_in_no_error_and_no_context() -> None:
    with pytest.raises(SourceError) as caught:
        open_video("rtsp://admin:c4n4ry@127.0.0.1:9/cam", max_pixels=1 << 24, timeout_s=1)
    error: BaseException | None = caught.value
    assert isinstance(error, SourceError)
    assert error.retryable
    while error is not None:
        assert "c4n4ry" not in f"{error!r} {error.args} {vars(error)}"
        error = error.__cause__ or error.__context__

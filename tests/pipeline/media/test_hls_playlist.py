"""What playlists say, and what of it can be played."""

from __future__ import annotations

import pytest

from pipeline.errors import SourceError
from pipeline.media.hls_playlist import Key, Playlist, Resource, Variant, best, choose, parse

URL = "http://cam/live/list.m3u8?token=1"


def media(*lines: str) -> Playlist:
    playlist = parse("\n".join(["#EXTM3U", *lines]), URL)
    assert isinstance(playlist, Playlist)
    return playlist


def master(*lines: str) -> tuple[Variant, ...]:
    variants = parse("\n".join(["#EXTM3U", *lines]), URL)
    assert not isinstance(variants, Playlist)
    return variants


def refusal(*lines: str) -> str:
    with pytest.raises(SourceError) as caught:
        parse("\n".join(lines), URL)
    return str(caught.value)


def test_segments_their_numbers_lengths_and_addresses() -> None:
    playlist = media(
        "#EXT-X-TARGETDURATION:6", "#EXT-X-MEDIA-SEQUENCE:7", "#EXTINF:5.96,a title, with commas",
        "a.ts", "#EXT-X-WHATEVER:1", "# a comment", "", "#EXTINF:6", "/b.ts?x=1",
    )  # fmt: skip
    first, second = playlist.segments
    assert (first.number, first.seconds, second.number, second.seconds) == (7, 5.96, 8, 6.0)
    assert first.body.resource == Resource("http://cam/live/a.ts")
    assert second.body.resource == Resource("http://cam/b.ts?x=1")
    assert (second.name, playlist.target_s, playlist.ended) == ("b.ts", 6.0, False)
    assert playlist.seconds == pytest.approx(11.96)
    assert media("#EXT-X-ENDLIST").ended


def test_addresses_as_muxers_write_them() -> None:
    """ffmpeg writes a file's name as it is; others quote it."""
    segments = media(
        "Kamera 1 (süd).ts", "Kamera%201%20(s%C3%BCd).ts?von=10 Uhr&t=a%2Fb", "a[1]+b~,;=@:$.ts",
    ).segments  # fmt: skip
    assert [segment.body.resource.url for segment in segments] == [
        "http://cam/live/Kamera%201%20(s%C3%BCd).ts",
        "http://cam/live/Kamera%201%20(s%C3%BCd).ts?von=10%20Uhr&t=a%2Fb",
        "http://cam/live/a[1]+b~,;=@:$.ts",
    ]
    (keyed,) = media(
        '#EXT-X-KEY:METHOD=AES-128,URI="a key"', '#EXT-X-MAP:URI="the head.mp4"', "1.m4s"
    ).segments
    assert keyed.body.key is not None
    assert keyed.head is not None
    assert keyed.body.key.url == "http://cam/live/a%20key"
    assert keyed.head.resource.url == "http://cam/live/the%20head.mp4"
    (variant,) = master("#EXT-X-STREAM-INF:BANDWIDTH=1", "à la carte.m3u8")
    assert variant.url == "http://cam/live/%C3%A0%20la%20carte.m3u8"


def test_tags_that_hold_for_one_segment() -> None:
    first, second, third = media(
        "a.ts", "#EXT-X-DISCONTINUITY", "#EXT-X-GAP", "b.ts", "c.ts"
    ).segments  # fmt: skip
    assert (first.restarts, second.restarts, third.restarts) == (False, True, False)
    assert (first.missing, second.missing, third.missing) == (False, True, False)


def test_parts_of_one_file() -> None:
    ranges = media(
        "#EXT-X-BYTERANGE:100@50", "a.ts", "#EXT-X-BYTERANGE:25", "a.ts", "b.ts"
    ).segments  # fmt: skip
    assert [s.body.resource for s in ranges] == [
        Resource("http://cam/live/a.ts", 50, 150),
        Resource("http://cam/live/a.ts", 150, 175),
        Resource("http://cam/live/b.ts"),
    ]


def test_what_fragmented_mp4_needs_first() -> None:
    first, second, third = media(
        "0.ts", '#EXT-X-MAP:URI="init.mp4",BYTERANGE="616@0"', "1.m4s", "2.m4s"
    ).segments
    assert first.head is None
    assert second.head is not None
    assert second.head.resource == Resource("http://cam/live/init.mp4", 0, 616)
    assert third.head == second.head


def test_keys_with_and_without_a_vector() -> None:
    plain, numbered, given, open_again = media(
        "#EXT-X-MEDIA-SEQUENCE:300", "a", '#EXT-X-KEY:METHOD=AES-128,URI="k?a=1,2"', "b",
        '#EXT-X-KEY:METHOD=AES-128,URI="k2",IV=0X0102,KEYFORMAT="identity"', "c",
        "#EXT-X-KEY:METHOD=NONE", "d",
    ).segments  # fmt: skip
    assert plain.body.key is open_again.body.key is None
    assert numbered.body.key == Key("http://cam/live/k?a=1,2", (301).to_bytes(16, "big"))
    assert given.body.key == Key("http://cam/live/k2", (0x0102).to_bytes(16, "big"))


def test_when_segments_were_recorded() -> None:
    first, second, third = media(
        "#EXTINF:1", "a", "#EXT-X-PROGRAM-DATE-TIME:2026-11-29T02:00:00.500+02:00", "#EXTINF:1.5",
        "b", "c",
    ).segments  # fmt: skip
    assert first.start_us is None
    assert second.start_us == 1_795_910_400_500_000
    assert third.start_us == second.start_us + 1_500_000


def test_variants() -> None:
    variants = master(
        '#EXT-X-STREAM-INF:BANDWIDTH=64000,CODECS="mp4a.40.2"', "audio.m3u8",
        '#EXT-X-STREAM-INF:BANDWIDTH=900000,RESOLUTION=640x360,CODECS="avc1.4d401f,mp4a.40.2"',
        "# between", "../360.m3u8", "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI=i.m3u8",
    )  # fmt: skip
    assert variants == (
        Variant("http://cam/live/audio.m3u8", 64000, 0, video=False),
        Variant("http://cam/360.m3u8", 900000, 360, video=True),
    )


@pytest.mark.parametrize(
    ("short_side", "chosen"), [(48, 48), (49, 96), (112, 192), (192, 192), (224, 192)]
)
def test_the_smallest_variant_that_needs_no_enlarging(short_side: int, chosen: int) -> None:
    variants = [Variant(str(size), size, size, video=True) for size in (96, 192, 48)]
    assert choose(variants, short_side).short_side == chosen


def test_without_sizes_bandwidth_decides_and_sound_is_no_choice() -> None:
    unsized = [Variant("a", 1, 0, video=True), Variant("b", 2, 0, video=True)]
    sound = Variant("c", 9, 0, video=False)
    assert choose([*unsized, sound], 224).url == best([sound, *unsized]).url == "b"
    twice = [Variant("low", 1, 360, video=True), Variant("high", 2, 360, video=True)]
    assert choose(twice, 224).url == "high"
    assert choose([sound], 224) == sound


def test_what_cannot_be_played() -> None:
    assert "#EXTM3U" in refusal("<html>")
    assert "names none" in refusal("#EXTM3U", "#EXT-X-STREAM-INF:BANDWIDTH=1")
    assert "SAMPLE-AES" in refusal("#EXTM3U", '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="k"', "a")
    drm = '#EXT-X-KEY:METHOD=AES-128,URI="skd://k",KEYFORMAT="com.apple.streamingkeydelivery"'
    assert "com.apple.streamingkeydelivery" in refusal("#EXTM3U", drm, "a")
    for broken in (
        "#EXTINF:x",
        "#EXT-X-MEDIA-SEQUENCE:",
        "#EXT-X-MAP:A=1",
        "#EXT-X-KEY:METHOD=AES-128",
    ):
        assert "cannot be read" in refusal("#EXTM3U", broken, "a")


@pytest.mark.parametrize("seconds", ["nan", "inf", "-inf", "-1", "1e9", "1e999", ""])
@pytest.mark.parametrize("tag", ["#EXTINF", "#EXT-X-TARGETDURATION"])
def test_lengths_of_no_world(tag: str, seconds: str) -> None:
    assert "cannot be read" in refusal("#EXTM3U", f"{tag}:{seconds}", "a.ts")


@pytest.mark.parametrize("seconds", ["0", "0.04", "86400"])
def test_lengths_of_this_world(seconds: str) -> None:
    playlist = media(f"#EXT-X-TARGETDURATION:{seconds}", f"#EXTINF:{seconds},", "a.ts")
    assert playlist.target_s == playlist.segments[0].seconds == float(seconds)

"""What decodes a stream. Without a driver the refusal is real; a card stands in as the one function
that opens a context there."""

import logging
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import av
import pytest

from pipeline.errors import SourceError
from pipeline.media import card
from pipeline.media.frame_size import FrameSize
from pipeline.media.picture import Picture
from pipeline.media.scaler import Scaler

TROUBLE = card.card_trouble()
no_card = pytest.mark.skipif(not TROUBLE, reason="shows a machine without a GPU that decodes")


can_be_asked = pytest.mark.skipif(
    av.__version__ < "19", reason="what this PyAV does not tell keeps all of it on the CPU"
)


@pytest.fixture
def film(shared_media: Path) -> Path:
    """H.264 with reordered frames, which only its container says, and colours that it tags."""
    return shared_media / "videos" / "bt601.mov"


class SoftwareCard:
    """A context of the same kind, made from nothing as the card's is, that decodes in software."""

    is_hwaccel = True

    def __init__(self, codec: str) -> None:
        self.__dict__["own"] = av.CodecContext.create(codec, "r")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.own, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.own, name, value)


@pytest.fixture
def software_card(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(card, "_opened", SoftwareCard)
    return


def shown(pictures: list[Picture]) -> list[tuple[Any, ...]]:
    scale = Scaler(FrameSize(56, 14))
    return [(one.pts, one.duration, one.keyframe, scale(one).tobytes()) for one in pictures]


@no_card
def test_without_a_card_cuda_is_refused_with_what_to_do(clips, film: Path) -> None:
    with pytest.raises(SourceError, match=r"^decode: cuda: .+; give decode: auto or cpu$"):
        clips.pictures(film, device="cuda")


@can_be_asked
@no_card
def test_a_card_that_does_not_answer_may_another_time(clips, film: Path) -> None:
    with pytest.raises(SourceError, match="no CUDA device answers") as caught:
        clips.pictures(film, device="cuda")
    assert caught.value.retryable


@no_card
def test_without_a_card_auto_decodes_on_the_cpu_and_says_why(
    clips, film: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        automatic = clips.pictures(film, device="auto")
    assert shown(automatic) == shown(clips.pictures(film))
    assert {one.preparation for one in automatic} == {""}
    (line,) = caplog.messages
    assert line == f"decode: auto: the CPU decodes: {TROUBLE}"


@can_be_asked
@pytest.mark.usefixtures("software_card")
def test_what_cards_do_not_decode_is_named_with_what_they_do(
    clips, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    planes = clips.colour((64, 64), (90, 100, 110), "yuv444p")
    path = clips.write(tmp_path / "444.mp4", [planes] * 2)
    with pytest.raises(
        SourceError, match=r"h264 in yuv444p is not what GPUs decode here \(h264 in"
    ):
        clips.pictures(path, device="cuda")
    assert {one.preparation for one in clips.pictures(path, device="auto")} == {""}
    assert "the CPU decodes: h264 in yuv444p" in caplog.text


@can_be_asked
@pytest.mark.usefixtures("software_card")
@pytest.mark.parametrize(("size_hw", "is_taken"), [((16, 48), True), ((16, 46), False)])
def test_sizes_that_cards_do_not_decode_stay_with_the_cpu(
    clips, tmp_path: Path, size_hw: tuple[int, int], *, is_taken: bool
) -> None:
    path = clips.write(tmp_path / "small.mp4", [clips.colour(size_hw, (90, 100, 110))] * 2)
    preparations = {one.preparation for one in clips.pictures(path, device="auto")}
    assert preparations == ({"cuda"} if is_taken else {""})
    if not is_taken:
        with pytest.raises(SourceError, match=r"h264 of 46x16 .* \(48x16 to 4096x4096\)"):
            clips.pictures(path, device="cuda")


@can_be_asked
@pytest.mark.parametrize(
    ("codec", "width", "height", "is_refused"),
    [
        ("h264", 4096, 4096, False),
        ("h264", 4098, 2160, True),
        ("h264", 2160, 4098, True),
        ("hevc", 144, 144, False),
        ("hevc", 192, 142, True),
        ("hevc", 7680, 4320, False),
    ],
)
def test_sizes_are_those_of_all_cards_of_these_years(
    codec: str, width: int, height: int, *, is_refused: bool
) -> None:
    context = av.CodecContext.create(codec, "r")
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    with pytest.raises(card._NoCardError) if is_refused else nullcontext():
        card._check(context)


@can_be_asked
@pytest.mark.usefixtures("software_card")
def test_pictures_that_a_container_turns_stay_with_the_cpu(clips, shared_media: Path) -> None:
    path = shared_media / "videos" / "video_90.mov"
    with pytest.raises(SourceError, match="its container turns the pictures") as caught:
        clips.pictures(path, device="cuda")
    assert not caught.value.retryable


@can_be_asked
@pytest.mark.usefixtures("software_card")
def test_a_cards_pictures_are_all_there_in_order_and_of_another_identity(clips, film: Path) -> None:
    own, theirs = clips.pictures(film), clips.pictures(film, device="cuda")
    assert shown(theirs) == shown(own)
    assert {one.preparation for one in theirs} == {"cuda"}
    assert {one.preparation for one in own} == {""}


@can_be_asked
@pytest.mark.usefixtures("software_card")
def test_a_card_that_fails_in_the_middle_ends_the_reading(
    clips, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(self: SoftwareCard, packet: object) -> list[av.VideoFrame]:
        raise av.error.ExternalError(-1, "generic error in an external library")

    monkeypatch.setattr(SoftwareCard, "decode", gone, raising=False)
    with pytest.raises(SourceError, match="the GPU decodes no more: generic error") as caught:
        clips.pictures(film, device="cuda")
    assert caught.value.retryable

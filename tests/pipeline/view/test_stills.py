"""Which picture of a frame is shown, and that what a job hides is not shown another way."""

from __future__ import annotations

import pytest

from pipeline.view.pictures import NoPicture
from pipeline.view.series import Axis
from pipeline.view.stills import Stills
from tests.pipeline.view.conftest import RECORDING

RECORDED = Axis("gate", RECORDING)


class Shelved:
    """Footage of every recording, without decoders."""

    def source(self, stream, session):
        return "footage" if session == RECORDING else None

    def of(self, stream, session, position, time_us, side, region):
        return f"{stream} {position} at {time_us}, {region or 'whole'}".encode()


@pytest.fixture
def stills(shelf, axes):
    return Stills(shelf, axes, Shelved())


def test_footage_goes_before_small_pictures(book, stills):
    book.write(*[book.frame(n, session=RECORDING, region="0,0,8,8") for n in range(5)])
    book.write(book.frame(2, session=RECORDING, topic="frames", value=b"small"))
    assert stills.source(RECORDED) == "footage"
    assert stills.of(RECORDED, RECORDING, "2", 100) == b"gate 2 at 400000, 0,0,8,8"
    assert stills.decoded("gate", RECORDING, "2", 7, 100, "") == b"gate 2 at 7, whole"


def test_what_a_job_hides_is_not_shown_out_of_footage(book, stills):
    book.write(*[book.frame(n, session=RECORDING) for n in range(5)])
    book.write(book.frame(2, session=RECORDING, topic="frames", value=b"hidden", blurred="person"))
    assert stills.source(RECORDED) == "frames"
    assert stills.of(RECORDED, RECORDING, "2", 100) == b"hidden"
    assert stills.decoded("gate", RECORDING, "2", 0, 100, "") is None
    with pytest.raises(NoPicture, match="footage would show what the job hides"):
        stills.of(RECORDED, RECORDING, "3", 100)


def test_no_other_name_shows_it_either(book, stills):
    book.write(*[book.frame(n, session=RECORDING) for n in range(5)])
    book.write(book.frame(2, session=RECORDING, topic="frames", blurred="person"))
    book.write(book.frame(0, stream="yard"))
    for axis in (Axis("gate", "0"), Axis("gate", "live"), Axis("yard", "live")):
        with pytest.raises(NoPicture, match="is not on axis"):
            stills.of(axis, RECORDING, "3", 100)


def test_of_two_jobs_the_one_that_hides_decides(book, stills):
    book.write(*[book.frame(n, session=RECORDING) for n in range(5)])
    book.write(book.frame(2, session=RECORDING, topic="frames", blurred="person"))
    book.write(book.frame(2, session=RECORDING, topic="frames", variant="f" * 12))
    assert not stills.in_footage("gate", RECORDING)


def test_a_camera_without_pictures_says_what_helps(book, stills):
    book.write(book.frame(0))
    live = Axis("gate", "live")
    assert stills.source(live) is None
    with pytest.raises(NoPicture, match="let the job publish some"):
        stills.of(live, book.frame(0).headers["ce_session"], "0", 100)

"""An episode's picture: of footage that is at hand, else one that was published, never a hidden
one."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from pipeline.records.record import Message
from pipeline.search.episode import Episode
from pipeline.search.pictured import Shown, gallery
from pipeline.vectors.row import Row, Series
from pipeline.view.footage import Footage
from pipeline.view.pictures import NoPicture
from tests.pipeline.vectors.conftest import SESSION, VARIANT, directions

NOWHERE, SHOWN = Footage(()), Shown()


def jpeg(level: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (32, 18), (level, level, level)).save(file, "JPEG")
    return file.getvalue()


def episode(number: int, start_s: int, end_s: int) -> Episode:
    row = Row(Series("gate", SESSION, VARIANT), str(number), number * 1_000_000)
    return Episode(row, 0.9, start_s * 1_000_000, end_s * 1_000_000, 3)


@pytest.fixture
def pictured(archive):
    """Every fifth frame has a picture, as bright as its number."""

    def write(**attributes):
        archive.fill(directions(40))
        for number in range(0, 40, 5):
            like = archive.embedding(number, directions(1)[0], **attributes)
            identity = like.id.replace("embedding/", "frames/")
            headers = {**like.headers, "ce_id": identity, "content-type": "image/jpeg"}
            archive.write(Message("frames", "gate", headers, jpeg(number * 5)))
        return f"sqlite:{archive.path}"

    return write


def level(picture: Image.Image) -> float:
    return float(np.asarray(picture).mean())


def test_the_frames_own_picture_is_shown_and_else_the_nearest_of_the_episode(pictured):
    with gallery(pictured(), NOWHERE, SHOWN) as pictures:
        assert level(pictures.of(episode(15, 12, 20).best)) == pytest.approx(75, abs=3)
        assert level(pictures.of_episode(episode(15, 12, 20))) == pytest.approx(75, abs=3)
        assert level(pictures.of_episode(episode(18, 12, 24))) == pytest.approx(100, abs=3)
        assert level(pictures.of_episode(episode(18, 12, 19))) == pytest.approx(75, abs=3)
        with pytest.raises(NoPicture):
            pictures.of_episode(episode(18, 17, 19))


def test_where_nothing_is_published_it_says_what_helps(archive):
    archive.fill(directions(40))
    told = pytest.raises(NoPicture, match="name the footage with --media")
    with gallery(f"sqlite:{archive.path}", NOWHERE, SHOWN) as pictures, told:
        pictures.of_episode(episode(15, 12, 20))


def test_a_sink_that_is_gone_has_no_pictures(tmp_path):
    sink = f"sqlite:{tmp_path / 'gone.db'}"
    told = []
    absent = gallery(sink, NOWHERE, SHOWN, on_absent=told.append)
    with absent as pictures, pytest.raises(NoPicture):
        pictures.of_episode(episode(15, 12, 20))
    assert "gone.db" in told[0]
    assert not (tmp_path / "gone.db").exists()


@pytest.mark.slow
def test_footage_is_decoded_unless_its_job_hides_something(small_clip, tmp_path, archive, pictured):
    clip = small_clip(tmp_path / "gate.mp4", "bright")
    footage = Footage.of([str(clip)])
    (session,) = footage._recordings
    row = Row(Series("gate.mp4", session, VARIANT), "2048", 200_000)
    shown = Episode(row, 0.9, 0, 1_000_000, 3)
    archive.fill(directions(3), "gate.mp4", session=session)
    with gallery(f"sqlite:{archive.path}", footage, SHOWN) as pictures:
        assert level(pictures.of_episode(shown)) > 180
    like = archive.embedding(0, directions(1)[0], "gate.mp4", session=session, blurred="person")
    headers = {**like.headers, "ce_id": like.id.replace("embedding/", "frames/")}
    archive.write(Message("frames", "gate.mp4", headers, jpeg(0)))
    told = pytest.raises(NoPicture, match="the job hides")
    with gallery(f"sqlite:{archive.path}", footage, SHOWN) as pictures, told:
        pictures.of_episode(Episode(row, 0.9, 1, 2, 3))

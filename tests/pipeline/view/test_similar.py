"""Moments whose embedding is near to that of a frame."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.search.answer import Question, answer
from pipeline.search.sink_table import gathered
from pipeline.vectors.choice import EVERY, Choice
from pipeline.vectors.table import Table
from pipeline.view import similar
from pipeline.view.axes import NotThere
from pipeline.view.similar import Similar
from tests.pipeline.view.conftest import RECORDING, VARIANT

OTHER = "f" * 12
DESCRIBED = {"dim": "4", "model": "dinov2_vittest14-0123456789ab"}


def vector(angle: float) -> bytes:
    return np.array([np.cos(angle), np.sin(angle), 0, 0], "<f4").tobytes()


def identity(number: int, stream: str = "gate", session: str = RECORDING) -> str:
    return f"embedding/{stream}/{session}/{number}/{VARIANT}"


@pytest.fixture
def written(book):
    """Two recordings whose pictures turn, one slower than the other."""
    for stream, turn in (("gate", 0.01), ("yard", 0.002)):
        book.write(
            *[
                book.frame(
                    n,
                    stream=stream,
                    topic="embedding",
                    session=RECORDING,
                    value=vector(n * turn),
                    **DESCRIBED,
                )
                for n in range(200)
            ]
        )


def test_the_nearest_come_first_and_none_beside_another(written, shelf, axes):
    told = Similar(shelf, axes).to(identity(0))
    found = told["found"]
    assert (told["looked_at"], told["of"]) == (400, 400)
    assert found[0]["stream"] == "yard"
    assert found[0]["position"] == "0"
    assert found[0]["cosine"] == pytest.approx(1.0)
    cosines = [one["cosine"] for one in found]
    assert cosines == sorted(cosines, reverse=True)
    times = sorted(one["time_us"] for one in found if one["stream"] == "gate")
    assert min(np.diff(times)) >= 2_000_000
    assert identity(0) not in {one["id"] for one in found}
    (nearest, *_) = (one for one in found if one["stream"] == "gate")
    assert nearest["cosine"] == pytest.approx(np.cos(0.1), abs=1e-3)


def test_of_many_frames_some_are_looked_at_and_it_says_so(written, shelf, axes, monkeypatch):
    monkeypatch.setattr(similar, "MOST_FRAMES", 50)
    told = Similar(shelf, axes).to(identity(100))
    assert (told["looked_at"], told["of"]) == (100, 400)


def test_another_variant_is_not_compared(book, written, shelf, axes):
    like = book.frame(0, stream="other", topic="embedding", value=vector(0), **DESCRIBED)
    headers = {**like.headers, "ce_id": like.id.replace(VARIANT, OTHER), "ce_variant": OTHER}
    book.write(replace(like, headers=headers))
    assert {one["stream"] for one in Similar(shelf, axes).to(identity(0))["found"]} == {
        "gate",
        "yard",
    }


def test_what_is_no_vector_is_no_error(book, written, shelf, axes):
    how = {"topic": "embedding", "session": RECORDING, **DESCRIBED}
    book.write(
        book.frame(0, stream="odd", value=b"odd", **how),
        book.frame(1, stream="odd", value=np.full(4, np.nan, "<f4").tobytes(), **how),
        book.frame(2, stream="odd", value=np.zeros(4, "<f4").tobytes(), **how),
    )
    assert Similar(shelf, axes).to(identity(0))["found"]
    with pytest.raises(NotThere, match="is no embedding in the sink"):
        Similar(shelf, axes).to("embedding/x")


def test_the_answer_is_that_of_search(written, book, shelf, axes, tmp_path):
    """Moments of `yard` from a moment of `gate`: the same frames with the same cosines."""
    sink, asked = f"sqlite:{book.path}", identity(5)
    paged = [one for one in Similar(shelf, axes).to(asked)["found"] if one["stream"] == "yard"]
    gathered(sink, tmp_path / "vectors", EVERY)
    only, question = Choice(("yard",)), Question((asked,))
    (best,) = answer(Table(tmp_path / "vectors"), question, [], only, apart_us=0, most=1)
    assert (best.best.id, round(best.score, 4)) == (paged[0]["id"], paged[0]["cosine"])

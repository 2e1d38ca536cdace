"""Which frame holds at a moment, and which records are of it."""

from __future__ import annotations

import pytest

from pipeline.view.axes import NotThere
from pipeline.view.moments import Moments
from pipeline.view.series import Axis
from tests.pipeline.view.conftest import BEGAN_US, CAMERA, RECORDING, SECOND_US

LIVE = Axis("gate", "live")


@pytest.fixture
def moments(shelf, axes):
    return Moments(shelf, axes, lambda stream, session: session == RECORDING)


def test_a_frame_holds_until_the_next_one(book, moments):
    book.write(*[book.frame(n) for n in range(10)])
    found = moments.at(LIVE, BEGAN_US + SECOND_US + 199_999)
    assert (found["position"], found["time_us"], found["session"]) == (
        "5",
        BEGAN_US + SECOND_US,
        CAMERA,
    )
    assert moments.at(LIVE, BEGAN_US + SECOND_US, 1)["position"] == "6"
    assert moments.at(LIVE, BEGAN_US + SECOND_US, -1)["position"] == "4"
    assert [moments.at(LIVE, at)["position"] for at in (0, 1 << 60)] == ["0", "9"]
    assert moments.at(LIVE, 1 << 60, 1)["position"] == "9"


def test_of_every_topic_comes_the_record_that_holds_then(book, moments):
    book.write(*[book.frame(n) for n in range(10)])
    book.write(*[book.frame(n, topic="pca") for n in (0, 5)])
    records = moments.at(LIVE, BEGAN_US + SECOND_US + 600_000)["records"]
    assert {topic: one["position"] for topic, one in records.items()} == {"depth": "8", "pca": "5"}
    assert records["pca"]["time_us"] == BEGAN_US + SECOND_US
    assert "data" not in records["depth"]


def test_nothing_of_the_connection_before_is_shown_in_the_next(book, moments):
    again = str(BEGAN_US + 60 * SECOND_US)
    book.write(*[book.frame(n) for n in range(4)], book.frame(0, topic="pca"))
    book.write(*[book.frame(n, session=again) for n in range(4)])
    found = moments.at(LIVE, int(again))
    assert (found["session"], set(found["records"])) == (again, {"depth"})


def test_of_windows_the_one_around_the_moment_is_taken(book, moments):
    book.write(*[book.frame(n) for n in range(40)])
    book.write(*[book.action(n, n + 8, f"from {n}") for n in range(0, 24, 4)])

    def label(number):
        records = moments.at(LIVE, BEGAN_US + number * SECOND_US // 5)["records"]
        return records["action"]["data"]["labels"][0]["name"] if "action" in records else None

    assert [label(n) for n in (0, 4, 7, 11, 28, 29)] == [
        *("from 0", "from 0", "from 4", "from 8"),
        *("from 20", None),
    ]


def test_a_picture_is_of_that_very_frame_or_says_of_which(book, moments):
    book.write(*[book.frame(n) for n in range(10)])
    book.write(*[book.frame(n, topic="frames", value=b"jpeg") for n in (0, 5)])
    exact = moments.at(LIVE, BEGAN_US + SECOND_US)["frame"]
    assert exact == {
        "position": "5", "time_us": BEGAN_US + SECOND_US, "exact": True, "source": "frames",
    }  # fmt: skip
    later = moments.at(LIVE, BEGAN_US + SECOND_US + 400_000)["frame"]
    assert (later["position"], later["exact"]) == ("5", False)
    book.write(book.frame(0, session=RECORDING))
    assert moments.at(Axis("gate", RECORDING), 0)["frame"]["source"] == "footage"


def test_what_is_not_there_says_what_is(book, moments):
    book.write(book.frame(0), book.event("started", 0, stream="yard"))
    with pytest.raises(NotThere, match="no stream 'gat'; did you mean gate"):
        moments.at(Axis("gat", "live"), 0)
    with pytest.raises(NotThere, match="no frame on axis 'x'; there are: live"):
        moments.at(Axis("gate", "x"), 0)
    with pytest.raises(NotThere, match="none of its frames is in the sink yet"):
        moments.at(Axis("yard", "live"), 0)


def test_what_somebody_else_wrote_into_a_topic_is_no_error(book, moments):
    odd = book.frame(3, topic="classify")
    book.write(*[book.frame(n) for n in range(5)])
    book.write(
        type(odd)("classify", "gate", {**odd.headers, "content-type": "application/json"}, b"no")
    )
    records = moments.at(LIVE, BEGAN_US + SECOND_US)["records"]
    assert records["classify"]["data"] is None

"""How a stream fares, as its records tell."""

from __future__ import annotations

import json

import pytest

from pipeline.stream.progress import Progress
from pipeline.view.state import StreamState
from tests.pipeline.view.conftest import BEGAN_US, SECOND_US, Book


class Told:
    """A stream whose records come at times that a test says, seconds since it began."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.state = StreamState("gate")

    def frames(self, first_s: float, last_s: float, late_s: float = 0.0) -> None:
        """Five a second."""
        for number in range(round(first_s * 5), round(last_s * 5)):
            message = self.book.frame(number)
            published_us = BEGAN_US + number * SECOND_US // 5 + round(late_s * SECOND_US)
            self.state.take("depth", message.headers, published_us)

    def event(self, kind: str, at_s: float, **said) -> None:
        event = json.loads(self.book.event(kind, 0, **said).value)
        at_us = BEGAN_US + round(at_s * SECOND_US)
        self.state.told(event, at_us, at_us)

    def at(self, second: float) -> dict:
        return self.state.plain(BEGAN_US + round(second * SECOND_US))


@pytest.fixture
def told(book):
    return Told(book)


def test_frames_make_it_live_and_are_counted(told):
    assert told.at(0)["state"] == "connecting"
    told.frames(0, 20, late_s=0.3)
    now = told.at(20)
    assert (now["state"], now["fps"], now["latency_s"]) == ("live", 5.1, 0.3)
    assert now["last_us"] == BEGAN_US + 19_800_000
    assert now["seen_us"] == now["last_us"] + 300_000
    assert now["live"]


@pytest.mark.parametrize(
    ("kind", "state"),
    [("disconnected", "reconnecting"), ("crashed", "reconnecting"), ("stalled", "stalled")],
)
def test_a_camera_that_is_lost_is_so_at_once_and_until_a_later_frame(told, kind, state):
    told.frames(0, 10)
    told.event("started", 0)
    told.event(kind, 10, detail="no route")
    assert (told.at(10)["state"], told.at(10)["reason"]) == (state, "no route")
    told.frames(8, 10)  # what still waited when it broke
    told.event("reconnected", 11)
    assert told.at(11)["state"] == state
    told.frames(12, 13)
    assert told.at(13)["state"] == "live"


def test_a_job_that_died_is_silent(told):
    told.frames(0, 10)
    assert told.at(14.7)["state"] == "live"
    assert told.at(15)["state"] == "silent"
    assert told.at(15)["reason"] == "no record came, and nobody said why"


def test_a_job_that_commits_seldom_is_not_silent(told):
    for second in range(0, 80, 8):
        told.frames(second, second + 0.2)
    assert told.at(90)["state"] == "live"
    assert told.at(72 + 41)["state"] == "silent"


def test_what_is_done_has_ended_with_its_outcome_and_counts(told):
    told.frames(0, 3)
    ledger = {"depth": {"sampled": 15, "dropped": 3, "deadletter": 2}, "pca": {"dropped": 1}}
    told.state.stands(Progress("j", "gate", status="running", ledger=ledger))
    assert (told.at(3)["state"], told.at(3)["drops"], told.at(3)["deadletters"]) == ("live", 3, 2)
    told.state.stands(Progress("j", "gate", status="degraded", lost=4, detail="cut", ledger=ledger))
    done = told.at(500)
    assert (done["state"], done["reason"], done["drops"]) == ("ended", "cut", 7)
    assert done["fps"] is done["latency_s"] is None


def test_since_when_is_the_record_that_told(told):
    told.frames(0, 3)
    told.at(3)
    told.event("disconnected", 5)
    assert told.at(9)["since_us"] == BEGAN_US + 5 * SECOND_US
    assert told.at(60)["since_us"] == BEGAN_US + 5 * SECOND_US


def test_of_two_jobs_the_newer_one_tells(told):
    told.frames(0, 3)
    told.state.stands(Progress("0", "gate", status="running", epoch=2))
    told.state.stands(Progress("f", "gate", status="stopped", epoch=1))
    assert told.at(3)["state"] == "live"


def test_nothing_grows_while_nobody_looks(told):
    told.frames(0, 600, late_s=0.1)
    assert max(map(len, told.state._times.values())) <= 52
    assert len(told.state._ages) <= 52


def test_what_is_not_to_be_trusted_says_so(told):
    headers = told.book.frame(0, outofdomain="true").headers
    told.state.take("depth", headers, BEGAN_US)
    assert (told.at(0)["outofdomain"], told.at(0)["untrained"]) == (True, False)


def test_a_shot_that_is_over_says_nothing_of_the_newest_frame(told):
    headers = told.book.frame(9, outofdomain="true").headers
    told.state.take("depth", headers, BEGAN_US)
    before = told.at(0)
    told.state.take("shots", told.book.frame(3).headers, BEGAN_US)
    assert told.at(0) == before

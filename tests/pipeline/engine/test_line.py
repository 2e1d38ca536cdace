"""Who is next: what waits, what is kept, claims; and what becomes of work that two threads have."""

from __future__ import annotations

import math

import pytest

from pipeline.engine.line import MOST_BYTES, Claim, Line
from pipeline.records.commit import Commit, Link
from pipeline.records.record import Message
from pipeline.stream.progress import Progress

NOW = -math.inf  # nothing has failed lately


class Scene:
    """A line beside a log of which only its being empty counts."""

    def __init__(self) -> None:
        self.holds = False
        self.soon_empty = False
        self.line = Line(lambda: self.holds, lambda: self.soon_empty)


@pytest.fixture
def scene():
    return Scene()


def commit(stream: str, *, live: bool = True, size: int = 3) -> Commit:
    link = Link(0, {}, {}) if live else None
    message = Message("depth", stream, {"ce_id": stream}, bytes(size))
    return Commit((message,), Progress("job", stream), link)


def test_what_waits_goes_together_up_to_a_claim_and_a_size(scene):
    a, b, c, d = commit("a"), commit("b", live=False), commit("c"), commit("d", size=MOST_BYTES)
    claim = Claim({"e": "job"})
    for work in (a, b, claim, c, d):
        scene.line.put(work)
    assert [scene.line.next() for _ in range(4)] == [(a, b), claim, (c,), (d,)]


def test_where_something_is_kept_live_commits_go_behind_it_and_others_take_turns(scene):
    scene.holds = True
    scene.line.put(commit("a"))
    for stream in "bc":
        scene.line.put(commit(stream, live=False, size=MOST_BYTES))
    turns = [scene.line.next() for _ in range(4)]
    assert turns.count(()) == 2
    assert [[one.progress.stream for one in turn] for turn in turns if turn] == [["b"], ["c"]]
    assert [one.progress.stream for one in scene.line.to_keep(60, NOW).commits] == ["a"]


def test_who_waits_for_a_log_that_is_soon_empty_is_kept_when_the_sink_takes_too_long(scene):
    scene.holds = scene.soon_empty = True
    a, b = commit("a"), commit("b")
    scene.line.put(a)
    assert scene.line.next() == ()
    scene.line.put(b)
    assert scene.line.to_keep(0, NOW).commits == (a, b)


def test_what_the_sink_has_for_too_long_is_kept_with_what_waits_behind_it(scene):
    a, b, c = commit("a"), commit("b", live=False), commit("c")
    scene.line.put(a)
    scene.line.put(b)
    assert scene.line.next() == (a, b)
    scene.line.put(c)
    choice = scene.line.to_keep(0, NOW)
    assert (choice.commits, choice.sent) == ((a, c), 1)
    scene.holds = True
    scene.line.was_kept(kept=True)
    assert scene.line.arrived() == 1
    assert scene.line.next() == ()


def test_what_is_refused_is_left_but_for_what_is_kept(scene):
    a, b = commit("a"), commit("b", live=False)
    scene.line.put(a)
    scene.line.put(b)
    scene.line.next()
    scene.line.to_keep(0, NOW)
    scene.line.was_kept(kept=True)
    assert scene.line.refused() == [b]


def test_what_cannot_be_kept_waits_in_its_place(scene):
    a, b, c = commit("a"), commit("b"), commit("c")
    scene.line.put(a)
    assert scene.line.next() == (a,)
    scene.line.put(b)
    scene.line.to_keep(0, NOW)
    scene.line.put(c)
    scene.line.was_kept(kept=False)
    assert scene.line.arrived() == 0
    assert scene.line.next() == (b, c)


def test_at_the_end_all_that_is_left_of_live_streams_is_kept_at_once(scene):
    a, b, c = commit("a"), commit("b", live=False), commit("c")
    for work in (a, b):
        scene.line.put(work)
    scene.line.next()
    scene.line.put(c)
    scene.line.close()
    assert scene.line.next() is None
    scene.line.end()
    choice = scene.line.to_keep(60, math.inf)
    assert (choice.commits, choice.sent) == ((a, c), 1)
    scene.line.was_kept(kept=True)
    assert scene.line.to_keep(60, math.inf) is None

"""Scores become episodes: what is near is hidden, and equal ones have an order."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from pipeline.search.episode import episodes
from pipeline.vectors.choice import EVERY, Choice
from pipeline.vectors.table import Table
from tests.pipeline.vectors.conftest import directions

SECOND_US = 1_000_000


@pytest.fixture
def scored(table_of):
    """`scored(gate=[...], yard=[...])`: a table of streams, a frame a second, and its scores."""

    def make(**streams):
        table = table_of(**{name: directions(len(one)) for name, one in streams.items()})
        rows = [table.row(n) for n in range(len(table))]
        return table, np.array([streams[r.series.stream][int(r.position)] for r in rows], float)

    return make


def found(table, scores, *, apart_s=3.0, most=10, choice=EVERY, known=()):
    answer = episodes(
        table,
        scores,
        table.chosen(choice),
        apart_us=round(apart_s * SECOND_US),
        most=most,
        known=known,
    )
    return [
        (one.best.series.stream, int(one.best.position), one.start_us // SECOND_US,
         one.end_us // SECOND_US, one.hits)
        for one in answer
    ]  # fmt: skip


def test_a_hit_hides_its_neighbours_and_another_far_away_does_not(scored):
    scores = np.zeros(60)
    scores[10:15] = [0.8, 0.9, 1.0, 0.9, 0.8]
    scores[40:42] = [0.7, 0.95]
    assert found(*scored(gate=scores), most=2) == [("gate", 12, 10, 14, 5), ("gate", 41, 40, 41, 2)]


def test_frames_of_another_stream_are_not_hidden(scored):
    scores = np.zeros(30)
    scores[5] = 1.0
    answer = found(*scored(gate=scores, yard=scores * 0.9), most=2)
    assert answer == [("gate", 5, 5, 5, 1), ("yard", 5, 5, 5, 1)]


def test_hits_with_a_pause_shorter_than_apart_are_one_episode(scored):
    scores = np.zeros(40)
    scores[[10, 13, 16, 20]] = [1.0, 0.9, 0.9, 0.9]
    table, scores = scored(gate=scores)
    assert found(table, scores, most=2) == [("gate", 10, 10, 16, 3), ("gate", 20, 20, 20, 1)]
    assert found(table, scores, most=1, apart_s=4) == [("gate", 10, 10, 20, 4)]


def test_a_camera_that_stands_is_one_episode_and_equal_ones_come_in_order(scored):
    table, scores = scored(yard=np.ones(50), gate=np.ones(50))
    assert found(table, scores) == [("gate", 0, 0, 49, 50), ("yard", 0, 0, 49, 50)]


def test_what_was_asked_with_answers_nothing(scored):
    scores = np.zeros(40)
    scores[[9, 10, 30]] = [0.9, 1.0, 0.8]
    table, scores = scored(gate=scores)
    assert found(table, scores, known=[10], most=1) == [("gate", 30, 30, 30, 1)]


def test_only_what_is_chosen_is_looked_at(scored):
    scores = np.linspace(0, 1, 40)
    table, scores = scored(gate=scores, yard=scores)
    choice = Choice(("yard",), until_us=20 * SECOND_US)
    assert found(table, scores, choice=choice, most=1)[0][:2] == ("yard", 19)
    assert found(table, scores, choice=Choice(("nobody",))) == []


def test_every_frame_is_in_one_episode_or_near_to_one(scored):
    """Whatever the scores: episodes are apart, best first, and leave nothing out."""
    draw = np.random.default_rng(0)
    table, scores = scored(**{f"s{n}": draw.random(120).round(1) for n in range(5)})
    for name in (one.stream for one in table.head.series):
        own = table.chosen(Choice((name,)))
        answer = episodes(table, scores, own, apart_us=4 * SECOND_US, most=999)
        assert [one.score for one in answer] == sorted((one.score for one in answer), reverse=True)
        spans = sorted((one.start_us, one.end_us) for one in answer)
        assert all(after[0] - before[1] > 4 * SECOND_US for before, after in pairwise(spans))
        for time_us in table.times_us[own]:
            assert any(a - 4 * SECOND_US <= time_us <= b + 4 * SECOND_US for a, b in spans)


def test_recordings_of_one_name_are_apart_and_connections_of_a_camera_are_not(archive, tmp_path):
    vectors = directions(10)
    for session in ("a" * 12, "b" * 12):
        archive.fill(vectors, "file", session=session)
    for first, session in ((0, "1795000000000000"), (5, "1795000005000000")):
        archive.write(
            *[
                archive.embedding(n, vectors[n], "gate", session=session)
                for n in range(first, first + 5)
            ]
        )
    archive.gather(tmp_path / "t")
    table = Table(tmp_path / "t")
    answer = found(table, np.ones(len(table)))
    assert answer == [("file", 0, 0, 9, 10), ("file", 0, 0, 9, 10), ("gate", 0, 0, 9, 10)]

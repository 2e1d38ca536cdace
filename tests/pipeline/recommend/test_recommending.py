"""What is liked comes, what is not stays away, and what is unusual is seen first."""

import numpy as np
import pytest

from operators.errors import UsageError
from pipeline.recommend import recommending
from pipeline.recommend.frame_episode import recommended_episodes
from pipeline.recommend.recommending import (
    held_out,
    numbers_of,
    recommended,
    refuse_both,
    to_look_at_first,
)

DRAW = np.random.default_rng(0)


def frames(kinds, spread=0.05):
    draw = np.random.default_rng(1)
    return np.eye(8)[kinds] + draw.normal(size=(len(kinds), 8)) * spread


def test_frames_like_the_likes_come_and_the_named_ones_do_not(pooled):
    kinds = np.arange(40) % 4
    pool = pooled(frames(kinds))
    found = recommended(pool, [0, 4], [1], top=8, likeness=1.0)
    assert [kinds[one.number] for one in found] == [0] * 8
    assert not {one.number for one in found} & {0, 4, 1}
    assert [one.worth for one in found] == sorted((one.worth for one in found), reverse=True)


def test_with_less_weight_on_worth_the_answer_is_more_diverse(pooled):
    kinds = np.arange(40) % 4
    pool = pooled(frames(kinds))
    found = recommended(pool, [0, 1], [], top=2, likeness=0.5)
    assert {kinds[one.number] for one in found} == {0, 1}


def test_what_is_rare_but_lasts_is_seen_before_what_is_usual_and_before_an_accident(pooled):
    kinds = np.zeros(120, np.int64)
    kinds[60:72], kinds[100] = 1, 2  # something happens for 12 frames; one picture is torn
    pool = pooled(frames(kinds))
    found, looked_at = to_look_at_first(pool, top=3, likeness=0.7)
    assert looked_at == 120
    assert kinds[found[0].number] == 1
    assert all(kinds[one.number] != 2 for one in found)
    assert found[0].worth == pytest.approx(
        found[0].parts["novelty"] * found[0].parts["representativeness"]
    )


def test_what_is_usual_is_each_streams_own(pooled):
    """Two cameras that see different things, none of them unusual; one has a visitor."""
    kinds = np.tile([0, 1], 60)
    kinds[80:100:2] = 3
    pool = pooled(frames(kinds), [f"cam{n % 2}" for n in range(120)])
    found, _ = to_look_at_first(pool, top=1, likeness=0.7)
    assert 80 <= int(pool.rows[found[0].number].position) < 100


def test_of_many_frames_every_nth_is_looked_at_and_told(pooled, monkeypatch):
    monkeypatch.setattr(recommending, "MOST_FRAMES", 50)
    pool = pooled(frames(np.arange(120) % 3))
    found, looked_at = to_look_at_first(pool, top=5, likeness=0.7)
    assert looked_at == 40
    assert {one.number % 3 for one in found} == {0}


def test_likes_that_are_alike_find_each_other(pooled):
    kinds = np.arange(40) % 4
    pool = pooled(frames(kinds))
    good = held_out(pool, [0, 4, 8], [], k=10)
    assert (good.recall, good.k) == (1, 10)
    assert max(good.ranks) <= 8  # seven others of that kind may come before it
    assert good.ndcg == pytest.approx(np.mean([1 / np.log2(rank + 1) for rank in good.ranks]))
    bad = held_out(pool, [0, 1, 2], [], k=10)
    assert bad.recall < 0.5


def test_a_chosen_frame_on_a_sheet_is_a_moment_with_its_worth(pooled):
    pool = pooled(frames(np.arange(12) % 3))
    found = recommended(pool, [0], [], top=2, likeness=1.0)
    for one, shown in zip(found, recommended_episodes(pool, found), strict=True):
        row = pool.rows[one.number]
        assert (shown.best, shown.score, shown.hits) == (row, one.worth, 1)
        assert shown.start_us == shown.end_us == row.time_us


def test_what_cannot_be_is_named(pooled):
    pool = pooled(frames(np.arange(4)))
    assert numbers_of(pool, [pool.rows[2].id], option="--like") == [2]
    with pytest.raises(UsageError, match="--like embedding/x: no such vector among the 4"):
        numbers_of(pool, ["embedding/x"], option="--like")
    with pytest.raises(UsageError, match="give --like twice"):
        held_out(pool, [1, 1], [], k=3)
    with pytest.raises(UsageError, match="one frame alone"):
        to_look_at_first(pooled(np.eye(1, 3)), top=1, likeness=0.7)


def test_what_is_liked_cannot_be_disliked(pooled):
    pool = pooled(frames(np.arange(8) % 4))
    refuse_both([0, 1], [2], pool)
    with pytest.raises(UsageError, match="is liked and disliked; leave one out"):
        refuse_both([0, 1], [1], pool)

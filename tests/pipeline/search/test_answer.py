"""A question to a table: the answer is that of comparing all, and can be shown."""

from __future__ import annotations

import numpy as np
import pytest

from operators.moment import rfc3339
from pipeline.errors import NoVectors
from pipeline.search.answer import Question, answer, film_commands
from pipeline.search.sink_table import SinkTable
from pipeline.vectors.choice import EVERY, Choice
from pipeline.vectors.gather import Account
from pipeline.vectors.table import Table
from pipeline.view.footage import Footage
from tests.pipeline.vectors.conftest import SESSION, VARIANT, directions


@pytest.fixture
def vectors():
    return {"gate": directions(200), "yard": directions(200, seed=1)}


def test_the_best_are_those_of_comparing_all(table_of, vectors):
    table = table_of(**vectors)
    (query,) = directions(1, seed=7)
    found = answer(table, Question(), [query], EVERY, apart_us=0, most=400)
    exact = {
        (name, n): float(cosine)
        for name, one in vectors.items()
        for n, cosine in enumerate(one @ query)
    }
    best = {(one.best.series.stream, int(one.best.position)): one.score for one in found}
    assert len(best) > 150  # what is nearer than a second is one episode where both are hits
    for place, score in best.items():
        assert score == pytest.approx(exact[place], abs=2e-3)
    assert max(exact, key=exact.get) == next(iter(best))


def test_more_like_one_and_less_like_another(table_of, vectors):
    turning = np.linspace(0, np.pi, 200)[:, None]
    first, last = vectors["gate"][0], vectors["gate"][1]
    last = last - (last @ first) * first
    last /= np.linalg.norm(last)
    vectors["turn"] = (np.cos(turning / 2) * first + np.sin(turning / 2) * last).astype("f4")
    table = table_of(**vectors)
    middle, end = (f"embedding/turn/{SESSION}/{n}/{VARIANT}" for n in (100, 199))
    only = Choice(("turn",))
    liked = answer(table, Question((middle,)), [], only, apart_us=2_000_000, most=1)
    assert liked[0].best.position in ("97", "103")
    less = Question((middle,), dislikes=(end,))
    turned = answer(table, less, [], only, apart_us=2_000_000, most=1)
    assert int(turned[0].best.position) < 90


def test_nothing_chosen_is_an_error(table_of, vectors):
    table = table_of(**vectors)
    with pytest.raises(NoVectors, match="of 400 vectors none is of the streams and times"):
        answer(table, Question(), [directions(1)[0]], Choice(("hall",)), apart_us=0, most=1)


def test_seconds_of_a_film_are_of_the_whole_recording_or_are_not_said(archive, tmp_path):
    day_us = 1_795_000_000 * 10**6
    archive.write(
        *[
            archive.embedding(n, one, time=rfc3339(day_us + n * 10**6))
            for n, one in enumerate(directions(40))
        ]
    )
    told = []
    for name, choice in (("whole", EVERY), ("late", Choice(since_us=day_us + 20 * 10**6))):
        archive.gather(tmp_path / name, choice)
        table = Table(tmp_path / name)
        question = Question(moments=(f"gate@{rfc3339(day_us + 39 * 10**6)}",))
        last = Choice(until_us=day_us + 23 * 10**6, since_us=day_us + 22 * 10**6)
        found = answer(table, question, [], last, apart_us=0, most=1)
        told += film_commands(found, SinkTable(table, "sqlite:r.db", Account()), Footage(()))
    assert [one.split("--at ")[1].split()[0] for one in told] == ["22.000", "SECONDS"]


def test_every_episode_has_the_command_that_shows_it(table_of, vectors, archive):
    archive.fill(directions(4, seed=9), "cam", session="1795000000000000")
    table = table_of(**vectors)
    question = Question(moments=("gate@90",))
    found = [
        answer(table, question, [], Choice((name,)), apart_us=0, most=1)[0]
        for name in ("yard", "cam")
    ]
    whole = SinkTable(table, "sqlite:my results.db", Account())
    shown, cut = film_commands(found, whole, Footage(()))
    position = found[0].best.position
    assert shown == (
        "dinostream render 'sqlite:my results.db' --source RECORDING --stream yard "
        f"--at {position}.000 -o yard-{position}.png"
    )
    assert cut.startswith("dinostream clip 'sqlite:my results.db' --around embedding/cam/17950")
    assert cut.endswith(f" --tape TAPE -o cam-{found[1].best.position}.mp4")

"""A job that looks for shots: they are exact, nothing else is another, and a kill is no matter."""

from __future__ import annotations

import json
from contextlib import closing
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np
import pytest

from operators.errors import DinostreamError
from pipeline import subscribe
from pipeline.client.results import Shot
from pipeline.media.encode import write_clip
from pipeline.sinks.uri import open_reader

FPS, LENGTHS = 25, (33, 41, 58, 27, 64, 52)  # frames
FIRSTS = [0, *accumulate(LENGTHS)]
JOB = {"sampling": {"fps": 5}, "operators": ["embedding"], "shots": True}


def picture(shot: int, number: int) -> np.ndarray:
    """A room of coloured blocks, and a body that goes through it."""
    draw = np.random.default_rng(shot)
    shown = np.kron(draw.integers(20, 230, (6, 10, 3)), np.ones((16, 16, 1))).astype(np.uint8)
    at = number % 30 * 4
    shown[48:80, at : at + 32] = 255
    return shown


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    frames = (picture(shot, n) for shot, frames in enumerate(LENGTHS) for n in range(frames))
    write_clip(path, frames, fps=FPS)
    return path


@pytest.fixture(scope="module")
def told(tools, film, tmp_path_factory) -> str:
    """A sink."""
    sink = f"sqlite:{tmp_path_factory.mktemp('told')}/t.db"
    tools.run_inline([film], sink, **JOB)
    return sink


def test_every_cut_is_told_to_the_frame(told, described) -> None:
    shots = [*subscribe(told, topics=["shots"], follow=False, strict=True)]
    found = []
    for one in shots:
        assert isinstance(one, Shot)
        assert one.time == one.end.time
        first, last = (round(edge.time.timestamp() * FPS) for edge in (one.start, one.end))
        assert one.frames == last - first + 1
        found.append((first, last + 1))
    assert found == [*pairwise(FIRSTS)]
    assert [one.began for one in (shots[0], shots[-1])] == ["start", "cut"]
    with closing(open_reader(told)) as reader:
        for record in reader.records(["shots"]):
            described(record.message)


def test_the_books_are_balanced(tools, told) -> None:
    (report,) = tools.audit(told)
    assert report.ended
    assert report.findings == []


def test_nothing_else_is_another(tools, film, told, tmp_path) -> None:
    plain = f"sqlite:{tmp_path}/p.db"
    tools.run_inline([film], plain, **JOB | {"shots": False})
    mine, others = tools.records(told), tools.records(plain)
    same = {key: one for key, one in others.items() if key[0] == "embedding"}
    assert {key: one for key, one in mine.items() if key[0] == "embedding"} == same
    assert not [key for key in others if key[0] == "shots"]


def test_which_frames_are_sampled_is_no_matter(tools, film, told, tmp_path) -> None:
    other = f"sqlite:{tmp_path}/o.db"
    tools.run_inline([film], other, **JOB | {"sampling": {"every": 37}, "gate": {}})
    assert shots_in(tools, other) == shots_in(tools, told)


def shots_in(tools, sink: str) -> dict:
    try:
        return {key: one for key, one in tools.records(sink).items() if key[0] == "shots"}
    except DinostreamError:  # not made yet
        return {}


@pytest.mark.slow
def test_a_job_that_is_killed_says_what_it_would_have_said(
    jobs, tools, film, tmp_path, braked
) -> None:
    operators = ["embedding", "brake:Brake"]
    words = [word for name in operators for word in ("--operator", name)]
    words += ["--fps", "5", "--runtime", "inline", "--set", f"shots={json.dumps(True)}"]
    sink = f"sqlite:{tmp_path}/k.db"
    job = jobs.start(film, *words, "--sink", sink)
    tools.wait_until(lambda: bool(shots_in(tools, sink)), job)
    job.kill()
    job.communicate()
    assert 0 < len(shots_in(tools, sink)) < len(LENGTHS)
    braked.touch()
    whole, again = f"sqlite:{tmp_path}/w.db", JOB | {"operators": operators}
    _, tally = tools.run_inline([film], sink, **again)
    assert tally.receipt.conflicting == 0
    tools.run_inline([film], whole, **again)
    assert tools.records(sink) == tools.records(whole)
    (found,) = tools.audit(sink)
    assert found.ended
    assert found.findings == []

"""A job with a gate: what it computes is as without one, and all the rest is told."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Container, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from operators.errors import DinostreamError
from pipeline import subscribe
from pipeline.client.results import Depth, Unchanged
from pipeline.configuration.resolve import resolve
from pipeline.fit.fit_features import BasisPlan, fit_features
from pipeline.media.encode import write_clip
from pipeline.sinks.uri import open_reader
from tests.pipeline.end_to_end.conftest import SMALL

FPS, STRETCH, STRETCHES = 10, 30, 6  # frames; in every other stretch a body moves
FRAMES = STRETCH * STRETCHES
OPERATORS = ["depth", "segmentation", "embedding", "action", "pca"]
JOB = {"sampling": {"all": True}, "threads": 2, "short_side": 56}
GATE = {"gate": {"at_least_every_s": 2}}


def moves(number: int) -> bool:
    return number // STRETCH % 2 == 1


def picture(number: int) -> np.ndarray:
    """A room that stands still, and a white body that goes through it now and then."""
    draw = np.random.default_rng(3)
    shown = np.kron(draw.integers(30, 200, (8, 12, 3)), np.ones((12, 12, 1))).astype(np.uint8)
    if moves(number):
        at = number % STRETCH * 4
        shown[40:64, at : at + 24] = 255
    return shown


@pytest.fixture(scope="module")
def yard(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("yard") / "yard.mp4"
    write_clip(path, map(picture, range(FRAMES)), fps=FPS)
    return path


@pytest.fixture(scope="module")
def gated(tools, yard, tmp_path_factory) -> str:
    """A sink."""
    sink = f"sqlite:{tmp_path_factory.mktemp('gated')}/g.db"
    _, tally = tools.run_inline([yard], sink, operators=OPERATORS, **JOB, **GATE)
    assert tally.frames < 0.75 * FRAMES
    assert tally.frames + tally.unchanged == FRAMES
    return sink


def by_place(tools, sink: str) -> dict[tuple[str, str], bytes]:
    """(topic, position) -> payload of each record of a frame."""
    return {
        (topic, identity.split("/")[3]): value
        for (topic, identity), (_, value) in tools.records(sink).items()
        if topic.partition(".")[0] in OPERATORS
    }


def test_what_is_computed_is_as_without_a_gate(tools, yard, gated, tmp_path) -> None:
    plain = f"sqlite:{tmp_path}/p.db"
    tools.run_inline([yard], plain, operators=OPERATORS, **JOB)
    every, some = by_place(tools, plain), by_place(tools, gated)
    remember = ("action", "action.episodes", "pca")
    told = {place: value for place, value in some.items() if place[0] not in remember}
    assert told == {place: every[place] for place in told}
    assert {place for place in every if place[0] == "action"} == {
        place for place in some if place[0] == "action"
    }, "windows are on their grid"


def test_all_the_rest_is_told_once(gated, described) -> None:
    told: Counter[str] = Counter()
    with closing(open_reader(gated)) as reader:
        for record in reader.records():
            described(record.message)
    depths = {one.id: one for one in subscribe(gated, topics=["depth"], follow=False)}
    spans = [*subscribe(gated, topics=["unchanged"], follow=False, strict=True)]
    for span in spans:
        assert isinstance(span, Unchanged)
        assert span.counts.keys() == {"depth", "segmentation", "embedding", "pca"}
        shown = depths[span.ids["depth"][0]]
        assert isinstance(shown, Depth)
        assert shown.time == span.repeats.time < span.start.time <= span.end.time == span.time
        assert (span.end.time - span.repeats.time).total_seconds() < 2
        told["depth"] += span.counts["depth"]
        assert span.frames == span.counts["depth"]
    assert len(depths) + told["depth"] == FRAMES
    assert len(spans) <= len(depths)


def test_the_books_are_balanced(tools, gated) -> None:
    (report,) = tools.audit(gated)
    assert report.ended
    assert report.findings == []
    for name, row in report.operators.items():
        still = row.get("unchanged", 0)
        assert row["sampled"] == FRAMES
        assert row["published" if still else "covered"] + still == FRAMES, name
        assert still > FRAMES // 4 or name == "action"


def test_a_body_that_moves_is_seen_in_every_frame(gated) -> None:
    computed = {one.time for one in subscribe(gated, topics=["depth"], follow=False)}
    seconds = {round(time.timestamp() * FPS) for time in computed}
    assert {number for number in range(FRAMES) if moves(number)} <= seconds


@pytest.mark.slow
def test_kept_features_of_a_gated_job_tell_the_same_repetitions(
    tools, yard, gated, tmp_path
) -> None:
    basis = tmp_path / "basis.safetensors"
    values = {**SMALL, **JOB, "sources": [str(yard)], "operators": OPERATORS, "runtime": "inline"}
    fit_features(resolve(None, values), BasisPlan(basis, 192, 20), tell=lambda *_: None)
    features = {"dir": str(tmp_path / "kept"), "basis": str(basis)}
    keeping = f"sqlite:{tmp_path}/k.db"
    tools.run_inline([yard], keeping, operators=OPERATORS, **JOB, **GATE, features=features)
    topics = {*OPERATORS, "unchanged"}
    assert of_topics(tools, keeping, topics) == of_topics(tools, gated, topics)
    again, job = f"sqlite:{tmp_path}/a.db", {**JOB, "operators": OPERATORS}
    job.pop("short_side")
    source = f"features:{tmp_path}/kept"
    _, tally = tools.run_inline([source], again, **job)
    assert tally.frames + tally.unchanged == FRAMES
    assert {outcome.status for outcome in tally.outcomes} == {"ok"}
    assert repeated(again) == repeated(gated)
    windows = [by_place(tools, sink) for sink in (gated, again)]
    assert windows[0].keys() == windows[1].keys(), "windows are on their grid"
    (report,) = tools.audit(again)
    assert (report.ended, report.findings) == (True, [])


def of_topics(tools, sink: str, topics: Container[str]) -> dict[str, bytes]:
    """id -> payload."""
    found = tools.records(sink).items()
    return {identity: value for (topic, identity), (_, value) in found if topic in topics}


def repeated(sink: str) -> list[object]:
    """All that is said of repetitions, but the variants of whose records hold."""
    spans = subscribe(sink, topics=["unchanged"], follow=False, strict=True)
    return [
        (one.start, one.end, one.repeats, one.frames, one.counts, [*map(_places, one.ids.values())])
        for one in spans
    ]


def _places(ids: Sequence[str]) -> list[str]:
    return [one.rpartition("/")[0] for one in ids]


@pytest.mark.slow
def test_a_gated_job_that_is_killed_says_what_it_would_have_said(
    jobs, tools, yard, tmp_path, braked
) -> None:
    operators = [*OPERATORS, "brake:Brake"]
    words = [word for name in operators for word in ("--operator", name)]
    words += ["--all", "--runtime", "inline", "--set", f"gate={json.dumps(GATE['gate'])}"]
    sink = f"sqlite:{tmp_path}/k.db"
    job = jobs.start(yard, *words, "--sink", sink)
    tools.wait_until(lambda: spans(tools, sink) > 0, job)
    job.kill()
    job.communicate()
    assert 0 < spans(tools, sink) < STRETCHES
    assert all(report.complete and not report.ended for report in tools.audit(sink))
    braked.touch()
    whole, again = f"sqlite:{tmp_path}/w.db", {"sampling": {"all": True}, "operators": operators}
    _, tally = tools.run_inline([yard], sink, **again, **GATE)
    assert tally.receipt.conflicting == 0
    tools.run_inline([yard], whole, **again, **GATE)
    assert tools.records(sink) == tools.records(whole)
    (found,) = tools.audit(sink)
    assert found.ended
    assert found.findings == []


def spans(tools, sink: str) -> int:
    try:
        return sum(topic == "unchanged" for topic, _ in tools.records(sink))
    except DinostreamError:  # not made yet
        return 0

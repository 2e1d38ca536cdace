"""Features are kept beside a job that is killed, and replayed without footage."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from operators.archive.basis_header import basis_header
from operators.errors import DinostreamError, UsageError
from pipeline.archive.archive import Archive
from pipeline.archive.group import Group
from pipeline.configuration.resolve import resolve
from pipeline.engine.assembly import assemble
from pipeline.fit.fit_features import BasisPlan, fit_features
from pipeline.media.fingerprint import file_session

OPERATORS = ["depth", "action", "embedding"]
FRAMES = 120
SMALL = {"weights": "random", "model": "dinov2_vitti14", "short_side": 28, "threads": 1}


@pytest.fixture(scope="module")
def footage(small_clip, tmp_path_factory) -> Path:
    return small_clip(tmp_path_factory.mktemp("footage") / "a.mp4", "bars", number=3, frames=FRAMES)


@pytest.fixture(scope="module")
def basis(footage, tmp_path_factory) -> Path:
    """Of what the heads of the job read; one source is no footage, which is told."""
    out = tmp_path_factory.mktemp("basis") / "basis.safetensors"
    broken = out.with_name("broken.mp4")
    broken.write_bytes(b"no film" * 100)
    sources = [str(footage), str(broken)]
    values = {"sources": sources, "runtime": "inline", "operators": OPERATORS}
    report = fit_features(resolve(None, SMALL | values), BasisPlan(out, 16, 80), tell=_nobody)
    assert report.frames == 40
    assert list(report.failed) == ["broken.mp4"]
    assert "broken.mp4: " in report.text()
    assert basis_header(out)["sources"] == [file_session(str(footage))]
    assert 0.5 < min(report.explained.values()) <= 1
    return out


def _nobody(share: float | None, so_far: str) -> None:
    """Hears how far a fit is."""


def kept(folder: Path) -> list[str]:
    """Positions of the only session, in order."""
    archive = Archive(folder)
    ((_, session),) = archive.sessions("a.mp4")
    items = list(session.items())
    assert all(isinstance(item, Group) for item in items)
    assert items[-1].ended
    return [info.position for item in items for info in item.infos]


def positions(records, topic: str) -> list[str]:
    return sorted((one.split("/")[3] for of, one in records if of == topic), key=int)


def facts(records, topic: str) -> list[dict[str, str]]:
    """What does not depend on the variant, in the order of the frames."""
    own = [headers for (of, _), (headers, _) in records.items() if of == topic]
    names = ("ce_streamid", "ce_session", "ce_time", "ce_pts", "ce_timebase", "ce_sourcewidth")
    return sorted(({name: one[name] for name in names} for one in own), key=json.dumps)


def test_a_killed_job_keeps_what_it_commits_and_heads_run_over_it(
    jobs, tools, footage, basis, braked, tmp_path
) -> None:
    sink, folder = f"sqlite:{tmp_path}/r.db", tmp_path / "kept"
    keep = ["--keep-features", str(folder), "--basis", str(basis), "--runtime", "inline"]
    running = [word for name in [*OPERATORS, "brake:Brake"] for word in ("--operator", name)]
    arguments = [footage, "--all", *running, *keep, "--sink", sink]
    job = jobs.start(*arguments)
    tools.wait_until(lambda: _committed(tools, sink) > 0, job)
    below = tools.descendants(job.pid)
    job.kill()
    job.communicate()
    assert below
    committed = _committed(tools, sink)
    assert 0 < committed < FRAMES
    braked.touch()
    report = jobs.run(*arguments)
    assert report["frames"] == FRAMES - committed
    first = tools.records(sink)
    assert all(one.ended and one.findings == [] for one in tools.audit(sink))
    assert kept(folder) == positions(first, "depth")
    assert len(kept(folder)) == FRAMES

    again = f"sqlite:{tmp_path}/again.db"
    source, job_of = f"features:{folder}", {"sampling": {"all": True}, "operators": OPERATORS}
    _, tally = tools.run_inline([source], again, **job_of)
    second = tools.records(again)
    assert tally.frames == FRAMES
    assert {outcome.status for outcome in tally.outcomes} == {"ok"}
    for topic in ("depth", "depth.summary", "action", "embedding"):
        assert facts(first, topic) == facts(second, topic)
    assert first.keys() & second.keys() == set(), "what is computed otherwise has other ids"
    assert all(one.findings == [] for one in tools.audit(again))
    alone = f"sqlite:{tmp_path}/alone.db"
    tools.run_inline([source], alone, **job_of, batch_size=3)
    assert tools.records(alone) == second, "batch mates change nothing"


def test_heads_that_need_what_was_not_kept_are_refused(footage, basis, tools, tmp_path) -> None:
    values = {"sources": [str(footage)], "runtime": "inline", "operators": ["embedding"]}
    features = {"dir": str(tmp_path / "kept"), "basis": str(basis)}
    sink = {"sink": f"sqlite:{tmp_path}/r.db"}
    with pytest.raises(UsageError, match="the basis has block"):
        assemble(resolve(None, SMALL | values | sink | {"features": features}))
    values |= {"operators": OPERATORS}
    tools.run_inline([footage], sink["sink"], operators=OPERATORS, features=features)
    source = {"sources": [f"features:{tmp_path / 'kept'}"]}
    with pytest.raises(UsageError, match="frames looks at pixels"):
        assemble(resolve(None, SMALL | values | source | {"operators": ["frames"]}))
    with pytest.raises(UsageError, match="was fitted on the backbone"):
        assemble(resolve(None, SMALL | values | source | {"seed": 1}))
    with pytest.raises(UsageError, match="is not kept again"):
        assemble(resolve(None, SMALL | values | source | {"features": features}))


def _committed(tools, sink: str) -> int:
    try:
        return sum(topic == "depth" for topic, _ in tools.records(sink))
    except DinostreamError:  # not made yet
        return 0

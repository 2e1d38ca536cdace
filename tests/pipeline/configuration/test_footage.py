"""A recorder's folder becomes chains; what cannot be one is refused by name."""

from __future__ import annotations

import os
import re
from itertools import count
from pathlib import Path

import pytest

from operators.errors import UsageError
from pipeline.configuration.config import Config
from pipeline.configuration.footage import chains_of, layout_of
from pipeline.configuration.sources import plan_recordings
from pipeline.configuration.streams import stream_specs
from pipeline.stream.layout import Layout
from pipeline.stream.spec import StreamSpec

NAMES = "cam-{stream}/{time:%Y-%m-%d_%H-%M}.mp4"
LAYOUT = Layout(NAMES, "Europe/Berlin")


def record(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())


def specs(folder: Path, **more: object) -> list[StreamSpec]:
    given = {"sources": [str(folder)], "layout": NAMES, "timezone": "Europe/Berlin"}
    return stream_specs(Config.model_validate(given | more), live=False)


def refusal(folder: Path, layout: Layout = LAYOUT) -> str:
    with pytest.raises(UsageError) as caught:
        chains_of(str(folder), layout)
    return str(caught.value)


def test_each_stream_is_a_chain_by_the_times_of_its_files(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gate = ["cam-gate/2026-10-25_03-30.mp4", "cam-gate/2026-10-25_01-50.mp4"]
    record(tmp_path, *gate, "cam-yard/2026-11-30_12-00.mp4", "cam-gate/notes.mp4", "index.db")
    record(tmp_path, ".Trash/cam-x/2026-11-30_12-00.mp4", "cam-gate/.2026-11-30_12-00.mp4")
    yard, at_gate = sorted(specs(tmp_path), key=lambda spec: spec.stream, reverse=True)
    assert (yard.stream, at_gate.stream) == ("yard", "gate")
    assert [at_gate.url, *at_gate.join] == [str(tmp_path / name) for name in reversed(gate)]
    assert at_gate.layout == LAYOUT
    assert "files that the layout does not match: 1 (cam-gate/notes.mp4)" in caplog.text
    assert "hidden files: 1" in caplog.text


def test_a_session_is_of_the_layout_and_not_of_the_files(tmp_path: Path) -> None:
    record(tmp_path, "cam-a/2026-11-30_12-00.mp4", "cam-b/2026-11-30_12-00.mp4")
    before = {spec.stream: spec.session for spec in specs(tmp_path)}
    record(tmp_path, "cam-a/2026-11-30_11-00.mp4")
    tmp_path.rename(moved := tmp_path.with_name("moved"))
    assert {spec.stream: spec.session for spec in specs(moved)} == before
    assert before["a"] != before["b"]
    assert specs(moved, timezone="UTC")[0].session not in before.values()


def test_without_streams_in_the_names_it_is_called_after_the_folder(tmp_path: Path) -> None:
    record(tmp_path, "gate/2026-11-30_12-00.mp4")
    names = {"layout": "{time:%Y-%m-%d_%H-%M}.mp4"}
    (spec,) = specs(tmp_path / "gate", **names)
    assert spec.stream == "gate"
    named = {"sources": [], "streams": {"door": {"url": str(tmp_path / "gate")}}}
    (spec,) = specs(tmp_path, **names, **named)
    assert (spec.stream, spec.layout) == ("door", Layout(names["layout"], "Europe/Berlin"))


def test_a_layout_that_no_file_matches_says_what_is_there(tmp_path: Path) -> None:
    record(tmp_path, "a/b/1.mp4", "2.mkv", "index.db")
    said = refusal(tmp_path)
    assert f"such as {tmp_path}/cam-gate/2026-11-30_17-05.mp4" in said
    assert "files that the layout does not match: 2 (" in said
    (tmp_path / "empty").mkdir()
    assert refusal(tmp_path / "empty").endswith(", nor any video")


def test_two_files_of_one_time_are_refused_by_name(tmp_path: Path) -> None:
    layout = Layout("*/{time:%Y-%m-%d_%H-%M}.mp4", "UTC")
    record(tmp_path, "a/2026-11-30_12-00.mp4", "b/2026-11-30_12-00.mp4")
    said = refusal(tmp_path, layout)
    assert f"{tmp_path}/a/2026-11-30_12-00.mp4 and {tmp_path}/b/2026-11-30_12-00.mp4" in said


def test_one_content_under_two_names_is_refused_by_name(tmp_path: Path) -> None:
    record(tmp_path, "cam-a/2026-11-30_12-00.mp4", "cam-a/2026-11-30_12-10.mp4")
    assert list(chains_of(str(tmp_path), LAYOUT)) == ["a"]
    (tmp_path / "cam-a/2026-11-30_12-20.mp4").write_bytes(b"cam-a/2026-11-30_12-00.mp4")
    assert re.search(r"12-00.mp4 and \S+12-20.mp4 hold the same", refusal(tmp_path))


def test_names_that_overlap_are_refused(tmp_path: Path) -> None:
    layout = Layout("{time:%Y%m%d-%H%M%S}-{end:%H%M%S}.dav", "UTC")
    record(tmp_path, "20261130-235500-000002.dav", "20261201-000000-000500.dav")
    assert len(chains_of(str(tmp_path), layout)[""]) == 2
    record(tmp_path, "20261201-000400-001000.dav")
    assert re.search(
        r"000000-000500.dav and \S+000400-001000.dav overlap", refusal(tmp_path, layout)
    )


def test_an_hour_that_came_twice_is_refused_by_the_files_name(tmp_path: Path) -> None:
    record(tmp_path, "cam-a/2026-10-25_02-10.mp4")
    assert refusal(tmp_path).startswith(f"{tmp_path}/cam-a/2026-10-25_02-10.mp4: 2026-10-25 02:10")


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"layout": None}, "timezone is of a layout's times"),
        ({"timezone": None}, "no known zone"),
        ({"join": True}, "leave join out"),
        ({"start_time": "2026-11-30T12:00:00Z"}, "leave start_time out"),
        ({"span_s": [0, 5]}, "leave span_s out"),
    ],
)
def test_what_says_otherwise_is_refused(tmp_path: Path, given, complaint: str) -> None:
    with pytest.raises(UsageError, match=complaint):
        specs(tmp_path, **given)


def test_only_a_replay_of_a_folder_has_one(tmp_path: Path) -> None:
    record(tmp_path, "a.mp4")
    with pytest.raises(UsageError, match="of the files of a folder"):
        specs(tmp_path / "a.mp4")
    config = Config.model_validate({"layout": NAMES, "timezone": "UTC"})
    with pytest.raises(UsageError, match="layout is of a replay"):
        stream_specs(config, live=True)
    assert layout_of(config) == Layout(NAMES, "UTC")


def test_a_long_list_is_told_and_opens_no_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("INFO")
    (tmp_path / "cam-a").mkdir()
    for number in range(1440):
        path = tmp_path / "cam-a" / f"2026-11-30_{number // 60:02}-{number % 60:02}.mp4"
        path.write_bytes(b"x" * 10)  # one size, as of a recorder that allocates ahead

    def closed(*_: object, **__: object) -> None:
        raise AssertionError("a file was opened")

    monkeypatch.setattr("builtins.open", closed)
    monkeypatch.setattr(os, "open", closed)
    ticks = count()
    (files,) = chains_of(str(tmp_path), LAYOUT, lambda: next(ticks) / 100).values()
    assert len(files) == 1440
    assert re.search(r"\d+ files so far", caplog.text)
    assert "a: 1440 files begin from 2026-11-29T23:00:00.000000Z to" in caplog.text


def test_what_goes_while_it_is_listed_is_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "cam-a"
    folder.mkdir()
    for minute in range(3):
        (folder / f"2026-11-30_12-0{minute}.mp4").write_bytes(bytes([minute]))
    ticks = count()

    def retention() -> float:
        """Takes all once the first is listed."""
        if next(ticks) == 1:
            for path in folder.iterdir():
                path.unlink()
        return 0.0

    (files,) = chains_of(str(tmp_path), LAYOUT, retention).values()
    assert len(files) == 1
    assert "files that were gone when they were looked at: 2" in caplog.text


def test_a_chain_keeps_its_name_when_its_oldest_file_goes(tmp_path: Path) -> None:
    """Also where another folder has a stream of its name, and where two look alike in one."""
    for name in ("A/cam-gate", "B/cam-gate", "B/cam-gate "):
        (tmp_path / name).mkdir(parents=True)
        for hour in (10, 11):
            (tmp_path / name / f"2026-11-30_{hour}-00.mp4").write_bytes(f"{name}{hour}".encode())

    def names() -> dict[str, str]:
        folders = [str(tmp_path / one) for one in "AB"]
        plans = plan_recordings(folders, layout=LAYOUT)
        return {plan.stream: plan.url.rpartition("/")[0] for plan in plans}

    before = names()
    assert len(before) == 3
    (tmp_path / "A/cam-gate/2026-11-30_10-00.mp4").unlink()
    (tmp_path / "B/cam-gate/2026-11-30_10-00.mp4").unlink()
    assert names() == before

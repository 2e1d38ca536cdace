"""Names of recorders' files: whose they are, and when they begin, in every zone."""

from __future__ import annotations

import pytest

from operators.moment import rfc3339
from pipeline.stream.layout import Layout

BERLIN = Layout("{time:%Y-%m-%d_%H-%M}.mp4", "Europe/Berlin")


@pytest.mark.parametrize(
    ("recorder", "template", "zone", "name", "stream", "start", "end"),
    [
        (
            *("Frigate", "{time:%Y-%m-%d/%H}/{stream}/{time:%M.%S}.mp4", "UTC"),
            *("2026-11-30/12/front/59.10.mp4", "front", "2026-11-30T12:59:10", None),
        ),
        (
            *("Blue Iris", "{stream}.{time:%Y%m%d_%H%M%S}.mp4", "America/New_York"),
            *("cam.1.20261130_125910.mp4", "cam.1", "2026-11-30T17:59:10", None),
        ),
        (
            *("ZoneMinder", "{stream}/{time:%y/%m/%d/%H/%M/%S}/*.mp4", "UTC"),
            *("3/26/11/30/12/59/10/77-video.mp4", "3", "2026-11-30T12:59:10", None),
        ),
        (
            "Dahua",
            "{stream}/{time:%Y-%m-%d}/*/dav/*/{time:%H.%M.%S}-{end:%H.%M.%S}*.dav",
            *("Asia/Shanghai", "yard/2026-11-30/001/dav/23/23.55.00-00.00.00[R][0@0][0].dav"),
            *("yard", "2026-11-30T15:55:00", "2026-11-30T16:00:00"),
        ),
        (
            *("Hikvision", "{stream}_{time:%Y%m%d%H%M%S}_{end:%Y%m%d%H%M%S}*.mp4", "UTC"),
            *("ch01_20261130235500_20261201000500_1.mp4", "ch01"),
            *("2026-11-30T23:55:00", "2026-12-01T00:05:00"),
        ),
        (
            *("UniFi Video", "{stream}/{time:%Y/%m/%d}/{time:%s%f}_{end:%s%f}_*.mp4", ""),
            *("c/2016/02/29/1456704000123_1456704010456_x.mp4", "c"),
            *("2016-02-29T00:00:00.123", "2016-02-29T00:00:10.456"),
        ),
        (
            *("an export", "{time:%-m-%-d-%Y, %-I.%M.%S %p}.mp4", "Europe/Berlin"),
            *("1-31-2026, 1.00.05 PM.mp4", "", "2026-01-31T12:00:05", None),
        ),
        (
            *("a day of the year", "{stream}/{stream}-{time:%Y%j}.ts", "UTC"),
            *("a/a-2026365.ts", "a", "2026-12-31T00:00:00", None),
        ),
        (
            *("its own zone", "{{{time:%Y-%m-%dT%H%M%S%z}}}.mkv", ""),
            *("{2026-11-30T120000-0530}.mkv", "", "2026-11-30T17:30:00", None),
        ),
    ],
    ids=lambda value: value if value and " " in value and "{" not in value else "",
)
def test_recorders_names_are_reached(recorder, template, zone, name, stream, start, end) -> None:
    layout = Layout(template, zone)
    named = layout.read(name)
    assert named is not None, recorder
    assert named.stream == stream
    assert rfc3339(named.start_us).rstrip("0Z.") == start.rstrip("0Z.")
    ended = named.end_us and rfc3339(named.end_us).rstrip("0Z.")
    assert ended == (end and end.rstrip("0Z."))
    assert layout.read(layout.example) is not None
    assert layout.name_of(f"/some/where/{name}") == name


@pytest.mark.parametrize(
    "name", ["x/2026-11-30_12-00.mp4", "2026-11-30_12-00.mkv", "2026-11-30_12-0.mp4", "a.mp4"]
)
def test_other_names_are_none_of_its(name: str) -> None:
    assert BERLIN.read(name) is None


def test_a_stream_that_comes_twice_is_the_same() -> None:
    assert Layout("{stream}/{stream}-{time:%s}.ts").read("a/b-1456704000.ts") is None


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("2026-03-29_02-30.mp4", "2026-03-29 02:30 was not in Europe/Berlin"),
        ("2026-10-25_02-30.mp4", "2026-10-25 02:30 was twice in Europe/Berlin"),
        ("2026-02-30_02-30.mp4", "names no time: day is out of range"),
        ("2026-11-30_25-00.mp4", "names no time: hour must be"),
    ],
)
def test_a_time_that_was_not_or_came_twice_is_refused(name: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        BERLIN.read(name)


def test_around_the_changed_hours_nothing_is_lost() -> None:
    said = {
        "2026-03-29_01-59": "2026-03-29T00:59:00",
        "2026-03-29_03-00": "2026-03-29T01:00:00",
        "2026-10-25_01-59": "2026-10-24T23:59:00",
        "2026-10-25_03-00": "2026-10-25T02:00:00",
    }
    for name, moment in said.items():
        named = BERLIN.read(f"{name}.mp4")
        assert named
        assert rfc3339(named.start_us)[:19] == moment
    with pytest.raises(ValueError, match="was not in Australia/Lord_Howe"):
        Layout("{time:%Y%m%d%H%M}", "Australia/Lord_Howe").read("202610040215")  # half an hour


@pytest.mark.parametrize(
    ("template", "zone", "complaint"),
    [
        ("x.mp4", "UTC", "needs {time:FORMAT}"),
        ("{time:%H-%M}", "UTC", "names no day"),
        ("{time:%Y%m%d}", "", "no known zone; give timezone"),
        ("{time:%s}", "UTC", "timezone does nothing: %s"),
        ("{time:%Y%m%d}", "Mars/Olympus", "no time zone 'Mars/Olympus' on this machine"),
        ("{camera}/{time:%s}", "", "'{camera}' is no part of a layout"),
        ("{time:%s", "", "is no part of a layout"),
        ("{time:%Q}", "", "%Q is not known in a layout; known: %Y"),
        ("{time:}", "", "has no format"),
        ("{time:%Y%m%d%I}", "UTC", "go together"),
    ],
)
def test_a_layout_that_makes_no_sense_is_refused(template, zone, complaint) -> None:
    with pytest.raises(ValueError, match=complaint):
        Layout(template, zone)


def test_what_its_times_do_not_say() -> None:
    formats = {"%s%f": 0, "%s": 1, "%Y%m%d%H%M%S": 1, "%Y%m%d%H%M": 60, "%Y%m%d": 86_400}
    for text, seconds in formats.items():
        zone = "" if "%s" in text else "UTC"
        assert Layout(f"{{time:{text}}}", zone).resolution_us == seconds * 1_000_000

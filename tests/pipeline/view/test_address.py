"""What the page's address says, and times as people write them."""

import os

import pytest

pytestmark = pytest.mark.slow

NOON = 1_795_953_600_123_456  # 2026-11-29T12:00:00.123456Z


def test_what_is_shown_comes_back_from_its_address(javascript):
    routes = [
        {"stream": None, "text": "gate & yard"},
        {"stream": "gate"},
        {"stream": "a/b c?d#e%f=&\u00e4", "axis": "live", "time_us": NOON},
        {"stream": "x", "layers": ["depth", "boxes"], "opacity": 0, "split": 50, "text": "#1"},
        {"stream": "x", "layers": []},
    ]
    script = """
      import { address, parsed } from "./route.js";
      for (const route of given) said.push([address(route), parsed(address(route))]);
    """
    nothing = {"axis": None, "time_us": None, "layers": None, "opacity": None, "split": None}
    found = javascript(script, routes)
    assert [one for _, one in found] == [{**nothing, "text": "", **one} for one in routes]
    assert found[2][0].endswith("?axis=live&t=2026-11-29T12:00:00.123456Z")
    assert found[3][0] == "#/s/x?layers=depth,boxes&opacity=0&split=50&text=%231"


def test_an_address_that_makes_no_sense_is_the_nearest_that_does(javascript):
    script = """
      import { parsed } from "./route.js";
      for (const hash of given) {
        const { stream, time_us, opacity, split } = parsed(hash);
        said.push([stream, time_us, opacity, split]);
      }
    """
    hashes = [
        "",
        "#/",
        "#nonsense",
        "#/s/%",
        "#/s/x?t=soon&opacity=-5&split=1e9",
        "#/s/x?opacity=a",
    ]
    assert javascript(script, hashes) == [
        [None, None, None, None],
        [None, None, None, None],
        [None, None, None, None],
        ["%", None, None, None],
        ["x", None, 0, 100],
        ["x", None, None, None],
    ]


def test_times_are_written_and_read_to_the_microsecond(javascript):
    script = """
      import { fromStamp, stamp } from "./time.js";
      for (const time_us of given) said.push([stamp(time_us), fromStamp(stamp(time_us))]);
      said.push(["2026-11-29T13:00:00.5+01:00", "2026-11-29T12:00Z", "", null].map(fromStamp));
    """
    first, second, rest = javascript(script, [NOON, 1])
    assert first == ["2026-11-29T12:00:00.123456Z", NOON]
    assert second == ["1970-01-01T00:00:00.000001Z", 1]
    assert rest == [NOON - 123_456 + 500_000, None, None, None]


def test_what_is_typed_is_meant_as_it_is_shown(javascript, monkeypatch):
    monkeypatch.setitem(os.environ, "TZ", "Europe/Berlin")
    script = """
      import { clockTime, typed, zone } from "./time.js";
      for (const [text, clock] of given) said.push(typed(text, clock, 1795953600123456));
      said.push(clockTime(1795953600123456, "capture"), clockTime(3723500000, "media"));
      said.push(zone(1795953600123456));
    """
    given = [
        ["13:00:00.123456", "capture"],
        ["13:00", "capture"],
        ["2026-11-29 13:00:00", "capture"],
        ["2026-11-29T12:00:00.123456Z", "media"],
        ["1:02", "media"],
        ["1:02:03.5", "media"],
        ["soon", "media"],
        ["25", "capture"],
    ]
    *times, shown, elapsed, zone = javascript(script, given)
    whole = NOON - 123_456
    assert times == [NOON, whole, whole, NOON, 62_000_000, 3_723_500_000, None, None]
    assert (shown, elapsed) == ("13:00:00.123", "1:02:03.500")
    assert zone in ("GMT+1", "CET")

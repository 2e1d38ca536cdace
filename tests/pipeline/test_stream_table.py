"""Every live stream in a line: who is in trouble first, and never more lines than there is room."""

import pytest

from pipeline.engine.camera import Camera
from pipeline.engine.histogram import Histogram
from pipeline.stream_table import StreamTable

WIDE, TALL = 200, 50


def histogram(*durations_s):
    made = Histogram()
    for seconds in durations_s:
        made.add(seconds)
    return made


def table(*looks):
    """Looks at one moment each: (seconds, cameras)."""
    made = StreamTable()
    for now_s, cameras in looks:
        made.add(now_s, cameras, {})
    return made


def names(lines):
    return [line.split()[0] for line in lines[1:]]


def test_a_line_has_what_happened_in_the_last_ten_seconds():
    made = StreamTable()
    made.add(0, {"gate": Camera(frames=5, state="live")}, {"gate": histogram(*[4.0] * 99)})
    before, after = histogram(*[4.0] * 99), histogram(*[4.0] * 99, *[0.25] * 20)
    for second in range(1, 31):
        camera = Camera(frames=5 + 3 * second, dropped={"full": 7, "late": 1}, state="live")
        made.add(second, {"gate": camera}, {"gate": after if second > 25 else before})
    header, row = made.lines(WIDE, TALL)
    assert header.split() == ["stream", "state", "frames/s", "p95", "dropped", "since"]
    assert row.split() == ["gate", "live", "3.0", "0.29", "s", "8", "30", "s"]


def test_latency_is_unknown_where_no_frame_came():
    (_, row) = table((0, {"gate": Camera()}), (9, {"gate": Camera()})).lines(WIDE, TALL)
    assert row.split() == ["gate", "starting", "0.0", "-", "0", "9", "s"]


def test_who_is_in_trouble_comes_first_and_says_why():
    cameras = {
        "a": Camera(state="ended"),
        "b": Camera(state="live"),
        "c": Camera(state="live", dropped={"full": 9}),
        "d": Camera(state="starting"),
        "e": Camera(state="stalled"),
        "f": Camera(state="lost", why="401 \x1b[2JUnauthorized"),
        "g": Camera(state="live", dropped={"full": 3}),
    }
    before = {name: Camera(dropped={"full": 3} if name == "g" else {}) for name in cameras}
    lines = table((0, before), (1, cameras)).lines(WIDE, TALL)
    assert names(lines) == ["f", "e", "c", "d", "b", "g", "a"], "g dropped some, long ago"
    assert lines[1].endswith("  0 s  401 ?[2JUnauthorized")


def test_a_state_is_told_since_it_began():
    made = table(
        (0, {"gate": Camera(state="live", frames=1)}),
        (100, {"gate": Camera(state="lost")}),
        (290, {"gate": Camera(state="lost")}),
    )
    assert made.lines(WIDE, TALL)[1].endswith("3 min 10 s")


@pytest.mark.parametrize(
    ("height", "shown", "last"),
    [
        (7, 5, "cam4"),
        (6, 5, "cam4"),
        (5, 3, "and 2 more"),
        (3, 1, "and 4 more"),
        (2, 0, "and 5 more"),
    ],
)
def test_there_are_as_many_lines_as_there_is_room_for(height, shown, last):
    cameras = {f"cam{number}": Camera(state="live") for number in range(5)}
    lines = table((0, cameras)).lines(WIDE, height)
    assert len(lines) <= height
    assert sum(line.startswith("cam") for line in lines) == shown
    assert lines[-1].startswith(last)


def test_long_names_and_narrow_terminals_cut_lines():
    made = table((0, {"n" * 60: Camera(state="lost", why="w" * 300), "short": Camera()}))
    assert made.lines(WIDE, TALL)[1].startswith("n" * 23 + "…  lost")
    assert max(map(len, made.lines(90, TALL))) == 90
    assert "since" in made.lines(80, TALL)[0]


def test_nothing_is_said_of_no_stream():
    assert StreamTable().lines(WIDE, TALL) == []
    assert table((0, {})).lines(WIDE, TALL) == []
    assert table((0, {"gate": Camera()})).lines(WIDE, 1) == []

"""Progress as a person or a script sees it."""

import io
import json
import os
import pty
import re
import subprocess
import sys
import termios
from collections import Counter
from pathlib import Path

import pytest

from pipeline.display import LogDisplay, Meter, PlainDisplay, Status
from pipeline.engine.camera import Camera
from pipeline.report import Report
from pipeline.testing import ManualClock

REPORT = Report(
    frames=300,
    seconds=60.0,
    records=Counter(depth=300, action=70),
    streams={"a": "ok", "b": "rejected", "c": "ok"},
    sink="sqlite:results.db",
    failures={"b": "no video in it"},
)


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def plain(clock):
    return PlainDisplay(err=io.StringIO(), out=io.StringIO(), clock=clock)


def lines(display):
    return display._err.getvalue().splitlines()


def test_a_plain_line_every_five_seconds_whatever_the_number_of_updates(plain, clock):
    for tenth in range(120):
        clock.now_s = tenth / 10
        plain.update(Status(frames=tenth, records=4 * tenth, ended=0, streams=2))
    assert lines(plain) == [
        "50 frames, 10.0 frames/s, 200 records, 0 of 2 streams done",
        "100 frames, 10.0 frames/s, 400 records, 0 of 2 streams done",
    ]


def test_cameras_are_not_done_but_live_or_lost(plain, clock):
    cameras = {"gate": Camera(state="live"), "yard": Camera(state="lost")}
    clock.now_s = 5
    plain.update(Status(0, 0, 0, 0, cameras={"yard": Camera(state="lost")}))
    clock.now_s = 10
    plain.update(Status(50, 200, 0, 0, cameras=cameras))
    clock.now_s = 15
    plain.update(Status(50, 200, 1, 2, cameras=cameras))
    assert lines(plain) == [
        "0 frames, 0.0 frames/s, 0 records, 0 cameras live, 1 lost (yard)",
        "50 frames, 10.0 frames/s, 200 records, 1 camera live, 1 lost (yard)",
        "50 frames, 5.0 frames/s, 200 records, 1 of 2 streams done, 1 camera live, 1 lost (yard)",
    ]


def test_frames_that_were_to_be_dropped_are_no_warning(clock, caplog):
    caplog.set_level("INFO")
    display = LogDisplay(clock=clock)
    clock.now_s = 5
    cameras = {name: Camera(dropped={"full": 7}) for name in ("gate", "yard")}
    display.update(Status(0, 0, 0, 0, cameras=cameras, latest={"gate"}))
    said = {one.stream: (one.levelname, one.message) for one in caplog.records[1:]}
    assert said["gate"][0] == "INFO"
    assert said["gate"][1].endswith("its latest frames alone are wanted (drop: latest)")
    assert said["yard"][0] == "WARNING"


def test_a_slow_start_is_called_a_start(plain, clock):
    clock.now_s = 5
    plain.update(Status(frames=0, records=0, ended=0, streams=2))
    assert lines(plain) == ["starting, 2 streams"]


def test_an_outage_is_told_at_once_and_goes_on_being_told(plain, clock):
    away = "the broker h:9092 is away since 3 min 10 s; retrying; recordings wait"
    clock.now_s = 1
    plain.update(Status(frames=5, records=20, ended=0, streams=2))
    for second in (2, 3, 7):
        clock.now_s = second
        plain.update(Status(frames=5, records=20, ended=0, streams=2, outage=away))
    clock.now_s = 8
    plain.update(Status(frames=5, records=20, ended=0, streams=2))
    counts = "5 frames, 0.0 frames/s, 20 records, 0 of 2 streams done"
    assert lines(plain) == [f"{counts}; {away}", f"{counts}; {away}", counts]


def test_what_was_not_delivered_is_in_the_report(plain):
    plain.finish(Report(1, 1.0, {}, {}, "sqlite:a.db", away_s=190.2, undelivered={"gate": 37}))
    told = plain._out.getvalue()
    assert "the sink was away for 3 min 10 s and came back" in told
    assert "gate: 37 frames NOT DELIVERED" in told


def test_the_rate_is_that_of_the_last_ten_seconds():
    meter = Meter()
    for second in range(60):
        meter.add(second, Status(frames=100 * min(second, 30), records=0, ended=0, streams=1))
    assert meter.frames_per_s == 0.0


def test_time_left_follows_from_the_share_that_is_done():
    meter = Meter()
    meter.add(0, Status(0, 0, 0, 1, share=0.2))
    assert meter.left_s is None
    meter.add(8, Status(50, 0, 0, 1, share=0.4))
    assert meter.left_s == pytest.approx(24)
    assert meter.text().endswith("about 24 s left")


@pytest.mark.parametrize("share", [None, 0.2])
def test_no_time_left_where_nobody_can_know(share):
    meter = Meter()
    meter.add(0, Status(0, 0, 0, 1, share=share))
    meter.add(8, Status(50, 0, 0, 1, share=share))
    assert meter.left_s is None


def test_the_report_for_a_person(plain):
    plain.finish(REPORT)
    assert plain._out.getvalue().splitlines() == [
        "300 frames in 60.0 s, 5.0 frames/s",
        "streams: 2 ok, 1 rejected",
        "  b: no video in it",
        "                action       70 records",
        "                 depth      300 records",
        "in sqlite:results.db",
    ]


def test_frames_that_a_gate_left_out_are_told_of_where_there_are_some(plain):
    plain.finish(Report(20, 10.0, {}, {}, "sqlite:a.db", unchanged=180))
    assert "20 frames in 10.0 s, 2.0 frames/s; 180 more were unchanged" in plain._out.getvalue()
    assert "unchanged" not in "".join(REPORT.lines())


def test_conflicting_records_are_shouted(plain):
    plain.finish(Report(1, 1.0, {}, {}, "sqlite:a.db", repeated=2, conflicting=3))
    told = plain._out.getvalue()
    assert "2 records were there already" in told
    assert "3 CONFLICTING records" in told


def test_the_report_for_a_script_is_one_json_object_alone_on_stdout(clock):
    display = PlainDisplay(as_json=True, err=io.StringIO(), out=io.StringIO(), clock=clock)
    display.note("a note")
    display.finish(REPORT)
    report = json.loads(display._out.getvalue())
    assert report["records"] == {"depth": 300, "action": 70}
    assert report["streams"]["b"] == "rejected"


def test_on_a_terminal_a_bar_moves_and_notes_and_logs_stay():
    script = """
import logging
from pipeline.logs import set_up_logging
from pipeline.display import BarDisplay, Status, open_display
set_up_logging("info")
display = open_display()
assert isinstance(display, BarDisplay), display
display.update(Status(10, 40, 0, 1, 0.5))
display.note("[red]a note with [brackets]")
logging.getLogger("pipeline.x").info("a log line, rtsp://bob:hunter2@h/x")
display.close()
display.close()
"""
    shown = on_a_terminal(script)
    assert "10 frames" in shown
    assert "[red]a note with [brackets]" in shown
    dated = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d INFO pipeline\.x: a log line, rtsp://bob:\*\*\*@h/x"
    assert re.search(dated, shown)


def test_on_a_terminal_live_streams_have_a_table_that_is_drawn_in_place():
    script = """
import logging
from pipeline.engine.camera import Camera
from pipeline.logs import set_up_logging
from pipeline.display import Status, TableDisplay, open_display
set_up_logging("info")
display = open_display(live=True)
assert isinstance(display, TableDisplay), display
gate = Camera(state="live", frames=10)
display.update(Status(10, 40, 0, 0, cameras={"gate": gate}))
logging.getLogger("pipeline.x").warning("yard: lost")
yard = Camera(state="lost", why="rtsp://bob:hunter2@h/x: 401")
more = {f"cam{number}": Camera(state="live") for number in range(20)}
display.update(Status(10, 40, 0, 0, cameras={"gate": gate, "yard": yard, **more}))
display.close()
display.close()
"""
    shown = on_a_terminal(script, rows=8)
    lines = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown).replace("\r", "\n").splitlines()
    kept = [line for line in lines if line]
    assert kept[0].startswith("stream  state")
    assert "pipeline.x: yard: lost" in shown
    header = len(kept) - 1 - [line.startswith("stream") for line in kept[::-1]].index(True)
    last = kept[header:]
    assert last[1].startswith("yard    lost")
    assert last[1].endswith("rtsp://bob:***@h/x: 401")
    assert last[2].startswith("gate    live")
    assert last[-2] == "and 17 more"
    assert last[-1].endswith("40 records, 21 cameras live, 1 lost (yard)")
    assert len(last) == 8
    assert shown.count("\x1b[1A") >= 8, "it is drawn over, and gone in the end"


def on_a_terminal(script, *, rows=24):
    """What a terminal is sent by a process whose stderr it is."""
    parent, child = pty.openpty()
    termios.tcsetwinsize(child, (rows, 100))
    done = subprocess.run(
        [sys.executable, "-c", script],
        stderr=child,
        stdout=subprocess.PIPE,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": str(rows)},
        cwd=Path(__file__).parents[2],
        check=False,
    )
    os.close(child)
    shown = _read_all(parent)
    assert done.returncode == 0, shown
    return shown


def _read_all(descriptor):
    pieces = []
    try:
        while piece := os.read(descriptor, 4096):
            pieces.append(piece)
    except OSError:  # the terminal's other end is closed
        pass
    os.close(descriptor)
    return b"".join(pieces).decode()

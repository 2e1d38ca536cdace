"""docs/subscribe.md: its examples run, and say what is there."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from operators.png import grey16_png, palette_png
from pipeline import subscribe
from pipeline.client import results
from pipeline.client.decoding import BY_TOPIC

PAGE = (Path(__file__).parents[3] / "docs" / "subscribe.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
PERSON = {"id": 1, "name": "person", "rgb": [255, 0, 0]}
SECOND_US = 1_000_000


@pytest.fixture
def scope(file, build, monkeypatch, tmp_path, capsys):
    """What the page's examples leave, run after each other on two cameras: a person comes nearer
    to one of them, 3, 2 and 1 m away; the other one is 20 ms late, and once half a second."""

    def record(number, topic, data, **headers):
        late_us = 500_000 if number == 1 else 20_000
        for stream, delay_us in (("gate", 0), ("yard", late_us)):
            time_us = number * SECOND_US + delay_us
            message = build.message(number, stream, topic=topic, data=data, event_time_us=time_us)
            yield replace(message, headers={**message.headers, **headers})

    metric = {"ce_depthkind": "metric", "ce_depthscale": "0.001"}
    file.write_labels("mine", {"id": 0, "name": "floor", "rgb": [0, 0, 0]}, PERSON)
    for number in range(3):
        metres = 3 - number
        depth = np.full((2, 4), 9000, np.uint16)
        depth[:, 1] = metres * 1000
        depth[0, 0] = 0
        ids = np.zeros((2, 4), np.uint8)
        ids[:, 1] = 1
        percentiles = {"5": metres, "25": 9, "50": 9, "75": 9, "95": None}
        summary = {"unit": "m", "percentiles": percentiles, "grid": [[9] * 3] * 3}
        file.write(
            *record(number, "depth", grey16_png(depth), **metric),
            *record(
                number,
                "segmentation",
                palette_png(ids, [(0, 0, 0), (255, 0, 0)]),
                ce_labelset="mine",
            ),
            *record(number, "depth.summary", json.dumps(summary).encode()),
        )
    monkeypatch.chdir(tmp_path)
    Path("results.db").symlink_to("r.db")
    scope = {}
    for example in EXAMPLES:
        exec(example, scope)
    scope["printed"] = capsys.readouterr().out.splitlines()
    yield scope
    scope["mine"].close()


def test_the_examples_print_what_the_cameras_saw(scope):
    assert scope["printed"][:2] == [
        "gate 1970-01-01 00:00:00+00:00 9.0",
        "yard 1970-01-01 00:00:00.020000+00:00 9.0",
    ]
    alarms = [line for line in scope["printed"] if "a person" in line]
    assert alarms == [f"00:00:02 {stream}: a person at 1.0 m" for stream in ("gate", "yard")]
    assert [
        line for line in scope["printed"] if line.endswith(("3.0 3.0", "2.0 2.0", "1.0 1.0"))
    ] == [
        "1970-01-01 00:00:00+00:00 3.0 3.0",
        "1970-01-01 00:00:02+00:00 1.0 1.0",
    ], "those of second 1 are too far apart"


def test_results_and_offsets_are_kept_together(scope, file):
    mine = scope["mine"]
    assert mine.execute("SELECT count(*), min(metres) FROM nearest").fetchall() == [(6, 1.0)]
    (kept,) = mine.execute("SELECT place, offset FROM standing").fetchall()
    assert kept[0] == '["depth.summary", 0]'
    summaries = list(subscribe(file.uri, topics=["depth.summary"], follow=False))
    assert kept[1] == summaries[-1].offset + 1
    mine.execute("DELETE FROM nearest")
    mine.commit()
    example = next(one for one in EXAMPLES if "mine.db" in one)
    exec(example, scope)  # again: it goes on behind what it has
    assert scope["mine"].execute("SELECT count(*) FROM nearest").fetchall() == [(0,)]
    mine.close()


def test_pairs_are_of_the_nearest_times(scope, file):
    def paired(within):
        read = subscribe(file.uri, topics=["depth.summary"], follow=False)
        return [(a.pts, b.pts) for a, b in scope["pairs"](read, "gate", "yard", within)]

    assert paired(timedelta(seconds=1)) == [(0, 0), (3000, 3000), (6000, 6000)]
    assert paired(timedelta(0)) == []


def test_points_lie_where_the_pixels_look(scope, file):
    depth = next(iter(subscribe(file.uri, topics=["depth"], follow=False)))
    cloud = scope["points"](depth, fov_deg=90)
    assert cloud.shape == (7, 3), "one cell is unknown"
    height, width = depth.source_hw
    # Row 0, column 1 of 2 x 4 cells: a quarter of half the width to the left, half of half the
    # height up, 3 m away.
    assert cloud[0] == pytest.approx([-0.25 * 3, -0.5 * height / width * 3, 3])


def test_the_page_names_every_topic_its_class_and_its_fields():
    table = PAGE.partition("## What comes")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.+?`.*?) \| `(\w+)` \| (.+) \|$", table, flags=re.MULTILINE)
    named = {topic: cls for topics, cls, _ in rows for topic in re.findall(r"`(.+?)`", topics)}
    assert set(named) == set(BY_TOPIC)
    for _, name, told in rows:
        fields = dir(getattr(results, name))
        for field in re.findall(r"`([a-z_]+)[`(]", told):
            assert field in fields, (name, field)
    assert set(results.__all__) > {*named.values(), "Raw"}

"""Of each component the first in time is kept, the others name it, and nobody is deleted."""

import json

import numpy as np
import pytest

from operators.errors import UsageError
from operators.groups.grid import unit_rows
from pipeline.dedupe.marking import Counts, Mark, counts, marks, write_marks


def at(*degrees):
    """Units in a plane."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def marked(pool, degrees, **how):
    ids = [row.id for row in pool.rows]
    return marks(pool.units, pool.by_time, ids, float(np.cos(np.radians(degrees))), **how)


def test_the_first_in_time_is_kept_whatever_its_stream(pooled):
    pool = pooled(at(0, 90, 1, 91, 45), ["yard", "yard", "gate", "gate", "gate"])
    found = dict(zip([row.position for row in pool.rows], marked(pool, 5), strict=True))
    assert [found[name].verdict for name in "01234"] == [
        "kept", "kept", "duplicate", "duplicate", "kept",
    ]  # fmt: skip
    ids = {row.position: row.id for row in pool.rows}
    assert found["2"].of == ids["0"]
    assert found["3"].of == ids["1"]
    assert found["2"].cosine == pytest.approx(np.cos(np.radians(1)))
    assert found["2"].component == found["0"].component != found["1"].component


def test_what_hangs_together_over_others_is_marked_and_counted(pooled):
    found = marked(pooled(at(0, 8, 16, 24, 90)), 9)
    assert [one.verdict for one in found] == ["kept", *["duplicate"] * 3, "kept"]
    told = counts(found, float(np.cos(np.radians(9))))
    assert told == Counts(kept=2, duplicate=3, dropped=0, over_others=2, largest=4)


def test_a_component_with_a_reference_picture_is_dropped_whole(pooled):
    pool = pooled(at(0, 8, 16, 90))
    references = unit_rows(at(170, 20, 23))
    found = marked(pool, 9, references=references, names=["x.png", "y.png", "z.png"])
    assert [one.verdict for one in found] == ["dropped"] * 3 + ["kept"]
    assert [one.of for one in found[:3]] == ["y.png"] * 3
    assert found[2].cosine == pytest.approx(np.cos(np.radians(4)))
    assert counts(found, 0.9).dropped == 3


def test_the_same_frames_are_kept_in_whatever_order_they_lie(pooled):
    draw = np.random.default_rng(0)
    vectors = draw.normal(size=(60, 3))
    streams = [f"cam{n % 3}" for n in range(60)]
    pool = pooled(vectors, streams)
    want = {row.id: mark.verdict for row, mark in zip(pool.rows, marked(pool, 15), strict=True)}
    shuffled = draw.permutation(60)
    found = marks(
        pool.units[shuffled],
        np.argsort(pool.times_us[shuffled]),
        [pool.rows[n].id for n in shuffled],
        float(np.cos(np.radians(15))),
    )
    assert {pool.rows[n].id: one.verdict for n, one in zip(shuffled, found, strict=True)} == want


def test_a_line_of_json_for_every_record(pooled, tmp_path):
    pool = pooled(at(0, 1))
    write_marks(tmp_path / "m.jsonl", pool, marked(pool, 5))
    first, second = map(json.loads, (tmp_path / "m.jsonl").read_text().splitlines())
    assert first == {
        "id": pool.rows[0].id, "stream": "gate", "time": "1970-01-01T00:00:00.000000Z",
        "component": 0, "verdict": "kept",
    }  # fmt: skip
    assert second["of"] == first["id"]
    assert (second["verdict"], second["cosine"]) == ("duplicate", 0.9998)
    with pytest.raises(UsageError, match="cannot write"):
        write_marks(tmp_path / "no" / "m.jsonl", pool, [Mark("kept", 0), Mark("kept", 1)])

"""Shots on their lane: each a record of its own, in no operator's way."""

import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from operators.frames import FrameBatch, FrameInfo
from operators.variant import prepared_variant
from pipeline.engine.batching import Batch
from pipeline.engine.observer import StageSeconds
from pipeline.engine.variants import shots_variant
from pipeline.stream.chunk import End, Frames, Shot
from pipeline.stream.progress import Progress
from pipeline.stream.sampling import Sampling
from pipeline.stream.shots import ShotRule
from pipeline.stream.spec import StreamSpec

RULE = Sampling("fps", 5)
SPEC = StreamSpec("s", "x", session="a1b2c3d4e5f6", samplings=(RULE,), shots=ShotRule())
OK = End("s", "ok", decoded=20, sampled=4)


def info(number, **more):
    facts = ("s", SPEC.session, str(number), number, Fraction(1, 25), number * 40_000, 7, (56, 56))
    return FrameInfo(*facts, **{"epoch": 1} | more)


def run(*numbers):
    pixels = np.zeros((len(numbers), 56, 56, 3), np.uint8)
    infos = tuple(map(info, numbers))
    cursor = {"sampled": numbers[-1] // 5 + 1}
    return Frames(infos, pixels, (1,) * len(infos), cursor, before=numbers[0] // 5)


def shot(first, last, began="start", **more):
    return Shot(info(first).place, info(last, **more), last - first + 1, began)


@pytest.fixture
def said(lanes_of, engine_of):
    """`said(chunk, ...)`: messages of each commit."""

    def said(*chunks, progress=None, spec=SPEC):
        engine = engine_of()
        lane = lanes_of(engine, RULE)(spec, progress or Progress("feedfacecafe", "s", epoch=1))
        commits = []
        for entries in chunks:
            lane.queue.accept(entries)
            while (step := lane.advance()) is not None:
                if isinstance(step, Frames):
                    batch = Batch(FrameBatch(step.infos, step.pixels), step.taken)
                    lanes, observer = {"s": lane}, StageSeconds({})
                    engine.finish(engine.launch(batch, lanes, observer), lanes, observer)
                else:
                    commits.append(step)
                    lane.confirm()
        return commits

    return said


def of(commit, topic):
    return [one for one in commit.messages if one.topic == topic]


def test_a_shot_is_a_record_of_its_last_frame(said, described):
    first, second = said((run(0, 5), shot(0, 7), run(10)), (run(15), shot(8, 19, "cut"), OK))
    (one,), (other,) = of(first, "shots"), of(second, "shots")
    variant = shots_variant(SPEC)
    assert one.id == f"shots/s/{SPEC.session}/7/{variant}"
    assert json.loads(one.value) == {
        "start": {"position": "0", "time": "1970-01-01T00:00:00.000000Z"},
        "end": {"position": "7", "time": "1970-01-01T00:00:00.280000Z"},
        "frames": 8,
        "began": "start",
    }
    assert "ce_model" not in one.headers, "none has to do with it"
    described(one)
    described(other)
    assert [one.topic for one in first.messages].index("shots") == 3, "behind both frames' records"


def test_a_manifest_counts_them(said):
    (_, last) = said((run(0, 5), shot(0, 7), run(10, 15)), (shot(8, 19, "cut"), OK))
    (manifest,) = of(last, "manifest")
    (row,) = [one for one in json.loads(manifest.value)["series"] if one["topic"] == "shots"]
    assert (row["records"], row["variant"]) == (2, shots_variant(SPEC))
    assert row["last"] == f"{SPEC.session}/19"


def test_what_another_process_has_begun_is_told_by_the_one_that_goes_on(said):
    (first,) = said((run(0, 5),))
    progress = Progress.from_json(json.loads(replace(first.progress, epoch=2).to_json()))
    (again,) = said((shot(0, 4), run(10)), progress=progress)
    (message,) = of(again, "shots")
    assert message.headers["ce_epoch"] == "2"


def test_prepared_pictures_make_another_record(said):
    (commit,) = said((run(0), shot(0, 4, preparation="top field"), run(5)))
    (message,) = of(commit, "shots")
    assert message.headers["ce_variant"] == prepared_variant(shots_variant(SPEC), "top field")

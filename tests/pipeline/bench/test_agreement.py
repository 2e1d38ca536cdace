"""The gate: two contenders' records side by side, real ones and damaged ones."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image

from operators.bench.gate import GateRed
from operators.png import grey16_png, palette_png
from pipeline.bench.agreement import Agreement, compare, our_payloads, plain_payloads
from pipeline.bench.workload import TOPICS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def plain(finished):
    return plain_payloads(finished["plain"][0].database)


@pytest.fixture
def ours(finished):
    return dict(our_payloads(finished["inline"][0].database))


def pixels(value):
    return np.asarray(Image.open(io.BytesIO(value)))


def shifted_depth(value):
    return grey16_png(np.roll(pixels(value), 4, axis=1).astype(np.uint16))


def other_classes(value):
    return palette_png((pixels(value) // 2).astype(np.uint8), [(0, 0, 0)] * 150)


def turned_vector(value):
    return np.roll(np.frombuffer(value, "<f4"), 1).tobytes()


def other_scores(value):
    said = json.loads(value)
    said["labels"][0]["score"] += 0.2
    return json.dumps(said).encode()


def test_the_plain_loop_and_ours_do_the_same_work(plain, ours):
    agreement = compare(plain, ours)
    assert agreement.complaints() == []
    agreement.require("one", "other")
    assert agreement.records == {"depth": 10, "segmentation": 10, "action": 2, "embedding": 10}
    assert set(agreement.records) == set(TOPICS)


@pytest.mark.parametrize(
    ("topic", "damage", "said"),
    [
        ("depth", shifted_depth, "depth maps"),
        ("segmentation", other_classes, "segmentation maps"),
        ("embedding", turned_vector, "class tokens"),
        ("action", other_scores, "action scores"),
    ],
)
def test_one_wrong_record_is_red(plain, ours, topic, damage, said):
    key = max(key for key in ours if key[0] == topic)
    ours[key] = damage(ours[key])
    (complaint,) = compare(plain, ours).complaints()
    assert complaint.startswith(said)


def test_vectors_that_are_no_numbers_are_red(plain, ours):
    key = next(key for key in ours if key[0] == "embedding")
    ours[key] = np.full(192, np.nan, "<f4").tobytes()
    assert "class tokens: cosine nan" in compare(plain, ours).complaints()[0]


def test_a_missing_record_is_red(plain, ours):
    del ours[max(ours)]
    agreement = compare(plain, ours)
    assert "records per topic differ" in agreement.complaints()[0]
    with pytest.raises(GateRed, match="loop and ours disagree, so no figures: records"):
        agreement.require("loop", "ours")


def test_other_frames_are_red(plain, ours):
    topic, pts = max(key for key in ours if key[0] == "depth")
    ours[topic, pts + 1] = ours.pop((topic, pts))
    assert compare(plain, ours).complaints() == ["they took different frames"]


def test_an_agreement_that_never_was_is_red():
    assert len(Agreement({}, {}, same_frames=True).complaints()) == 3

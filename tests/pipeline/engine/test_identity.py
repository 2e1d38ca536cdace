"""Where a stream's progress is kept: by what is done with it, not by what runs beside it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from operators.variant import variant_hash
from pipeline.engine.identity import Identity
from pipeline.stream.sampling import Sampling
from pipeline.stream.spec import StreamSpec

VARIANTS = {"depth": "0123456789ab", "pca": "ba9876543210"}
IDENTITY = Identity("dinov2_vits14-b938bf1bc15c", VARIANTS, {})
CLIP = StreamSpec("a.mp4", "/footage/a.mp4", session="a1b2c3d4e5f6")
CAMERA = StreamSpec("gate", "rtsp://gate/1", live=True)


def job(spec: StreamSpec, identity: Identity = IDENTITY) -> str:
    return identity.jobs([spec])[spec.stream]


def test_company_changes_nothing():
    other = replace(CLIP, stream="b.mp4", session="ffffffffffff")
    together = IDENTITY.jobs([other, CLIP, CAMERA])
    assert together == {spec.stream: job(spec) for spec in (CLIP, CAMERA, other)}
    assert len(set(together.values())) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"stream": "c.mp4"},
        {"session": "ffffffffffff"},
        {"samplings": (Sampling("fps", 2),)},
        {"span_s": (1.0, 2.0)},
    ],
)
def test_what_changes_the_work_makes_another_job(change):
    assert job(replace(CLIP, **change)) != job(CLIP)


@pytest.mark.parametrize("change", [{"url": "/elsewhere/a.mp4"}, {"epoch": 3}, {"stall_s": 3.0}])
def test_where_it_lies_and_who_does_it_do_not(change):
    assert job(replace(CLIP, **change)) == job(CLIP)


def test_another_variant_is_another_job():
    assert job(CLIP, replace(IDENTITY, variants={"depth": "0123456789ab"})) != job(CLIP)


def test_another_cameras_calibration_changes_nothing():
    calibrated = replace(IDENTITY, variants={**VARIANTS, "depth/gate": "ca11b8a7ed00"})
    assert job(CLIP, calibrated) == job(CLIP)
    assert job(CAMERA, calibrated) != job(CAMERA)


def test_jobs_of_one_stream_are_called_as_they_always_were():
    """So that progress that an older version wrote is found."""
    said = {
        "sources": [["a.mp4", "a1b2c3d4e5f6"]],
        "samplings": [str(rule) for rule in CLIP.samplings],
        "variants": VARIANTS,
    }
    assert job(CLIP) == variant_hash(said)

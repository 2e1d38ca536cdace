"""What is read back from a sink that holds more than one run."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from operators.errors import UsageError
from operators.result import OCTETS, Result
from pipeline.demo.findings import Footage, Shot, read_findings
from pipeline.records.message import Publisher
from pipeline.sinks.sqlite.sink import SqliteSink


@pytest.fixture
def footage(tmp_path):
    return Footage(f"sqlite:{tmp_path / 'r.db'}", "cam1", "a1b2c3d4e5f6", "dinov2_vits14")


def embedding(build, number, variant, *, value=0.5, stream="cam1", **info):
    result = Result(
        build.info(number, stream, **info),
        "embedding",
        OCTETS,
        np.array([value, 0.0], "<f4").tobytes(),
        {"dim": "2"},
    )
    return Publisher(stream, "feedfacecafe", build.model).record(result, variant, build.operator())


def publish(footage, messages):
    sink = SqliteSink(Path(footage.sink.removeprefix("sqlite:")))
    sink.publish(messages)
    sink.close()


def test_only_the_newest_variant_of_the_stream_counts(build, footage):
    publish(
        footage,
        [
            *(embedding(build, number, "0" * 12, value=0.1) for number in range(5)),
            *(embedding(build, number, "1" * 12, value=0.2) for number in (1, 0)),
            embedding(build, 7, "2" * 12, stream="cam2"),
            embedding(build, 8, "2" * 12, session="ffffffffffff"),
        ],
    )
    found = read_findings(footage)
    assert found.counts == {"embedding": 2}
    assert found.variants == {"embedding": "1" * 12}
    assert [shot.position for shot in found.shots] == ["0", "3000"]
    assert [vector[0] for vector in found.vectors.values()] == pytest.approx([0.2, 0.2])
    assert found.model == build.model
    assert found.source_hw == (360, 640)


def test_frames_carry_their_own_time(build, footage):
    publish(footage, [embedding(build, 2, "0" * 12), embedding(build, 3, "0" * 12, pts=None)])
    assert read_findings(footage).shots == (
        Shot("6000", 66_666, Fraction(6000, 90_000)),
        Shot("9000", 99_999, None),
    )


def test_a_sink_that_is_not_there_is_said(footage):
    with pytest.raises(UsageError, match=r"r\.db"):
        read_findings(footage)

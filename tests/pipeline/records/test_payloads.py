"""Values of map records as arrays."""

from fractions import Fraction

import numpy as np
import pytest

from operators.png import grey16_png, palette_png, rgb_png
from operators.result import PNG, Result
from pipeline.records.message import Publisher
from pipeline.records.payloads import (
    anomaly_map,
    class_ids,
    depth_map,
    position_of,
    pts_seconds,
    rgb_pixels,
    time_us,
)


@pytest.fixture
def record(build):
    def made(topic, data, number=3, **attributes):
        result = Result(build.info(number), topic, PNG, data, attributes)
        publisher = Publisher("cam1", "feedfacecafe", build.model)
        return publisher.record(result, build.variant, build.operator())

    return made


@pytest.mark.parametrize(
    ("kind", "scale", "metric"), [("metric", "0.001", True), ("relativedisparity", "0.5", False)]
)
def test_depth_has_its_unit_and_zero_is_unknown(record, kind, scale, metric):
    steps = np.array([[0, 1500], [2, 65535]], np.uint16)
    read = depth_map(record("depth", grey16_png(steps), depthkind=kind, depthscale=scale))
    assert read.metric is metric
    assert read.values.dtype == np.float32
    np.testing.assert_allclose(read.values, np.where(steps, steps * float(scale), np.nan))


def test_classes_and_colours_are_as_they_were(record):
    ids = np.arange(12, dtype=np.uint8).reshape(3, 4)
    message = record("segmentation", palette_png(ids, [(9, 9, 9)] * 12), labelset="x")
    assert (class_ids(message) == ids).all()
    pixels = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)
    assert (rgb_pixels(record("pca", rgb_png(pixels))) == pixels).all()


def test_distances_are_in_ten_thousandths(record):
    steps = np.array([[0, 1234], [10_000, 20_000]], np.uint16)
    read = anomaly_map(record("anomaly", grey16_png(steps)))
    assert read.dtype == np.float32
    np.testing.assert_allclose(read, [[0, 0.1234], [1, 2]], rtol=1e-6)


def test_where_and_when_a_record_is_of(record):
    message = record("pca", b"", number=30)
    assert position_of(message) == "90000"
    assert pts_seconds(message) == Fraction(1)
    assert time_us(message.headers["ce_time"]) == 999_990

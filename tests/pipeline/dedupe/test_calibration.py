"""A calibration is read back as it was written, for the weights that it is of."""

from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import save_file

from operators.errors import UsageError
from operators.groups.grid import unit_rows
from operators.groups.whitening import centring, whitening
from pipeline.dedupe.calibration import Calibration, read_calibration
from pipeline.dedupe.measuring import Point

UNITS = unit_rows(np.random.default_rng(0).normal(size=(30, 6)) + 2)
POINT = Point(0.4, 0.995, 0.8, 3)
RAW = Calibration(
    model="dinov2_vits14-0123456789ab",
    short_side=224,
    comparison="raw",
    wanted=0.99,
    point=POINT,
    recalls={"cropped": 0.7},
    pairs={"copies": 40, "others": 900, "frames": 10, "recordings": 2},
    points=(Point(-1.0, 0.5, 1.0, 900), POINT),
)


@pytest.mark.parametrize(
    "calibration",
    [
        RAW,
        replace(RAW, comparison="centred", whitening=centring(UNITS)),
        replace(RAW, comparison="whitened", whitening=whitening(UNITS)),
    ],
    ids=lambda one: one.comparison,
)
def test_it_comes_back_and_compares_alike(tmp_path, calibration):
    calibration.write(tmp_path / "a.safetensors")
    read = read_calibration(tmp_path / "a.safetensors")
    assert read.plain() == calibration.plain()
    assert np.array_equal(read.comparable(UNITS), calibration.comparable(UNITS))
    assert np.array_equal(read.comparable(UNITS), UNITS) == (calibration.comparison == "raw")
    assert [path.name for path in tmp_path.iterdir()] == ["a.safetensors"]


def test_other_weights_are_refused_and_both_are_named():
    RAW.require_model(RAW.model, source="sqlite:r.db")
    with pytest.raises(UsageError, match=r"0123456789ab.*sqlite:r\.db.*dinov2_vits14-ba987654"):
        RAW.require_model("dinov2_vits14-ba9876543210", source="sqlite:r.db")


def test_files_that_are_none_are_named(tmp_path):
    with pytest.raises(UsageError, match=r"cannot read .*absent\.safetensors"):
        read_calibration(tmp_path / "absent.safetensors")
    (tmp_path / "text.safetensors").write_text("buy milk")
    save_file({"mean": np.zeros(3)}, tmp_path / "head.safetensors", {"dinostream": "{}"})
    for name in ("text", "head"):
        with pytest.raises(UsageError, match=f"{name}.safetensors is no calibration"):
            read_calibration(tmp_path / f"{name}.safetensors")
    newer = '{"kind": "dinostream dedupe calibration", "format": 2}'
    save_file({}, tmp_path / "newer.safetensors", {"dinostream": newer})
    with pytest.raises(UsageError, match="of format 2, this version reads 1"):
        read_calibration(tmp_path / "newer.safetensors")


def test_where_it_cannot_be_written_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"a calibration's name ends in \.safetensors"):
        RAW.write(tmp_path / "a.json")
    with pytest.raises(UsageError, match=r"cannot write .*no/a\.safetensors"):
        RAW.write(tmp_path / "no" / "a.safetensors")

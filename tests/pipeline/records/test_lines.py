"""JSON lines of records, as `tail` prints them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest

from operators.result import OCTETS, PNG
from pipeline.errors import SinkError
from pipeline.records.lines import cells, csv_line, record_line
from pipeline.records.record import StoredRecord


@pytest.fixture
def json_record(build):
    return StoredRecord(build.message(1), timestamp_us=5, offset=42, partition=3)


@pytest.fixture
def png_record(build):
    message = build.message(1, topic="depth", data=b"\x89PNG...")
    headers = dict(message.headers) | {"content-type": PNG}
    return StoredRecord(replace(message, headers=headers), timestamp_us=5, offset=42)


def test_json_values_stand_in_the_line(json_record):
    line = record_line(json_record)
    assert "\n" not in line
    shown = json.loads(line)
    assert shown["data"] == {"number": 1}
    assert (shown["topic"], shown["partition"], shown["offset"]) == ("action", 3, 42)
    assert shown["id"] == json_record.message.id
    assert shown["datacontenttype"] == "application/json"
    assert {name for name in shown if name.startswith("ce_")} == set()
    assert shown["streamid"] == "cam1"


def test_binary_values_are_told_by_size_and_digest(png_record):
    digest = hashlib.sha256(b"\x89PNG...").hexdigest()
    assert json.loads(record_line(png_record))["data"] == {"size": 7, "sha256": digest}


def test_binary_values_can_be_saved(png_record, tmp_path):
    shown = json.loads(record_line(png_record, save=tmp_path / "new"))
    (saved,) = (tmp_path / "new").iterdir()
    assert shown["data"]["path"] == str(saved)
    assert saved.read_bytes() == b"\x89PNG..."
    assert saved.name == "depth_cam1_a1b2c3d4e5f6_3000_0123456789ab.png"


def test_an_id_cannot_lead_out_of_the_folder(png_record, tmp_path):
    headers = dict(png_record.message.headers) | {"ce_id": "../../etc/passwd"}
    evil = replace(png_record, message=replace(png_record.message, headers=headers))
    record_line(evil, save=tmp_path / "new")
    assert [path.parent for path in tmp_path.rglob("*.png")] == [tmp_path / "new"]


def test_a_place_that_cannot_be_written_is_an_error(png_record, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError, match="cannot save"):
        record_line(png_record, save=tmp_path / "file")


def test_broken_json_of_others_is_shown_by_size(json_record):
    broken = replace(json_record, message=replace(json_record.message, value=b"{"))
    assert json.loads(record_line(broken))["data"]["size"] == 1


def test_unknown_kinds_are_saved_all_the_same(png_record, tmp_path):
    headers = dict(png_record.message.headers) | {"content-type": OCTETS}
    vector = replace(png_record, message=replace(png_record.message, headers=headers))
    record_line(vector, save=tmp_path)
    assert [path.suffix for path in tmp_path.iterdir()] == [".bin"]


def test_a_picture_is_saved_under_its_own_ending(build, tmp_path):
    record = StoredRecord(build.message(1, topic="frames", data=b"JPEG"), timestamp_us=5, offset=42)
    record_line(record, save=tmp_path)
    assert [path.suffix for path in tmp_path.iterdir()] == [".jpg"]


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (b"5", "5"),
        (b"true", "true"),
        (b"null", "null"),
        (b'"calm"', "calm"),
        (b'{"a": [1]}', '{"a": [1]}'),
        (b'"\\ud800"', '"\\ud800"'),
        (b'{"a": "\\ud800"}', '{"a": "\\ud800"}'),
    ],
)
def test_whatever_json_an_operator_says_is_a_cell_of_text_and_a_line(json_record, value, cell):
    said = replace(json_record, message=replace(json_record.message, value=value))
    *_, data = cells(said)
    assert data == cell
    assert csv_line(said).encode()
    line = record_line(said)
    assert line.encode()
    assert json.loads(line)["data"] == json.loads(value)

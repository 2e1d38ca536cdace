"""`nv.Frame` on the wire, read back by Google's own library."""

from __future__ import annotations

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2

from pipeline.convert.metropolis import frame

FIELD = descriptor_pb2.FieldDescriptorProto
STRING, FLOAT, MESSAGE = FIELD.TYPE_STRING, FIELD.TYPE_FLOAT, FIELD.TYPE_MESSAGE
SCHEMA = {  # of nv.proto what a frame of ours has: name -> number, type, message, repeated
    "Frame": {
        "version": (1, STRING, None, False),
        "id": (2, STRING, None, False),
        "timestamp": (3, MESSAGE, ".google.protobuf.Timestamp", False),
        "sensorId": (4, STRING, None, False),
        "objects": (5, MESSAGE, ".nv.Object", True),
        "info": (12, MESSAGE, ".nv.Frame.InfoEntry", True),
    },
    "Object": {
        "id": (1, STRING, None, False),
        "bbox": (2, MESSAGE, ".nv.Bbox", False),
        "type": (3, STRING, None, False),
        "confidence": (4, FLOAT, None, False),
        "info": (5, MESSAGE, ".nv.Object.InfoEntry", True),
    },
    "Bbox": {
        name: (number, FLOAT, None, False)
        for number, name in enumerate(("leftX", "topY", "rightX", "bottomY"), start=1)
    },
}


@pytest.fixture(scope="module")
def frame_type():
    """The class that protoc would make."""
    file = descriptor_pb2.FileDescriptorProto(name="nv.proto", package="nv", syntax="proto3")
    file.dependency.append("google/protobuf/timestamp.proto")
    for name, fields in SCHEMA.items():
        kind = file.message_type.add(name=name)
        for field, (number, type_, of, repeated) in fields.items():
            label = FIELD.LABEL_REPEATED if repeated else FIELD.LABEL_OPTIONAL
            kind.field.add(name=field, number=number, type=type_, type_name=of, label=label)
        if "info" in fields:
            entry = kind.nested_type.add(name="InfoEntry")
            entry.options.map_entry = True
            for number, part in enumerate(("key", "value"), start=1):
                entry.field.add(name=part, number=number, type=STRING, label=FIELD.LABEL_OPTIONAL)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("nv.Frame"))


def test_a_frame_is_read_as_it_was_written(summary, frame_type):
    result = summary({"person": [[0, 10, 30, 40], [50, 0, 60, 20]], "floor": []})
    (value,) = frame(result)
    read = frame_type.FromString(value)
    assert (read.version, read.id, read.sensorId) == ("4.0", "21000", "gate")
    assert read.timestamp.ToMicroseconds() == 233_331
    assert dict(read.info) == {"dinostreamid": result.id}
    first, second = read.objects
    assert (first.id, first.type) == ("18446744073709551615", "person")
    box = second.bbox
    assert (box.leftX, box.topY, box.rightX, box.bottomY) == (50, 0, 60, 20)
    assert dict(first.info) == {"share": "0.25"}
    assert first.confidence == 0, "nothing says it"


def test_it_is_what_googles_library_writes(golden_results, frame_type):
    values = [value for one in golden_results for value in frame(one)]
    assert len(values) == 2
    for value in values:
        read = frame_type.FromString(value)
        assert len(read.objects) > 3
        assert read.SerializeToString(deterministic=True) == value


@pytest.mark.parametrize("event_time_us", [0, -1, -1_500_000, 1_763_830_800_000_001])
def test_any_time_is_told(summary, frame_type, event_time_us):
    (value,) = frame(summary({}, event_time_us=event_time_us))
    assert frame_type.FromString(value).timestamp.ToMicroseconds() == event_time_us


def test_what_must_not_be_believed_says_so(golden_results, frame_type):
    infos = [frame_type.FromString(value).info for one in golden_results for value in frame(one)]
    assert [sorted(info) for info in infos] == [
        ["dinostreamid", "untrained"],
        ["dinostreamid", "outofdomain"],
    ]


def test_other_records_have_no_counterpart(golden_results):
    others = [one for one in golden_results if one.topic != "segmentation.summary"]
    assert [value for one in others for value in frame(one)] == []

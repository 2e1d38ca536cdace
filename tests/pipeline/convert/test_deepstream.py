"""DeepStream's messages: by its own words, and nothing that we do not know."""

from __future__ import annotations

import json

from pipeline.convert.deepstream import full, minimal

UNTRACKED = "18446744073709551615"


def said(values):
    return [json.loads(value) for value in values]


def test_a_frame_is_one_minimal_message(summary):
    result = summary({"person": [[0, 10, 30, 40], [50, 0, 60, 20]], "floor": []})
    (message,) = said(minimal(result))
    assert message == {
        "version": "4.0",
        "id": "21000",
        "@timestamp": "1970-01-01T00:00:00.233331Z",
        "sensorId": "gate",
        "objects": [f"{UNTRACKED}|0|10|30|40|person", f"{UNTRACKED}|50|0|60|20|person"],
    }


def test_an_object_is_one_full_message(summary):
    result = summary({"person": [[0, 10, 30, 40], [50, 0, 60, 20]]})
    first, second = said(full(result))
    assert first == {
        "messageid": f"{result.id}/0",
        "mdsversion": "1.0",
        "@timestamp": "1970-01-01T00:00:00.233331Z",
        "sensor": {"id": "gate", "type": "Camera", "description": ""},
        "analyticsModule": {
            "id": "0123456789ab",
            "description": "segmentation.summary",
            "source": "dinostream",
            "version": "dinov2_vits14-b938bf1bc15c",
        },
        "event": {"id": "", "type": ""},
        "videoPath": "",
        "object": {
            "id": UNTRACKED,
            "bbox": {"topleftx": 0, "toplefty": 10, "bottomrightx": 30, "bottomrighty": 40},
            "person": {"share": 0.25},
        },
    }
    assert second["messageid"] == f"{result.id}/1"
    assert second["object"]["bbox"]["topleftx"] == 50


def test_an_episode_is_an_event(golden_results):
    episode = next(one for one in golden_results if one.topic == "action.episodes")
    (message,) = said(full(episode))
    assert message["event"] == {"id": episode.id, "type": episode.label.name}
    assert "object" not in message
    assert list(minimal(episode)) == []


def test_boxes_are_of_the_whole_picture(summary):
    result = summary({"person": [[0, 10, 30, 40]]}, region=(100, 200, 740, 560))
    (message,) = said(minimal(result))
    assert message["objects"] == [f"{UNTRACKED}|100|210|130|240|person"]


def test_a_label_leaves_the_fields_apart(summary):
    (message,) = said(minimal(summary({"a|b": [[0, 0, 1, 1]]})))
    assert message["objects"] == [f"{UNTRACKED}|0|0|1|1|a/b"]


def test_what_must_not_be_believed_says_so(golden_results):
    summaries = [one for one in golden_results if one.topic == "segmentation.summary"]
    told = [said(minimal(one))[0].get("customMessage") for one in summaries]
    assert told == [["untrained"], ["outofdomain"]]


def test_a_frame_without_objects_is_a_message_too(summary):
    assert said(minimal(summary({"floor": []})))[0]["objects"] == []
    assert said(full(summary({"wall": []}))) == []

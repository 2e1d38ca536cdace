"""Label sets: facts about the data sets, and users' own."""

from __future__ import annotations

from typing import Any

import pytest

from operators.segmentation.labelsets import OFFICIAL, LabelSet, label_set, parse_label_set


@pytest.mark.parametrize("name", OFFICIAL)
def test_official_sets_are_complete(name: str) -> None:
    labels = label_set(name)
    assert len(labels.labels) == OFFICIAL[name] == len(labels.palette)
    assert len({label.name for label in labels.labels}) == OFFICIAL[name]
    assert all(len(label.name) < 25 for label in labels.labels)


def test_known_classes_and_colours() -> None:
    ade, voc = label_set("ade20k"), label_set("voc2012")
    assert [ade.labels[i].name for i in (0, 2, 12, 89, 149)] == [
        "wall",
        "sky",
        "person",
        "television",
        "flag",
    ]
    assert (ade.palette[0], ade.palette[149]) == ((120, 120, 120), (92, 0, 255))
    assert [voc.labels[i].name for i in (0, 15, 20)] == ["background", "person", "tvmonitor"]


def test_voc_colours_follow_the_data_sets_rule() -> None:
    """Bit 3k + c of a class id is bit 7 - k of channel c (VOC development kit)."""
    for label in label_set("voc2012").labels:
        for channel in range(3):
            bits = [label.id >> (3 * k + channel) & 1 for k in range(3)]
            assert label.rgb[channel] == sum(bit << (7 - k) for k, bit in enumerate(bits))


@pytest.mark.parametrize("name", OFFICIAL)
def test_published_form_reads_back(name: str) -> None:
    labels = label_set(name)
    assert parse_label_set(name, labels.records()) == labels


@pytest.mark.parametrize(
    ("records", "why"),
    [
        ([], "1-256 labels, got 0"),
        ([{"id": 1, "name": "a", "rgb": [0, 0, 0]}], "ids must be 0, 1, 2"),
        ([{"id": 0, "name": "a"}], "rgb"),
        ([{"id": 0, "name": "a", "rgb": [0, 0]}], "unpack"),
        ([{"id": 0, "name": "a", "rgb": [0, 0, 256]}], "0-255"),
        ([{"id": 0, "name": "", "rgb": [0, 0, 0]}], "want a name"),
        ("abc", "want"),
    ],
)
def test_bad_ones_are_refused(records: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_label_set("own", records)


def test_a_set_needs_a_name() -> None:
    with pytest.raises(ValueError, match="label set ''"):
        LabelSet("", label_set("voc2012").labels)

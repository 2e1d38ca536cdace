"""A group comes back as it was kept, and so does any part of it."""

from __future__ import annotations

import json
import struct
from dataclasses import replace

import numpy as np
import pytest

from pipeline.archive.group import Group
from pipeline.archive.packing import Order

ORDER = Order(2, 4)


@pytest.fixture
def still(group):
    """Six frames, of which the third, fourth and last repeat the one before them."""
    whole = group(10, 16, breaks=((4, "size"),))
    repeats = (
        "",
        "",
        whole.infos[1].position,
        whole.infos[1].position,
        "",
        whole.infos[4].position,
    )
    return replace(whole, pictures=whole.pictures[[0, 1, 4]], repeats=repeats, ended=True)


def alike(one: Group, other: Group) -> bool:
    names = [name for name in Group.__slots__ if name != "pictures"]
    same = all(getattr(one, name) == getattr(other, name) for name in names)
    return same and np.array_equal(one.pictures, other.pictures)


def test_frames_that_repeat_one_come_back_without_a_picture(still):
    back = Group.from_bytes(still.to_bytes(ORDER))
    assert alike(back, still)
    assert [back.repeated(row) for row in range(6)] == list(still.repeats)
    assert np.array_equal(back.picture(4), still.pictures[2])
    assert Group.from_bytes(replace(still, repeats=()).to_bytes(ORDER)).repeated(3) == ""


@pytest.mark.parametrize("first", range(10, 17))
@pytest.mark.parametrize("last", range(10, 17))
def test_a_part_has_the_pictures_of_its_own_frames(still, first, last):
    part = still.part(first, max(first, last))
    assert part.before == first
    assert [info.position for info in part.infos] == [
        still.infos[row].position for row in range(first - 10, max(first, last) - 10)
    ]
    for row in range(len(part.infos)):
        assert part.repeated(row) == still.repeated(first - 10 + row)
        if not part.repeated(row):
            assert np.array_equal(part.picture(row), still.picture(first - 10 + row))


def test_what_an_earlier_release_kept_is_read(group):
    """Its pictures lay there as they are."""
    whole = group(3, 6, breaks=((1, "size"),))
    facts = {
        "before": 3,
        "infos": [info.to_json() for info in whole.infos],
        "taken": whole.taken,
        "shape": whole.pictures.shape,
        "breaks": whole.breaks,
        "ended": False,
    }
    text = json.dumps(facts).encode()
    data = struct.pack("<I", len(text)) + text + whole.pictures.tobytes()
    assert alike(Group.from_bytes(data), whole)


def test_what_is_no_group_is_refused(group):
    data = group(0, 3).to_bytes(ORDER)
    for wrong in (b"", data[:30], data[:-2], data + b"more"):
        with pytest.raises(ValueError, match=r"archive|Unterminated|Expecting"):
            Group.from_bytes(wrong)

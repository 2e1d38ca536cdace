"""Of several versions the one that was published last."""

import pytest

from pipeline.records.newest import Latest


def test_the_version_that_was_asked_for_last_is_the_latest():
    found: Latest[str, str, list[int]] = Latest()
    for number, (key, version) in enumerate([("a", "x"), ("a", "y"), ("b", "x"), ("a", "x")]):
        found.of(key, version, list).append(number)
    assert list(found) == ["a", "b"]
    assert (found.versions("a"), found.latest("a")) == (("y", "x"), [0, 3])
    assert (found.versions("b"), found.latest("b")) == (("x",), [2])
    assert found.versions("c") == ()
    with pytest.raises(KeyError):
        found.latest("c")

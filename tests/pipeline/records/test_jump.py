"""Places that are gone, in words."""

from __future__ import annotations

from pipeline.records.jump import Jump


def test_what_was_deleted_is_counted():
    jump = Jump("depth", 3, 100, 150)
    assert (jump.lost, jump.is_rewind) == (50, False)
    assert str(jump).startswith("depth, partition 3: offsets 100 to 149 are gone")


def test_what_was_made_anew_is_no_loss():
    jump = Jump("", 0, 100, 1)
    assert (jump.lost, jump.is_rewind) == (0, True)
    assert str(jump).startswith("the database: there is no offset 100; it was made anew")
    assert str(jump).endswith("read again from 1")

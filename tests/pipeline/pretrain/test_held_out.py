import pytest

from operators.errors import UsageError
from pipeline.pretrain.held_out import apart


def hashes(corpus):
    return {one.sha256 for one in corpus.pictures}


def test_no_picture_is_on_both_sides_and_none_is_lost(pictures):
    own, held_out = apart(pictures, 0.25)
    assert hashes(own) | hashes(held_out) == hashes(pictures)
    assert not hashes(own) & hashes(held_out)
    assert len(held_out) == 6


def test_others_that_go_change_nothing(pictures):
    _, held_out = apart(pictures, 0.25)
    fewer = pictures.part(range(1, len(pictures)))
    _, again = apart(fewer, 6 / 23)
    assert len(hashes(held_out) - hashes(again)) <= 1


def test_two_at_least_are_held_out_and_two_are_left(pictures):
    own, held_out = apart(pictures, 0.0)
    assert (len(own), len(held_out)) == (22, 2)
    with pytest.raises(UsageError, match="3 pictures are too few"):
        apart(pictures.part(range(3)), 0.05)

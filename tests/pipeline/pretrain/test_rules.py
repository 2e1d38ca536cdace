"""All that decides pictures is in the facts, and what cannot be is refused."""

from dataclasses import replace

import pytest

from operators.errors import UsageError
from pipeline.pretrain.rules import Rules


@pytest.mark.parametrize(
    "change",
    [{"fps": 5.0}, {"every_s": 3.0}, {"side": 224}, {"keep_copies": True}, {"apart_s": 0.0}],
)
def test_every_rule_is_a_fact(change):
    assert replace(Rules(), **change).facts() != Rules().facts()


@pytest.mark.parametrize("wrong", [{"fps": 0.0}, {"every_s": -1.0}, {"side": 8}, {"apart_s": -1.0}])
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(UsageError, match="want frames per second"):
        Rules(**wrong)


def test_pictures_keep_their_proportions():
    assert Rules(side=100).picture_size.of((719, 1279)) == (100, 178)

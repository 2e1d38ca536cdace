"""A fit says when its numbers are of too little."""

from dataclasses import dataclass

import pytest

from operators.learn.estimate import Estimate
from pipeline.fit.doubt import doubts


@dataclass
class Measured:
    estimates: dict[str, Estimate]
    groups: int


@pytest.mark.parametrize(
    ("name", "estimate", "groups", "told"),
    [
        ("miou", Estimate(0.5, 0.45, 0.55), 10, []),
        ("rmse_m", Estimate(4.0, 2.0, 6.0), 10, []),
        ("delta1", Estimate(0.5, None, None), 1, ["measured on 1 files only"]),
        ("miou", Estimate(0.5, 0.3, 0.7), 12, ["miou may be anything from 0.30 to 0.70"]),
        ("miou", Estimate(0.5, 0.3, 0.7), 3, ["measured on 3 files only", "miou may be"]),
    ],
)
def test_few_files_and_wide_intervals_are_warned_of(name, estimate, groups, told):
    said = list(doubts(Measured({name: estimate}, groups), kind="files"))
    assert len(said) == len(told)
    for line, part in zip(said, told, strict=True):
        assert line.startswith(f"WARNING: {part}")

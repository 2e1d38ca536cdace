"""What a person is told of frames that cameras lose, and why they are lost."""

from __future__ import annotations

import pytest

from pipeline.drops import Drops, Loss
from pipeline.engine.camera import Camera


def test_every_loss_is_told_once() -> None:
    drops = Drops()
    gate = Camera(dropped={"full": 30, "late": 7}, lag_s=4.8)
    line = "gate: 37 dropped (full 30, late 7), its records are 4.8 s old: "
    told = [Loss("gate", f"{line}the engine is too slow for it", False)]
    assert drops.news({"gate": gate, "yard": Camera()}, ()) == told
    assert drops.news({"gate": gate}, ()) == []
    (loss,) = drops.news({"gate": Camera(dropped={"full": 31, "late": 7})}, ())
    assert loss.text.startswith("gate: 1 dropped (full 1)")


@pytest.mark.parametrize(
    ("dropped", "latest", "why"),
    [
        ({"full": 3}, True, "its latest frames alone are wanted (drop: latest)"),
        ({"full": 3}, False, "the engine is too slow for it"),
        ({"full": 3, "late": 1}, True, "the engine is too slow for it"),
        ({"overload": 3}, True, "the engine is too slow for it"),
        ({"suspended": 3}, False, "its operators keep failing"),
        ({"spill": 3}, False, "what was kept of it on disk was lost, as the log has told"),
    ],
)
def test_the_reason_is_the_one_that_there_is(dropped, latest, why) -> None:
    (loss,) = Drops().news({"gate": Camera(dropped=dropped)}, ["gate"] if latest else [])
    assert loss.text.endswith(f": {why}")
    assert loss.asked == why.endswith("(drop: latest)")

"""What is shown of streams, and what changed."""

from __future__ import annotations

from itertools import count

import pytest

from pipeline.configuration.config import StreamConfig
from pipeline.control.board import KEPT, Board
from pipeline.control.fared import Fared
from pipeline.control.wanted import WantedStream
from pipeline.engine.camera import Camera
from pipeline.engine.latency import Latency, Spent
from pipeline.sinks.spill.backlog import Kept
from pipeline.stream.drift import Drift

SECRET = StreamConfig(url="rtsp://viewer:kanarie@10.0.0.1/cam?token=vogel")


def fared(state: str, reason: str = "", name: str = "gate") -> dict[str, Fared]:
    ledger, drift = {"depth": {"sampled": 7}}, Drift(-12.3456, 61.2)
    camera = Camera(5, {"late": 2}, 0.25, 0.5, epoch=3, ledger=ledger, drift=drift)
    latency = Latency()
    for decode_s in (0.1, 0.3):
        latency.add(Spent(decode_s, 0.1, 0.1, 0.1))
    wanted, kept = WantedStream(SECRET), Kept(4, 2000, 1_000_000)
    return {name: Fared(name, state, reason, camera, latency, wanted, kept=kept)}


@pytest.fixture
def board() -> Board:
    seconds = count(1)
    return Board(lambda: next(seconds) * 1_000_000)


def test_a_state_has_a_beginning_and_its_reason_may_change(board) -> None:
    for state, reason in (("connecting", ""), ("reconnecting", "refused"), ("reconnecting", "404")):
        board.write(fared(state, reason))
    board.write(fared("reconnecting", "404"))
    shown = board.streams()["gate"]
    assert (shown["state"], shown["reason"]) == ("reconnecting", "404")
    assert shown["since"] == "1970-01-01T00:00:02.000000Z"
    lost, changes = board.changes(0)
    assert lost == 0
    assert [(one.number, one.state, one.reason) for one in changes] == [
        (1, "connecting", ""),
        (2, "reconnecting", "refused"),
        (3, "reconnecting", "404"),
    ]


def test_everything_of_a_stream_is_there_but_its_secrets(board) -> None:
    board.write(fared("live"))
    shown = board.streams()["gate"]
    assert (shown["id"], shown["epoch"], shown["frames"]) == ("gate", 3, 5)
    assert (shown["dropped"], shown["ledger"]) == ({"late": 2}, {"depth": {"sampled": 7}})
    assert (shown["lag_s"], shown["worst_lag_s"]) == (0.25, 0.5)
    assert (shown["drift_ppm"], shown["drift_over_s"]) == (-12.3, 61)
    since = "1970-01-01T00:00:01.000000Z"
    assert shown["kept"] == {"records": 4, "bytes": 2000, "since": since}
    assert shown["latency_s"] == {"p50": 0.5, "p95": 0.725, "p99": 0.745}
    assert shown["config"]["url"].startswith("rtsp://")
    assert not any(secret in str(shown) for secret in ("kanarie", "vogel"))


def test_a_stream_that_is_gone_is_told_and_comes_anew(board) -> None:
    for shown in (fared("live"), {}, fared("connecting")):
        board.write(shown)
    _, changes = board.changes(1)
    assert [(one.stream, one.state) for one in changes] == [
        ("gate", "removed"),
        ("gate", "connecting"),
    ]
    assert board.number == 3


def test_whoever_was_away_for_too_long_is_told_how_much_is_missing(board) -> None:
    for number in range(KEPT + 10):
        board.write(fared("live", str(number)))
    lost, changes = board.changes(4)
    assert (lost, len(changes), changes[0].number) == (6, KEPT, 11)
    assert board.changes(board.number) == (0, [])

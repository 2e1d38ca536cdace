"""What a frame costs, and what of it comes with the number of streams: arithmetic."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.bench.scale_cell import Taken
from pipeline.bench.scale_figures import cell_figures, cost_ms, kept_up, scale_figures


def taken(engine_s: float, *, mib: int = 100, **more: float) -> Taken:
    return Taken(
        seconds=10.0,
        frames=1000,
        batches=125,
        dropped=0,
        cpu_s={"engine": engine_s, "cameras": 50.0, **more},
        memory_bytes={"engine": mib << 20, "cameras": 1 << 40},
        store_bytes=0,
        latency_s=0.5,
    )


def test_cameras_are_no_part_of_a_frames_cost() -> None:
    assert cost_ms(taken(2.0, sink=1.0)) == pytest.approx(3.0)
    assert cost_ms(taken(2.0, sink=1.0), ["sink"]) == pytest.approx(1.0)
    figures = {one.name: one.median for one in cell_figures([{("ray", 3): taken(2.0)}], "ray", 3)}
    assert figures["CPU"] == figures["CPU of engine"] == pytest.approx(2.0)
    assert figures["batch"] == 8
    assert figures["rate"] == 100
    assert figures["memory"] == 100
    assert "CPU of cameras" not in figures


def test_growth_is_from_ten_streams_to_the_most() -> None:
    cells = {
        ("inline", 1): taken(9.0),
        ("inline", 10): taken(1.0),
        ("inline", 1010): taken(1.5, mib=200),
    }
    growth, stream_ms, stream_kib = scale_figures([cells], fps=100)
    assert growth.values == pytest.approx((1.5,))
    assert growth.met is False
    assert stream_ms.values == pytest.approx((0.05,))  # 50 ms/s more, of 1000 streams
    assert stream_kib.values == pytest.approx((102.4,))


def test_a_round_in_which_frames_were_dropped_is_in_no_figure() -> None:
    few, many = ("inline", 10), ("inline", 20)
    rounds = [
        {few: taken(1.0), many: replace(taken(100.0), dropped=50)},
        {few: taken(1.0), many: replace(taken(1.2), dropped=9)},
    ]
    assert not kept_up(rounds[0][many])
    assert scale_figures(rounds, fps=100)[0].values == pytest.approx((1.2,))
    assert scale_figures(rounds[:1], fps=100) == []


def test_nothing_grows_where_there_is_one_number() -> None:
    assert scale_figures([{("inline", 1): taken(1.0)}], fps=100) == []
    assert scale_figures([{("inline", 10): taken(1.0)}], fps=100) == []

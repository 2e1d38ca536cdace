import json
import sys
from dataclasses import asdict
from typing import get_args

import pytest
import torch
from torch import Tensor

from benchmarks import tune_attention
from benchmarks.attention_model import HeadCost, Prediction, predict
from kernels import reference
from kernels.aot import KernelReport
from kernels.tiles import Schedule, Tile

BLOCK, TAIL = {"MUFU.EX2": 34, "FFMA": 66}, {"MUFU.EX2": 10, "FFMA": 30}


def report(**changes: object) -> KernelReport:
    fields = {
        "arch": 90,
        "num_warps": 8,
        "registers": 128,
        "stack_bytes": 0,
        "spill_store_bytes": 0,
        "spill_load_bytes": 0,
        "shared_bytes": 64 * 1024,
        "opcodes": {"MUFU.EX2": 34, "FFMA": 366},
        "loops": (BLOCK,),
    }
    return KernelReport(**fields | changes)


def test_a_head_of_one_full_block_costs_what_arithmetic_says() -> None:
    head = predict(Tile(128, 64, 8, 3), 128, report(), report()).head
    assert head.matrix == 4 * 128 * 128 * 64 / 4096 == 1024
    assert head.exponentials == 128 * 128 / 16 == 1024
    assert head.issue == (400 + 100) * 8 / 4  # two passes, of which the code holds one
    assert head.l2 == 4 * 128 * 128 / 32
    assert head.overlapped == max(asdict(head).values())
    assert head.overlapped == head.memory == head.alternating  # 128 tokens hide nothing


def test_without_overlap_products_wait_for_the_softmax() -> None:
    assert HeadCost(100, 90, 80, 150, 10).alternating == 190
    assert HeadCost(100, 90, 80, 150, 10).overlapped == 150
    assert HeadCost(100, 90, 80, 200, 10).alternating == 200


def test_a_query_tail_costs_a_share_of_a_block() -> None:
    tile = Tile(128, 64, 8, 3, query_tail=True)
    both = report(opcodes={"MUFU.EX2": 44, "FFMA": 596}, loops=(TAIL, BLOCK))
    with_tail = predict(tile, 257, both, report()).head
    third_block = predict(Tile(128, 64, 8, 3), 257, report(), report()).head
    assert with_tail.issue == 2 * (400 + 3 * 100) * 8 / 4 + (240 + 15 * 40) / 4
    assert with_tail.matrix < 0.75 * third_block.matrix
    assert with_tail.exponentials < 0.75 * third_block.exponentials


def test_programs_that_share_a_multiprocessor_are_counted() -> None:
    tile = Tile(128, 64, 8, 3)
    assert predict(tile, 128, report(), report()).resident == 2
    assert predict(tile, 128, report(registers=129), report()).resident == 1
    assert predict(tile, 128, report(shared_bytes=120 * 1024), report()).resident == 1


def test_a_started_round_of_programs_counts_whole() -> None:
    head = HeadCost(1755.0, 0.0, 0.0, 0.0, 0.0)
    prediction = Prediction(Tile(128, 64, 8, 3), 128, head, resident=2, spill_bytes=0)
    assert prediction.microseconds(132, head.overlapped) == pytest.approx(1)
    assert prediction.microseconds(133, head.overlapped) == pytest.approx(2)


def test_query_tails_are_tried_where_there_are_any() -> None:
    tails = [tile for tile in tune_attention.candidates(((1, 257, 6),)) if tile.query_tail]
    assert {tile.block_q for tile in tails} == {64, 128, 256}
    assert not any(tile.query_tail for tile in tune_attention.candidates(((1, 1370, 6),)))


def test_the_tile_must_be_right_at_every_size_and_quick_over_all() -> None:
    one, two, three = (Tile(64, 64, 4, stages) for stages in (1, 2, 3))
    assert tune_attention.best_of([{one: 1, two: 3, three: 1}, {one: 9, two: 2}]) == two


def test_no_tile_may_be_right_everywhere() -> None:
    one, two = (Tile(64, 64, 4, stages) for stages in (1, 2))
    assert tune_attention.best_of([{one: 1}, {two: 2}]) is None
    assert tune_attention.best_of([{}, {}]) is None


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that has every tile right, and all alike, where nothing else is said."""

    def alike(tiles, size, rounds, device):
        return dict.fromkeys(tiles, 1.0)

    monkeypatch.setattr(tune_attention, "CLASSES", ((512, ((8, 257, 6),)), (128, ((64, 65, 6),))))
    monkeypatch.setattr(tune_attention, "time_tiles", alike)
    monkeypatch.setattr(tune_attention, "run_ahead", lambda run, cases: 0)
    monkeypatch.setattr(tune_attention, "right_ones", lambda launches, device: list(launches))
    monkeypatch.setattr(tune_attention, "origin", lambda device: {})
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device=None: (9, 0))


@pytest.mark.usefixtures("card")
@pytest.mark.parametrize("broken", [(65,), (65, 257)])
def test_a_class_without_a_right_tile_has_no_row_and_the_others_have(
    broken: tuple[int, ...], monkeypatch, tmp_path
) -> None:
    def times(tiles, size, rounds, device):
        return {} if size[1] in broken else dict.fromkeys(tiles, 1.0)

    monkeypatch.setattr(tune_attention, "time_tiles", times)
    report = tune_attention.measure(1, torch.device("cpu"), tmp_path / "tiles.json")
    assert len(report["rows"]) == 2 - len(broken)
    longest = [int(row.split(", ")[2]) for row in report["rows"]]
    assert longest == sorted(longest)  # the table is read from its shortest row on
    assert report["without"] == ["max_tokens=512", "max_tokens=128"][-len(broken) :]
    assert report["not_reached"] == {}


@pytest.mark.usefixtures("card")
def test_the_best_over_all_waves_has_the_row(monkeypatch, tmp_path) -> None:
    (_, sizes), *_ = tune_attention.CLASSES
    *_, quickest = tune_attention.candidates(sizes)

    def times(tiles, size, rounds, device):
        return {tile: 1.0 + (tile != quickest) for tile in tiles}

    monkeypatch.setattr(tune_attention, "time_tiles", times)
    report = tune_attention.measure(1, torch.device("cpu"), tmp_path / "tiles.json")
    short, long = report["rows"]
    assert short.startswith("TileRow(90, 2, 128, ")
    assert long == f"TileRow(90, 2, 512, {quickest}),"


@pytest.mark.usefixtures("card")
def test_what_a_budget_does_not_reach_is_told(tmp_path) -> None:
    out = tmp_path / "tiles.json"
    report = tune_attention.measure(1, torch.device("cpu"), out, budget_s=0)
    tried = [row["tile"] for row in report["figures"]]
    assert len(tried) == tune_attention.WAVE
    assert tried[0] == asdict(tune_attention.select_tile(90, 257, 2))
    assert {tile["schedule"] for tile in tried} == set(get_args(Schedule))
    assert len(report["rows"]) == 1
    assert report["without"] == []
    assert report["not_reached"].keys() == {"max_tokens=512", "max_tokens=128"}
    assert json.loads(out.read_text())["not_reached"] == report["not_reached"]


def test_shapes_are_tried_in_gluon_as_well() -> None:
    tiles = tune_attention.gluon_candidates(((8, 257, 6), (8, 261, 6)))
    shapes = {
        schedule: {(tile.block_q, tile.block_kv) for tile in tiles if tile.schedule == schedule}
        for schedule in get_args(Schedule)
    }
    assert shapes == {
        "alternating": set(),
        "overlapped": {(128, 64), (128, 128)},
        "specialised": {(128, 64), (128, 128)},
        "whole_row": {(64, 256), (128, 256)},
    }
    assert len(set(tiles)) == len(tiles)
    assert all(tile.max_registers is None for tile in tiles)
    assert {tile.query_tail for tile in tiles} == {False, True}


@pytest.mark.parametrize("n_tokens", [273, 1370])
def test_whole_rows_are_not_tried_where_they_do_not_fit(n_tokens: int) -> None:
    tiles = tune_attention.gluon_candidates(((8, 257, 6), (8, n_tokens, 6)))
    assert {tile.schedule for tile in tiles} == {"overlapped", "specialised"}


def right(qkv: Tensor, out: Tensor) -> None:
    out.copy_(reference.attention(qkv.float()))


def without_the_last_key(qkv: Tensor, out: Tensor) -> None:
    """Right where there are whole blocks of 16 keys or one key."""
    n_seen = qkv.shape[1] // 16 * 16 or 1
    q, k, v = qkv.float().permute(2, 0, 3, 1, 4).unbind(0)
    weights = torch.softmax(q @ k[..., :n_seen, :].mT / q.shape[-1] ** 0.5, -1)
    out.copy_((weights @ v[..., :n_seen, :]).transpose(1, 2).flatten(2))


def without_the_last_query(qkv: Tensor, out: Tensor) -> None:
    n_written = qkv.shape[1] // 16 * 16 or 1
    out[:, :n_written] = reference.attention(qkv.float())[:, :n_written].to(out.dtype)


def that_raises(qkv: Tensor, out: Tensor) -> None:
    raise RuntimeError("PassManager::run failed")


def test_what_is_wrong_is_never_timed_and_named(capsys) -> None:
    launches = {
        Tile(64, 64, 4, 1): right,
        Tile(64, 64, 4, 2): without_the_last_key,
        Tile(64, 64, 4, 3): without_the_last_query,
        Tile(64, 64, 4, 4): that_raises,
    }
    tiles = tune_attention.right_ones(launches, torch.device("cpu"))
    assert tiles == [Tile(64, 64, 4, 1)]
    key, query, raised = capsys.readouterr().out.splitlines()
    assert "num_stages=2" in key
    assert "N=17 " in key
    assert '"unwritten": 0' in key
    assert "num_stages=3" in query
    assert "N=17 " in query
    assert '"unwritten": 576' in query
    assert "num_stages=4" in raised
    assert raised.endswith("RuntimeError: PassManager::run failed")


def test_a_whole_row_is_held_at_those_tokens_that_it_serves(capsys) -> None:
    held: list[int] = []

    def listening(qkv: Tensor, out: Tensor) -> None:
        held.append(qkv.shape[1])
        right(qkv, out)

    tile = Tile(128, 256, 8, 3, schedule="whole_row")
    assert tune_attention.right_ones({tile: listening}, torch.device("cpu")) == [tile]
    assert held == [1, 17, 257, 261]
    assert capsys.readouterr().out == ""


@pytest.mark.skipif(torch.cuda.is_available(), reason="shows what a machine without a GPU says")
def test_without_a_gpu_it_predicts_and_writes_nothing(monkeypatch, tmp_path, capsys) -> None:
    out = tmp_path / "tiles.json"
    monkeypatch.setattr(tune_attention, "SHAPES", ((64, 64, 4, None),))
    monkeypatch.setattr(tune_attention, "CLASSES", ((128, ((8, 65, 6),)),))
    monkeypatch.setattr(sys, "argv", ["tune_attention", "--out", str(out)])
    assert tune_attention.main() == 1
    said = capsys.readouterr()
    assert said.out.startswith("PREDICTED for an H200 from compiled code, not measured")
    assert said.out.count("Tile(block_q=64") == 2
    assert "TileRow" not in said.out
    assert "nothing was measured, nothing written" in said.err
    assert not out.exists()


def test_a_tile_is_printed_as_the_table_has_it() -> None:
    tile = tune_attention.select_tile(90, 257, 2)
    assert eval(f"{tile}", {"Tile": Tile}) == tile

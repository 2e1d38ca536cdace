import itertools
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
import torch

from kernels import flash
from kernels.flash_variants import flash_report
from kernels.tiles import Schedule, Tile, variant_for

pytest.importorskip("triton.experimental.gluon")
from kernels import flash_gluon
from kernels.flash_gluon import KERNELS, constants

ROOT = Path(__file__).parents[2]
WIDE = Tile(128, 64, num_warps=8, num_stages=2, schedule="overlapped")
WHOLE_ROW = Tile(128, 256, 8, 3, query_tail=True, schedule="whole_row")
TILES = (WIDE, WHOLE_ROW, replace(WIDE, schedule="specialised"))


class Recorder:
    """A kernel that notes how many programs it is launched with, and in what tile."""

    def __init__(self) -> None:
        self.launches: list[tuple[int, dict[str, Any]]] = []

    def __getitem__(self, grid: tuple[int]) -> "Recorder":
        self.n_programs = grid[0]
        return self

    def __call__(self, *_: object, **options: Any) -> None:
        self.launches.append((self.n_programs, options))


def test_every_schedule_has_its_kernel() -> None:
    assert {"alternating", *KERNELS} == set(get_args(Schedule))
    assert {tile.schedule for tile in TILES} == set(KERNELS)


@pytest.mark.parametrize("tile", TILES)
def test_other_chips_and_elements_are_refused_by_name(
    tile: Tile, monkeypatch: pytest.MonkeyPatch
) -> None:
    variant = variant_for(257, tile, 64)
    for arch, dtype in ((80, torch.bfloat16), (100, torch.bfloat16), (90, torch.float32)):
        refusal = f"schedule is {tile.schedule} on sm_{arch} with elements of {dtype.itemsize}"
        with pytest.raises(ValueError, match=refusal):
            flash_report(variant, arch=arch, dtype=dtype)
        monkeypatch.setattr(flash_gluon, "architecture", lambda device, arch=arch: arch)
        qkv = torch.zeros(1, 257, 3, 1, 64, dtype=dtype)
        with pytest.raises(ValueError, match=refusal):
            flash.launch(qkv, qkv.new_empty(1, 257, 64), tile)


def test_gluon_computes_blocks_and_triton_the_query_tails(monkeypatch: pytest.MonkeyPatch) -> None:
    blocks, tails = Recorder(), Recorder()
    monkeypatch.setitem(KERNELS, "whole_row", blocks)
    monkeypatch.setattr(flash, "attention_fwd_kernel", tails)
    monkeypatch.setattr(flash_gluon, "architecture", lambda device: 90)
    for n_tokens in (261, 128, 15):
        qkv = torch.zeros(3, n_tokens, 3, 3, 64, dtype=torch.bfloat16)
        flash.launch(qkv, qkv.new_empty(3, n_tokens, 192), WHOLE_ROW)
    (two_blocks, row), (one_block, _) = blocks.launches
    assert (two_blocks, row["BN"], row["TAIL"]) == (18, 256, 16)
    assert one_block == 9
    (groups, tail), (all_programs, _) = tails.launches
    assert (groups, tail["TAIL_HEADS"], tail["BN"]) == (2, 8, 64)
    assert all_programs == 9  # 15 keys are no block of 16: all of it is Triton's


WITHOUT_GLUON = """
import sys
sys.modules["triton.experimental.gluon"] = None
import torch
from benchmarks.tune_attention import gluon_candidates
from kernels.attention import attention_path
from kernels.flash import launch

print(attention_path("cpu", 64).name)
qkv = torch.zeros(1, 257, 3, 1, 64, dtype=torch.bfloat16)
for tile in gluon_candidates(((1, 257, 1),)):
    try:
        launch(qkv, qkv.new_empty(1, 257, 64), tile)
    except ImportError as error:
        print(tile.schedule, error)
"""


@pytest.mark.slow
def test_without_gluon_the_rest_imports_and_a_launch_says_why() -> None:
    command = [sys.executable, "-c", WITHOUT_GLUON]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    path, *refusals = done.stdout.splitlines()
    assert path == "sdpa"
    assert {line.split()[0] for line in refusals} == set(KERNELS)
    assert all("triton.experimental.gluon" in line for line in refusals)


def test_a_tail_of_keys_is_one_block_of_a_power_of_two() -> None:
    tails = [constants(variant_for(n, WIDE, 64))["TAIL"] for n in (256, 257, 272, 273, 289, 305)]
    assert tails == [0, 16, 16, 32, 64, 64]


def test_every_query_is_in_a_block_or_a_tail() -> None:
    for tile, n_tokens in itertools.product((WIDE, replace(WIDE, query_tail=True)), range(64, 700)):
        variant = variant_for(n_tokens, tile, 64)
        rows = variant.n_blocks(n_tokens) * tile.block_q + (16 if variant.tail_heads else 0)
        assert n_tokens <= rows < n_tokens + tile.block_q


def test_where_gluon_does_not_run_the_tile_is_named_and_triton_s(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for tile in TILES:
        with caplog.at_level("WARNING"):
            assert flash.runnable(tile, torch.device("cpu")) == tile.alternating
        assert f"schedule='{tile.schedule}'" in caplog.text
    assert "needs a CUDA device, this is cpu" in caplog.text
    plain = WIDE.alternating
    assert flash.runnable(plain, torch.device("cpu")) is plain


def test_what_cannot_be_copied_16_bytes_at_a_time_is_known() -> None:
    qkv = torch.zeros(2, 65, 3, 2, 64, dtype=torch.bfloat16)
    assert flash.is_aligned(qkv)
    assert not flash.is_aligned(qkv[..., 1:33])  # its first row begins between two multiples
    padded = torch.zeros(2, 65, 3, 2, 72, dtype=torch.bfloat16)[..., :64]
    assert not flash.is_aligned(padded)
    assert flash.is_aligned(padded.clone(memory_format=torch.contiguous_format))
    one_head = qkv[:, :, :, :1].as_strided((2, 65, 3, 1, 64), (24960, 384, 128, 1, 1))
    assert not flash.is_aligned(one_head)
    assert flash.is_aligned(one_head.clone(memory_format=torch.contiguous_format))

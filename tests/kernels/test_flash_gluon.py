import itertools
from dataclasses import replace

import pytest
import torch

from kernels import flash
from kernels.tiles import Tile, variant_for

pytest.importorskip("triton.experimental.gluon")
from kernels.flash_gluon import constants

WIDE = Tile(128, 64, num_warps=8, num_stages=2, schedule="overlapped")


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
    with caplog.at_level("WARNING"):
        assert flash.runnable(WIDE, torch.device("cpu")) == WIDE.alternating
    assert "schedule='overlapped'" in caplog.text
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

import re
from functools import partial

import pytest
import torch

from kernels import reference
from kernels.flash_variants import flash_report
from kernels.tiles import Tile, Variant, variant_for

pytest.importorskip("triton.experimental.gluon")
from kernels.flash_gluon import constants
from tests.kernels.machine_code import order
from tests.kernels.slow_memory import HEAD_DIM, launch_blocks
from tests.kernels.whole_row_emulation import attend

NARROW = Tile(64, 256, num_warps=4, num_stages=3, schedule="whole_row")
WIDE = Tile(128, 256, num_warps=8, num_stages=3, schedule="whole_row")
WITH_TAIL = Tile(128, 256, num_warps=8, num_stages=3, query_tail=True, schedule="whole_row")


def variants() -> list[object]:
    """The longest row, one without a tail, and one with the longest tail."""
    cases = ((NARROW, 257), (WIDE, 257), (WIDE, 256), (NARROW, 255))
    return [pytest.param(variant_for(n, tile, 64), id=f"{tile.block_q}-{n}") for tile, n in cases]


@pytest.mark.slow
@pytest.mark.parametrize("variant", variants())
def test_values_are_on_their_way_during_the_one_softmax(variant: Variant) -> None:
    report = flash_report(variant, arch=90, dtype=torch.bfloat16)
    assert report.spill_bytes == report.stack_bytes == 0
    assert report.registers <= 208
    assert report.shared_bytes <= report.shared_limit_bytes
    tile, tail = variant.tile, constants(variant)["TAIL"]
    # Copies; keys are waited for; scores; all exponentials; values are waited for; their product.
    pieces = 2 if tail else 1
    steps = re.fullmatch(
        rf"l+w(?:AH{{4}}){{{pieces}}}0(e+)v((?:AH+){{{pieces}}})0", order(report.code, "lwvAH0e")
    )
    assert steps is not None
    keys = tile.block_kv + tail
    assert len(steps[1]) == tile.block_q * keys // (32 * tile.num_warps)
    assert steps[2].count("H") == keys // 16
    assert report.shared_bytes >= 2 * HEAD_DIM * (tile.block_q + 2 * keys)


@pytest.mark.slow
def test_heads_of_32_and_float16_fit_too() -> None:
    for dtype, head_dim in ((torch.float16, 64), (torch.bfloat16, 32)):
        report = flash_report(variant_for(261, WIDE, head_dim), arch=90, dtype=dtype)
        assert report.spill_bytes == 0
        assert report.count("HGMMA") > 0


def head(n_tokens: int) -> torch.Tensor:
    return torch.randn(n_tokens, 3, HEAD_DIM, generator=torch.Generator().manual_seed(n_tokens))


def truth(qkv: torch.Tensor) -> torch.Tensor:
    return reference.attention(qkv[None, :, :, None])[0]


@pytest.mark.parametrize("tile", [NARROW, WIDE])
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("n_tokens", [*range(16, 273, 13), 64, 128, 197, 255, 256, 257, 261, 272])
def test_one_softmax_gives_the_reference(tile: Tile, late: bool, n_tokens: int) -> None:
    qkv = head(n_tokens)
    found = launch_blocks(partial(attend, late=late), qkv, variant_for(n_tokens, tile, HEAD_DIM))
    torch.testing.assert_close(found, truth(qkv))


def test_what_query_tails_compute_is_left_to_them() -> None:
    qkv = head(261)
    found = launch_blocks(partial(attend, late=True), qkv, variant_for(261, WITH_TAIL, HEAD_DIM))
    torch.testing.assert_close(found[:256], truth(qkv)[:256])
    assert found[256:].isnan().all()


def test_values_that_nobody_waited_for_would_be_seen() -> None:
    hasty = partial(attend, late=True, values_waited_for=False)
    assert launch_blocks(hasty, head(257), variant_for(257, WIDE, HEAD_DIM)).isnan().any()


@pytest.mark.parametrize(
    ("n_tokens", "block", "tail"),
    [(16, 16, 0), (17, 16, 16), (65, 64, 16), (197, 128, 128), (255, 128, 128), (272, 256, 16)],
)
def test_a_row_is_a_power_of_two_and_a_tail(n_tokens: int, block: int, tail: int) -> None:
    found = constants(variant_for(n_tokens, WIDE, 64))
    assert (found["BN"], found["TAIL"]) == (block, tail)


def test_every_key_is_in_the_row_once_and_fewer_than_16_are_triton_s() -> None:
    for n_tokens in range(1, 273):
        variant = variant_for(n_tokens, WIDE, 64)
        assert variant.in_gluon == (n_tokens >= 16)
        if variant.in_gluon:
            found = constants(variant)
            assert found["BN"] <= n_tokens <= found["BN"] + found["TAIL"] <= 272
            assert found["TAIL"] <= found["BN"]


def test_longer_rows_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"N is 273; allowed: up to 272 by Tile\(.*'whole_row'\)"):
        variant_for(273, WIDE, 64)

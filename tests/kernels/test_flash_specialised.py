import functools
import itertools
import re
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from kernels import reference
from kernels.aot import KernelReport
from kernels.flash_variants import flash_report
from kernels.tiles import Tile, Variant, variant_for

pytest.importorskip("triton.experimental.gluon")
from kernels.flash_gluon import constants
from kernels.flash_specialised import COMPUTING_REGISTERS, COPYING_REGISTERS
from tests.kernels.machine_code import highest_register, order, product_in_flight, written
from tests.kernels.slow_memory import HEAD_DIM, launch_blocks
from tests.kernels.specialised_emulation import PARTIES, Program

SHORT = Tile(128, 64, num_warps=8, num_stages=2, schedule="specialised")
DEEP = Tile(128, 64, num_warps=8, num_stages=3, schedule="specialised")
LONG = Tile(128, 128, num_warps=8, num_stages=2, schedule="specialised")


def variants() -> list[object]:
    """Without a tail, with the shortest and with the longest."""
    cases = ((SHORT, 256), (SHORT, 257), (DEEP, 319), (LONG, 511))
    return [
        pytest.param(variant_for(n, tile, 64), id=f"{tile.block_kv}x{tile.num_stages}-{n}")
        for tile, n in cases
    ]


@functools.cache
def report_of(variant: Variant) -> KernelReport:
    return flash_report(variant, arch=90, dtype=torch.bfloat16)


def loops(report: KernelReport, steps: str) -> list[tuple[str, ...]]:
    """Those whose barriers, products, exponentials and copies are these steps."""
    return [body for body in report.loop_code if re.fullmatch(steps, order(body, "?AH1b^e0l!"))]


def one_pass(variant: Variant) -> str:
    """Barriers; scores and the product with V; scores are there, and free; the softmax; V is."""
    block = variant.tile.block_kv
    return rf"b?\?\?AH{{4}}AH{{{block // 16}}}1b\^b?e{{{block // 2 + 2}}}0b\^b?"


def one_block(variant: Variant) -> str:
    """Keys have a place, are copied, and arrive by themselves; values likewise."""
    copies = variant.tile.block_kv // 16
    return rf"b?\?l{{{copies}}}!\?l{{{copies}}}!"


@pytest.mark.slow
@pytest.mark.parametrize("variant", variants())
def test_both_groups_overlap_and_the_third_only_copies(variant: Variant) -> None:
    report = report_of(variant)
    assert len(loops(report, one_pass(variant))) == 2
    assert len(loops(report, one_block(variant))) == 1
    # A tail of keys is one more such pass, and the last product, of either group.
    block, tail = variant.tile.block_kv, constants(variant)["TAIL"]
    last = rf"AH{{4}}AH{{{block // 16}}}1e{{{tail // 2 + 2}}}0AH{{{tail // 16}}}0"
    assert len(re.findall(last, order(report.code))) == (2 if tail else 0)


@pytest.mark.slow
@pytest.mark.parametrize("variant", variants())
def test_nothing_touches_what_either_group_s_product_in_flight_holds(variant: Variant) -> None:
    for code in loops(report_of(variant), one_pass(variant)):
        held, between = product_in_flight(code)
        assert len(held) == 32 + variant.tile.block_kv // 4
        assert any(written(line) for line in between)
        assert not any(written(line) & held for line in between)


@pytest.mark.slow
@pytest.mark.parametrize("variant", variants())
def test_registers_are_handed_over_and_none_is_spilled(variant: Variant) -> None:
    report = report_of(variant)
    assert report.spill_bytes == report.stack_bytes == 0
    assert report.shared_bytes <= report.shared_limit_bytes
    copying, computing = COPYING_REGISTERS.value, COMPUTING_REGISTERS.value
    handed = [line.split() for line in report.code if line.startswith("USETMAXREG")]
    given = {int(operands[-1], 16) for name, *operands in handed if "DEALLOC" in name}
    taken = {int(operands[-1], 16) for name, *operands in handed if "TRY_ALLOC" in name}
    assert copying in given
    assert computing in given & taken  # the group that is there before has more, the other less
    # What all begin with is enough for what they have afterwards.
    assert report.num_warps == 12
    assert copying + 2 * computing <= 3 * report.registers <= 512
    (copies,) = loops(report, one_block(variant))
    assert highest_register(copies) < copying
    for computes in loops(report, one_pass(variant)):
        assert highest_register(computes) < computing


@pytest.mark.slow
def test_heads_of_32_and_float16_fit_too() -> None:
    for dtype, head_dim in ((torch.float16, 64), (torch.bfloat16, 32)):
        report = flash_report(variant_for(257, SHORT, head_dim), arch=90, dtype=dtype)
        assert report.spill_bytes == 0
        assert report.count("HGMMA") > 0
        assert report.count("USETMAXREG") > 0


def emulated(qkv: Tensor, tile: Tile, preference: tuple[str, ...], **options: object) -> Tensor:
    """Every program of a head, its groups going on in an order of preference."""

    def attend(q: Tensor, k: Tensor, v: Tensor, constants: dict[str, int]) -> Tensor:
        return Program(constants, **options).run(q, k, v, preference)

    return launch_blocks(attend, qkv, variant_for(len(qkv), tile, HEAD_DIM))


def head(n_tokens: int) -> Tensor:
    return torch.randn(n_tokens, 3, HEAD_DIM, generator=torch.Generator().manual_seed(n_tokens))


def truth(qkv: Tensor) -> Tensor:
    return reference.attention(qkv[None, :, :, None])[0]


@pytest.mark.parametrize("tile", [SHORT, DEEP, LONG])
@pytest.mark.parametrize("late_products", [False, True])
@pytest.mark.parametrize("n_tokens", [128, 257, 305, 449])
def test_whoever_goes_first_the_reference_comes_out(
    tile: Tile, late_products: bool, n_tokens: int
) -> None:
    qkv = head(n_tokens)
    q, k, v = qkv.unbind(1)
    expected = truth(qkv)[-tile.block_q :]
    compiled = constants(variant_for(n_tokens, tile, HEAD_DIM))
    for preference in itertools.permutations(PARTIES):
        program = Program(compiled, late_products=late_products)
        found = program.run(q[-tile.block_q :], k, v, preference)
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("tile", [SHORT, LONG])
@pytest.mark.parametrize("n_tokens", [129, 261, 515, 1370, 1374])
def test_all_programs_write_all_queries(tile: Tile, n_tokens: int) -> None:
    qkv = head(n_tokens)
    found = emulated(qkv, tile, PARTIES, late_products=True)
    torch.testing.assert_close(found, truth(qkv))


def test_what_query_tails_compute_is_left_to_them() -> None:
    qkv = head(261)
    tile = replace(SHORT, query_tail=True)
    found = emulated(qkv, tile, PARTIES, late_products=True)
    torch.testing.assert_close(found[:256], truth(qkv)[:256])
    assert found[256:].isnan().all()


def test_values_that_are_free_before_their_product_would_be_overwritten() -> None:
    qkv = head(449)
    found = emulated(qkv, SHORT, PARTIES, late_products=True, frees_early=True)
    assert not torch.allclose(found, truth(qkv), atol=1e-2)


def test_a_group_that_is_waited_for_in_vain_is_told() -> None:
    with pytest.raises(AssertionError, match=r"\['copying', 'first', 'memory', 'second'\] wait"):
        emulated(head(449), SHORT, PARTIES, late_products=True, groups_to_free=3)


@pytest.mark.parametrize("fields", [(64, 64, 4, 2), (128, 64, 4, 2), (256, 64, 8, 2)])
def test_other_groups_are_refused_by_name(fields: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match=r"a specialised tile has block_q=.*; allowed: 128 and 8"):
        Tile(*fields, schedule="specialised")

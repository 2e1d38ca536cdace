from dataclasses import replace
from typing import Any

import pytest

from kernels import tiles
from kernels.tiles import (
    TILE_TABLE,
    Schedule,
    Tile,
    TileRow,
    select_tile,
    tail_width,
    tiles_digest,
    variant_for,
)


@pytest.mark.parametrize("arch", [80, 86, 89, 90, 100, 120])
@pytest.mark.parametrize("element_bytes", [2, 4])
@pytest.mark.parametrize("n_tokens", [1, 16, 257, 512, 513, 1370, 100_000])
def test_every_case_has_a_tile(arch: int, element_bytes: int, n_tokens: int) -> None:
    assert isinstance(select_tile(arch, n_tokens, element_bytes), Tile)


def test_every_row_is_reached() -> None:
    reached = {
        (row.arch, row.element_bytes, row.tile)
        for row in TILE_TABLE
        if row.tile == select_tile(row.arch, row.max_tokens or 10_000, row.element_bytes)
    }
    assert len(reached) == len(TILE_TABLE)


def test_no_row_names_gluon_before_a_card_has_chosen_it() -> None:
    assert all(row.tile.schedule == "alternating" for row in TILE_TABLE)


def work_share(n_tokens: int, tile: Tile) -> float:
    """Scores computed over scores needed."""
    variant = variant_for(n_tokens, tile, 64)
    blocks = variant.n_programs(1, n_tokens) - (variant.tail_heads > 0)
    columns = n_tokens // tile.block_kv * tile.block_kv + variant.tail
    tail = 16 * -(-n_tokens // 16) * 16 if variant.tail_heads else 0
    return (blocks * tile.block_q * columns + tail) / n_tokens**2


@pytest.mark.parametrize(
    ("n_tokens", "share"), [(257, 1.13), (261, 1.09), (1370, 1.04), (1374, 1.03)]
)
@pytest.mark.parametrize("arch", [80, 90])
def test_hardly_more_work_than_needed(arch: int, n_tokens: int, share: float) -> None:
    # 128x128 blocks do 2.23 times the work at 257 tokens.
    assert 1 <= work_share(n_tokens, select_tile(arch, n_tokens, 2)) < share


@pytest.mark.parametrize(
    ("n_tokens", "width"), [(256, 0), (257, 16), (272, 16), (273, 32), (289, 48), (305, 64)]
)
def test_tail_is_a_multiple_of_16(n_tokens: int, width: int) -> None:
    assert tail_width(n_tokens, 64) == width


@pytest.mark.parametrize("block_kv", [16, 32, 64, 128])
def test_tail_covers_what_full_blocks_leave_over(block_kv: int) -> None:
    for n_tokens in range(1, 3 * block_kv + 1):
        left_over = n_tokens % block_kv
        assert left_over <= tail_width(n_tokens, block_kv) < left_over + 16


@pytest.mark.parametrize(
    ("n_tokens", "heads", "programs"),
    [
        (1, 0, 18),
        (16, 0, 18),
        (128, 0, 18),
        (129, 8, 3 + 18),
        (144, 8, 3 + 18),
        (145, 0, 36),
        (257, 8, 3 + 36),
        (1370, 0, 11 * 18),
    ],
)
def test_up_to_16_queries_left_over_are_done_by_the_head(
    n_tokens: int, heads: int, programs: int
) -> None:
    variant = variant_for(n_tokens, Tile(128, 64, 8, 3, query_tail=True), 64)
    assert variant.tail_heads == heads
    assert variant.n_programs(18, n_tokens) == programs


def test_without_a_query_tail_the_last_queries_get_a_block() -> None:
    variant = variant_for(257, Tile(128, 64, 8, 3), 64)
    assert (variant.tail_heads, variant.n_programs(18, 257)) == (0, 54)


@pytest.mark.parametrize("head_dim", [16, 80, 128])
def test_heads_that_the_kernel_does_not_serve_are_refused(head_dim: int) -> None:
    assert variant_for(257, Tile(64, 64, 4, 3), 32).constants["D"] == 32
    with pytest.raises(ValueError, match=f"heads have {head_dim} numbers; allowed: 32 or 64"):
        variant_for(257, Tile(64, 64, 4, 3), head_dim)


def test_older_chips_and_other_elements_are_refused() -> None:
    with pytest.raises(ValueError, match="sm_75; allowed: sm_80 and newer"):
        select_tile(75, 257, 2)
    with pytest.raises(ValueError, match="8 bytes; allowed: 2 or 4"):
        select_tile(90, 257, 8)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ((48, 64, 4, 2), "block_q is 48; allowed: powers of two from 16"),
        ((64, 8, 4, 2), "block_kv is 8; allowed: powers of two from 16"),
        ((64, 64, 3, 2), "num_warps is 3"),
        ((64, 64, 4, 0), "num_stages is 0"),
        ((64, 64, 4, 2, False, None, "eager"), "schedule is eager; allowed: alternating, overl"),
    ],
)
def test_impossible_tiles_are_refused(fields: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Tile(*fields)


@pytest.mark.parametrize("schedule", ["overlapped", "whole_row", "specialised"])
@pytest.mark.parametrize(("arch", "element_bytes"), [(80, 2), (100, 2), (90, 4)])
def test_schedules_of_gluon_are_for_sm_90_and_16_bits(
    schedule: Schedule, arch: int, element_bytes: int
) -> None:
    tile = Tile(128, 128, num_warps=8, num_stages=2, schedule=schedule)
    assert TileRow(90, 2, 128, tile).tile is tile
    with pytest.raises(ValueError, match=f"{schedule} on sm_{arch} .* {element_bytes} bytes; allo"):
        TileRow(arch, element_bytes, 128, tile)


@pytest.mark.parametrize("max_tokens", [None, 273])
def test_a_row_of_the_table_is_no_longer_than_its_tile_serves(max_tokens: int | None) -> None:
    whole_rows = Tile(128, 256, num_warps=8, num_stages=3, schedule="whole_row")
    assert TileRow(90, 2, 272, whole_rows).max_tokens == whole_rows.max_tokens
    with pytest.raises(ValueError, match=f"max_tokens is {max_tokens}; allowed: up to 272 by"):
        TileRow(90, 2, max_tokens, whole_rows)


def test_triton_computes_64_keys_at_once_in_place_of_a_whole_row() -> None:
    whole_rows = Tile(64, 256, num_warps=4, num_stages=3, query_tail=True, schedule="whole_row")
    assert whole_rows.alternating == Tile(64, 64, num_warps=4, num_stages=3, query_tail=True)
    assert whole_rows.alternating.serves(1370)
    assert not whole_rows.serves(1370)


def test_an_architectures_digest_goes_by_its_own_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    hopper, ampere = tiles_digest(90), tiles_digest(80)
    assert tiles_digest(100) == tiles_digest(86) == ampere != hopper
    changed = replace(TILE_TABLE[0], tile=replace(TILE_TABLE[0].tile, num_stages=2))
    monkeypatch.setattr(tiles, "TILE_TABLE", (changed, *TILE_TABLE[1:]))
    assert tiles_digest(90) != hopper
    assert tiles_digest(80) == ampere

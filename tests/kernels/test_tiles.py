import pytest

from kernels.tiles import TILE_TABLE, Tile, select_tile, tail_width


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


def test_224_px_frames_waste_less_than_library_tiles() -> None:
    tile = select_tile(90, 257, 2)
    rows = -(-257 // tile.block_q) * tile.block_q
    columns = 257 // tile.block_kv * tile.block_kv + tail_width(257, tile.block_kv)
    assert rows * columns / 257**2 < 1.35  # 128x128 blocks do 2.23 times the work


@pytest.mark.parametrize(
    ("n_tokens", "width"), [(256, 0), (257, 16), (272, 16), (273, 32), (289, 64)]
)
def test_tail_is_the_next_power_of_two(n_tokens: int, width: int) -> None:
    assert tail_width(n_tokens, 64) == width


@pytest.mark.parametrize("block_kv", [16, 32, 64, 128])
def test_tail_covers_what_full_blocks_leave_over(block_kv: int) -> None:
    for n_tokens in range(1, 3 * block_kv + 1):
        left_over = n_tokens % block_kv
        assert left_over <= tail_width(n_tokens, block_kv) <= block_kv


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
    ],
)
def test_impossible_tiles_are_refused(fields: tuple[int, int, int, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Tile(*fields)

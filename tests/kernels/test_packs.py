import torch

from kernels.packs import packs, runs


def test_sequences_of_one_length_are_one_pack() -> None:
    found = packs((5, 3, 5, 1, 3), torch.device("cpu"))
    assert [one.n_tokens for one in found] == [5, 3, 1]
    assert [one.starts.tolist() for one in found] == [[0, 8], [5, 14], [13]]
    assert all(one.starts.dtype == torch.int32 for one in found)


def test_the_tables_of_a_pack_are_made_once() -> None:
    assert packs((5, 3), torch.device("cpu")) is packs((5, 3), torch.device("cpu"))


def test_runs_are_neighbours_of_equal_length() -> None:
    assert list(runs([5, 5, 3, 5])) == [(2, 5), (1, 3), (1, 5)]
    assert list(runs([])) == []

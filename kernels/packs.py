"""Where the sequences of a pack begin, those of one length together: a launch serves one length.

In: lengths of the sequences that lie one behind the other. Out: a `Pack` per length. Must not know
triton, nor what is computed of the tokens.
"""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby

import torch
from torch import Tensor

_KEPT_PACKS = 64
"""Packs whose tables stay on their device; training has as many as it has kinds of batches."""


@dataclass(frozen=True, slots=True, eq=False)
class Pack:
    """Sequences of one length.

    Attributes:
        n_tokens: N, of each.
        starts: int32 `[S]`, first token of each among all tokens.
    """

    n_tokens: int
    starts: Tensor


@functools.lru_cache(maxsize=_KEPT_PACKS)
def packs(lengths: tuple[int, ...], device: torch.device) -> tuple[Pack, ...]:
    """Sort the sequences by length; the tables are copied to the device once.

    Args:
        lengths: tokens of each sequence, 1 or more.
        device: of the tokens.

    Returns:
        One per length that occurs, in the order in which it first does.
    """
    starts: dict[int, list[int]] = {}
    for length, end in zip(lengths, accumulate(lengths), strict=True):
        starts.setdefault(length, []).append(end - length)
    return tuple(
        Pack(length, torch.tensor(found, dtype=torch.int32, device=device))
        for length, found in starts.items()
    )


def runs(lengths: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Neighbours of equal length.

    Args:
        lengths: tokens of each sequence.

    Yields:
        How many sequences, and the length of each.
    """
    for length, equal in groupby(lengths):
        yield sum(1 for _ in equal), length

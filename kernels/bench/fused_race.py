"""Holds the fused kernels to their references, then times each beside eager and compiled torch.

In: a CUDA device. Out: checks; rows of JSON values: times, rates, ratios and goals. Rows must not
be asked for before the checks.
"""

from collections.abc import Iterator
from functools import partial
from typing import Any

import torch

from .fused import Arguments, Contest, Function, Shape, all_of, contests
from .gate import TOLERANCE, relative_error
from .goals import FUSED_GOALS, OURS, figure, ratios
from .timing import race, rotation, spread


def fused_checks(device: torch.device) -> Iterator[dict[str, Any]]:
    """Every kernel in every dtype at odd shapes and at one of those to be timed."""
    # torch fills new memory with NaN then: what a kernel leaves out makes its error NaN.
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        for dtype in TOLERANCE:
            for contest in contests(dtype, device):
                for shape in (*contest.gate_shapes, *contest.shapes[:1]):
                    torch.compiler.reset()
                    yield check(contest, shape, dtype, device)
    finally:
        torch.use_deterministic_algorithms(False)


def check(
    contest: Contest, shape: Shape, dtype: torch.dtype, device: torch.device
) -> dict[str, Any]:
    """Compare with the reference, and with the same under torch.compile, in poisoned memory."""
    arguments = contest.draw(shape, dtype, device)
    outs = all_of(contest.ours(*arguments))
    again = all_of(torch.compile(contest.ours, backend="aot_eager", fullgraph=True)(*arguments))
    truths = all_of(contest.truth(*arguments))
    errors = [relative_error(out, truth) for out, truth in zip(outs, truths, strict=True)]
    same = all(map(torch.equal, outs, again))
    return {
        "check": f"{contest.kernel} {list(shape)}",
        "dtype": str(dtype),
        "relative_errors": errors,
        "same_bits_compiled": same,
        "passed": same and all(error <= TOLERANCE[dtype] for error in errors),
    }


def fused_rows(rounds: int, device: torch.device) -> Iterator[dict[str, Any]]:
    """Time every kernel at its shapes in bfloat16.

    Args:
        rounds: interleaved, 2 and more.
        device: whose gate was green.
    """
    for contest in contests(torch.bfloat16, device):
        for shape in contest.shapes:
            yield time_shape(contest, shape, rounds, device)


def time_shape(contest: Contest, shape: Shape, rounds: int, device: torch.device) -> dict[str, Any]:
    """Time the kernel, eager torch and compiled torch in turn, round by round.

    Args:
        contest: one of them, in bfloat16.
        shape: at which.
        rounds: 2 and more.
        device: whose gate was green.

    Returns:
        The row; rates are of what has to be read and written once.
    """
    torch.compiler.reset()
    compiled = torch.compile(contest.eager, dynamic=False)
    functions = {OURS: contest.ours, "eager": contest.eager, "compiled": compiled}
    first = contest.draw(shape, torch.bfloat16, device)
    moved = sum(tensor.nbytes for tensor in (*first, *all_of(contest.ours(*first))))
    others = (contest.draw(shape, torch.bfloat16, device) for _ in range(rotation(moved) - 1))
    calls = {name: partial(_call, function) for name, function in functions.items()}
    found = race(calls, [first, *others], rounds)
    us = {name: spread(samples) for name, samples in found.times_us.items()}
    rates = {name: moved / one["median"] / 1e3 for name, one in us.items()}
    medians = {name: one["median"] for name, one in us.items()}
    own_rate = figure(None, rates.get(OURS), None)
    return {
        "workload": f"{contest.kernel} {'x'.join(map(str, shape))}",
        "dtype": "bfloat16",
        "unit": "GB/s",
        "us": us,
        "rates": rates,
        "absent": found.absent,
        "clocks": found.clocks,
        "figures": [own_rate, *ratios(medians, found.absent, FUSED_GOALS)],
    }


def _call(function: Function, arguments: Arguments) -> object:
    return function(*arguments)

"""The Triton kernels beside attention's themselves, in triton's interpreter on the CPU.

An error is relative to what it should be where that is above 1. bfloat16 is allowed a whole unit
in the last place, 2^-7: the interpreter cuts off where a GPU rounds to the nearest.
"""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from kernels.fused_variants import WIDTHS

Interpret = Callable[..., dict[str, Any]]
TOLERANCE = {"float32": 1e-6, "float16": 1e-3, "bfloat16": 2**-7}
DTYPES = list(TOLERANCE)


def assert_correct(answer: dict[str, Any], shape: list[int], dtype: str) -> None:
    assert answer["shape"] == shape
    assert answer["dtype"] == f"torch.{dtype}"
    assert answer["unwritten"] == 0
    assert answer["max_error"] <= TOLERANCE[dtype]


def assert_both_correct(answer: dict[str, Any], shape: list[int], dtype: str) -> None:
    assert_correct(answer["added"], shape, dtype)
    assert_correct(answer["normed"], shape, dtype)


# What is masked goes by the shape and what is rounded by the dtype: all of both, not all pairs.
@pytest.mark.parametrize(
    ("shape", "dtype"),
    [
        *(([2, 3, 5], dtype) for dtype in DTYPES),
        *((shape, "float32") for shape in ([1, 1, 1], [1, 2, 16], [1, 16, 9], [3, 1, 37])),
    ],
)
def test_patches(interpret_fused: Interpret, shape: list[int], dtype: str) -> None:
    n_batch, h, w = shape
    answer = interpret_fused("patches", shape=shape, dtype=dtype)
    assert_correct(answer, [n_batch * h * w, 588], dtype)


@pytest.mark.parametrize("patch", [2, 8, 16])
def test_patches_of_other_models(interpret_fused: Interpret, patch: int) -> None:
    answer = interpret_fused("patches", shape=[2, 3, 5], dtype="float32", patch=patch)
    assert_correct(answer, [30, 3 * patch**2], "float32")


@pytest.mark.parametrize(
    "layout",
    [
        "rows_of_a_larger_tensor",
        "rows_from_an_odd_place",
        "images_of_a_larger_batch",
        "channels_of_a_larger_tensor",
        "every_second_channel",
        "last_axes_swapped",
        "first_axes_swapped",
    ],
)
def test_patches_of_any_strides(interpret_fused: Interpret, layout: str) -> None:
    answer = interpret_fused("patches", shape=[2, 2, 3], dtype="float32", layout=layout)
    assert_correct(answer, [12, 588], "float32")


@pytest.mark.parametrize("width", [1, 17, 200, 2048, *WIDTHS])
@pytest.mark.parametrize("dtype", DTYPES)
def test_norm(interpret_fused: Interpret, width: int, dtype: str) -> None:
    answer = interpret_fused("norm", shape=[5, width], dtype=dtype)
    assert_correct(answer, [5, width], dtype)


@pytest.mark.parametrize("width", [1, 17, 200, 2048, *WIDTHS])
@pytest.mark.parametrize("dtype", DTYPES)
def test_add_norm(interpret_fused: Interpret, width: int, dtype: str) -> None:
    answer = interpret_fused("add_norm", shape=[5, width], dtype=dtype)
    assert_both_correct(answer, [5, width], dtype)


@pytest.mark.parametrize("width", [17, 200, *WIDTHS])
@pytest.mark.parametrize("branches", ["float16", "bfloat16"])
def test_a_float32_stream_is_not_rounded_with_its_branches(
    interpret_fused: Interpret, width: int, branches: str
) -> None:
    case = {"shape": [5, width], "dtype": "float32", "branches": branches}
    assert_correct(interpret_fused("norm", **case), [5, width], branches)
    answer = interpret_fused("add_norm", **case)
    assert_correct(answer["added"], [5, width], "float32")
    assert_correct(answer["normed"], [5, width], branches)


TOKEN_LAYOUTS = [
    "rows_of_a_larger_tensor",
    "channels_of_a_larger_tensor",
    "images_of_a_larger_batch",
    "first_axes_swapped",
    "last_axes_swapped",
    "every_second_channel",
]


@pytest.mark.parametrize("layout", TOKEN_LAYOUTS)
def test_residual_of_any_strides(interpret_fused: Interpret, layout: str) -> None:
    case = {"shape": [2, 7, 192], "dtype": "float32", "layout": layout}
    assert_correct(interpret_fused("norm", **case), [2, 7, 192], "float32")
    assert_both_correct(interpret_fused("add_norm", **case), [2, 7, 192], "float32")


def test_rows_far_from_zero_keep_their_variance(interpret_fused: Interpret) -> None:
    # mean(x^2) - mean(x)^2 would lose it: the scale is 1e4 and statistics are float32.
    answer = interpret_fused("norm", shape=[9, 384], dtype="float32", scale=1e4)
    assert_correct(answer, [9, 384], "float32")


@pytest.mark.parametrize("shape", [[1, 1], [3, 1000], [2, 1024], [2, 1025], [1, 2, 4096]])
@pytest.mark.parametrize("dtype", DTYPES)
def test_swiglu(interpret_fused: Interpret, shape: list[int], dtype: str) -> None:
    answer = interpret_fused("swiglu", shape=shape, dtype=dtype)
    assert_correct(answer, shape, dtype)


@pytest.mark.parametrize("layout", TOKEN_LAYOUTS)
def test_swiglu_of_any_strides(interpret_fused: Interpret, layout: str) -> None:
    answer = interpret_fused("swiglu", shape=[2, 3, 72], dtype="float32", layout=layout)
    assert_correct(answer, [2, 3, 72], "float32")


def test_swiglu_of_large_gates_stays_finite(interpret_fused: Interpret) -> None:
    answer = interpret_fused("swiglu", shape=[4, 300], dtype="float32", scale=60)
    assert_correct(answer, [4, 300], "float32")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("frames", "width"),
    [*itertools.product([1, 2, 7, 8, 31], [1, 192, 385, 1536]), (256, 1), (256, 385)],
)
def test_windows(interpret_fused: Interpret, frames: int, width: int) -> None:
    present = [frames, 1, (frames + 1) // 2]
    for dtype in DTYPES if frames * width < 2000 else ["float32"]:
        answer = interpret_fused("windows", shape=[3, frames, width], dtype=dtype, present=present)
        assert_correct(answer, [3, width], dtype)


@pytest.mark.parametrize("layout", TOKEN_LAYOUTS)
def test_windows_of_any_strides(interpret_fused: Interpret, layout: str) -> None:
    answer = interpret_fused(
        "windows", shape=[3, 5, 100], dtype="float32", present=[5, 2, 3], layout=layout
    )
    assert_correct(answer, [3, 100], "float32")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("seed", [11, 12])
def test_other_seeds(interpret_fused: Interpret, seed: int, dtype: str) -> None:
    case = {"dtype": dtype, "seed": seed}
    assert_correct(interpret_fused("patches", shape=[1, 3, 5], **case), [15, 588], dtype)
    assert_correct(interpret_fused("norm", shape=[11, 384], **case), [11, 384], dtype)
    assert_both_correct(interpret_fused("add_norm", shape=[11, 384], **case), [11, 384], dtype)
    assert_correct(interpret_fused("swiglu", shape=[3, 777], **case), [3, 777], dtype)
    windows = interpret_fused("windows", shape=[4, 8, 384], present=[8, 8, 3, 1], **case)
    assert_correct(windows, [4, 384], dtype)


@pytest.mark.slow
@pytest.mark.parametrize("kernel", ["patches", "norm", "add_norm", "swiglu", "windows"])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_public_functions_run_their_kernel_and_compile_into_one_graph(
    interpret_fused: Interpret, kernel: str, dtype: str
) -> None:
    answer = interpret_fused("public", kernel=kernel, dtype=dtype)
    assert answer["same_when_traced"]
    assert answer["layout_kept"]
    for result in answer["results"]:
        assert_correct(result, result["shape"], dtype)


@pytest.mark.parametrize("kernel", ["patches", "norm", "add_norm", "swiglu", "windows"])
def test_each_keeps_the_rules_of_a_torch_operator(interpret_fused: Interpret, kernel: str) -> None:
    outcome = interpret_fused("opcheck", kernel=kernel)
    assert set(outcome.values()) == {"SUCCESS"}

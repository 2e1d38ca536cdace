import pytest
import torch

from kernels.windows import pool_windows
from operators.vector.pooling import pool

PRESENT = torch.tensor([8, 1, 3, 7])


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("width", [1, 384, 769])
def test_equals_the_pooling_of_the_action_operator(width: int) -> None:
    vectors, query = draw(4, 8, width), draw(width, seed=1)
    for window, count in zip(vectors, PRESENT.tolist(), strict=True):
        window[count:] = float("nan")
    out = pool_windows(vectors, PRESENT, query)
    alone = [
        pool(window[:count], "attention", 8, query)
        for window, count in zip(vectors, PRESENT.tolist(), strict=True)
    ]
    torch.testing.assert_close(out, torch.stack(alone), atol=1e-6, rtol=1e-6)


def test_one_frame_is_itself() -> None:
    vectors = draw(4, 1, 20)
    assert torch.equal(
        pool_windows(vectors, torch.ones(4, dtype=torch.int32), draw(20)), vectors[:, 0]
    )


def test_a_window_without_frames_is_nan() -> None:
    out = pool_windows(draw(2, 3, 4), torch.tensor([0, 3]), draw(4))
    assert out[0].isnan().all()
    assert out[1].isfinite().all()


@pytest.mark.parametrize(
    ("vectors", "present", "query", "message"),
    [
        (draw(8, 4), PRESENT, draw(4), r"shape \[8, 4\]; allowed: \[W, T, F\]"),
        (draw(4, 257, 2), PRESENT, draw(2), "T at most 256"),
        (draw(4, 8, 0), PRESENT, draw(0), "not empty"),
        (draw(4, 8, 2).double(), PRESENT, draw(2), r"vectors are torch\.float64; allowed"),
        (draw(4, 8, 2), PRESENT[:3], draw(2), r"present is torch\.int64 \[3\]; allowed"),
        (draw(4, 8, 2), PRESENT.float(), draw(2), r"present is torch\.float32 \[4\]; allowed"),
        (draw(4, 8, 2), PRESENT, draw(3), r"query is torch\.float32 \[3\]; allowed"),
        (draw(4, 8, 2), PRESENT, draw(2).half(), r"query is torch\.float16 \[2\]; allowed"),
    ],
)
def test_what_does_not_fit_is_refused(
    vectors: torch.Tensor, present: torch.Tensor, query: torch.Tensor, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        pool_windows(vectors, present, query)


@pytest.mark.needs_gpu
@pytest.mark.parametrize("width", [384, 3072])
def test_cuda_equals_the_reference(width: int) -> None:
    vectors, query = draw(4, 8, width), draw(width, seed=1)
    out = pool_windows(vectors.cuda(), PRESENT.cuda(), query.cuda()).cpu()
    # The GPU's exponentials and divisions are approximate.
    torch.testing.assert_close(out, pool_windows(vectors, PRESENT, query), atol=1e-5, rtol=1e-5)

"""The embedding as a consumer meets it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from operators.backbones.architectures import Architecture
from operators.errors import DinostreamError, UsageError
from operators.frames import Features, FrameInfo
from operators.vector.embedding import Embedding, build_embedding
from operators.weights.head_request import HeadRequest


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_numpy_reads_a_direction_of_length_one(
    features_of: Callable[..., Features],
    frame: Callable[..., FrameInfo],
    tiny: Architecture,
    dtype: torch.dtype,
) -> None:
    features = features_of([frame(0), frame(1)], tiny, dtype=dtype)

    results = Embedding()(features)

    assert [result.info.position for result in results] == ["0", "18000"]
    for result, token in zip(results, features.cls, strict=False):
        vector = np.frombuffer(result.data, dtype="<f4")
        assert result.attributes == {"dim": "192"}
        assert vector.shape == (192,)
        assert np.linalg.norm(vector.astype(np.float64)) == pytest.approx(1, abs=1e-6)
        token = token.double().numpy()
        np.testing.assert_allclose(vector, token / np.linalg.norm(token), atol=1e-7)


def test_batch_mates_and_padding_change_nothing(
    features_of: Callable[..., Features], frame: Callable[..., FrameInfo], tiny: Architecture
) -> None:
    frames = [frame(number) for number in range(8)]
    together = Embedding()(features_of(frames, tiny))
    alone = [Embedding()(features_of([info], tiny, batch_size=3))[0] for info in frames]
    assert alone == together


@pytest.mark.parametrize("token", [0.0, torch.nan, torch.inf])
def test_no_direction_is_an_error(
    features_of: Callable[..., Features],
    frame: Callable[..., FrameInfo],
    tiny: Architecture,
    token: float,
) -> None:
    features = features_of([frame(0), frame(1)], tiny)
    features.cls[1] = token
    with pytest.raises(DinostreamError, match="embedding: frame 18000"):
        Embedding()(features)


def test_it_has_no_settings(tiny: Architecture) -> None:
    with pytest.raises(UsageError, match="no setting 'dim'"):
        build_embedding({"dim": 3}, HeadRequest("embedding", tiny, "a" * 64))

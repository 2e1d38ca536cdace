"""What is liked and what is not, as one direction."""

from __future__ import annotations

import numpy as np
import pytest

from operators.errors import UsageError
from pipeline.search.question import direction
from tests.pipeline.vectors.conftest import directions


def test_one_that_is_liked_is_the_direction():
    (like,) = directions(1)
    np.testing.assert_array_equal(direction([like]), like.astype(np.float16))


def test_likes_are_averaged_and_half_the_dislikes_taken_off():
    likes, dislikes = directions(3), directions(2, seed=1)
    exact = likes.mean(axis=0) - 0.5 * dislikes.mean(axis=0)
    exact /= np.linalg.norm(exact)
    np.testing.assert_allclose(direction(likes, dislikes), exact, atol=2**-11)


def test_what_cancels_itself_is_refused():
    (like,) = directions(1)
    with pytest.raises(UsageError, match="cancel each other"):
        direction([like, -like])

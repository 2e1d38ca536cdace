"""Products of units are exact, so that no order of additions changes one."""

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from operators.groups.grid import centres, cosines, means, sums, unit_rows


def exactly(one, other):
    return sum(
        (Fraction(float(a)) * Fraction(float(b)) for a, b in zip(one, other, strict=True)),
        Fraction(0),
    )


def test_a_cosine_of_units_or_with_a_centre_is_what_rational_numbers_give(scattered):
    units = scattered(6, 384)
    middle = centres(sums(units, np.zeros(6, np.int64), 1))
    for others in (units, middle):
        got = cosines(units, others)
        for row, column in np.ndindex(got.shape):
            assert Fraction(got[row, column]) == exactly(units[row], others[column])


def test_float16_vectors_of_length_one_stay_as_they_are_but_for_their_length():
    given = np.random.default_rng(1).normal(size=(5, 64))
    halves = (given / np.linalg.norm(given, axis=1, keepdims=True)).astype(np.float16)
    units = unit_rows(halves)
    assert units.dtype == np.float32
    assert np.abs(np.linalg.norm(units.astype(float), axis=1) - 1).max() < 1e-6
    assert np.abs(units - halves.astype(np.float32)).max() < 1e-3


def test_sums_are_the_same_in_any_order(scattered):
    units = scattered(10_000, 8)
    labels = np.random.default_rng(2).integers(0, 7, len(units))
    shuffled = np.random.default_rng(3).permutation(len(units))
    there, again = sums(units, labels, 9), sums(units[shuffled], labels[shuffled], 9)
    assert np.array_equal(there, again)
    assert not there[7:].any()
    for label in range(7):
        assert there[label].tolist() == [
            float(sum(map(Fraction, column.tolist()))) for column in units[labels == label].T
        ]


def test_a_mean_of_cosines_is_a_cosine_with_the_mean(scattered):
    units = scattered(40)
    middle = means(sums(units, np.zeros(40, np.int64), 1), np.array([40]))
    assert cosines(units, middle)[:, 0] == pytest.approx(cosines(units, units).mean(axis=1))


def test_rows_of_zeros_have_a_cosine_of_0_and_what_is_no_number_is_refused(scattered):
    units = unit_rows(np.vstack((np.zeros(16), np.ones(16))))
    assert cosines(units, units).round(6).tolist() == [[0, 0], [0, 1]]
    with pytest.raises(ValueError, match="not finite"):
        unit_rows([[1.0, float("nan")]])
    with pytest.raises(ValueError, match=r"vectors \[N, D\], got an array of shape \[3\]"):
        unit_rows([1.0, 2.0, 3.0])


EVERYTHING = """
import hashlib, numpy as np
from operators.groups.components import components
from operators.groups.grid import unit_rows
from operators.groups.kmeans import spherical_kmeans
from operators.groups.neighbours import nearest_others
draw = np.random.default_rng(0)
kinds = np.repeat(draw.normal(size=(20, 200)), 30, axis=0)
units = unit_rows(kinds + draw.normal(size=kinds.shape))
found, near = spherical_kmeans(units, 9), nearest_others(units, 7)
arrays = (found.labels, found.centres, found.closeness, near.rows, near.cosines)
said = b"".join(one.tobytes() for one in (*arrays, components(units, 0.4)))
print(hashlib.sha256(said).hexdigest())
"""


@pytest.mark.slow
def test_bits_are_the_same_on_any_number_of_threads_and_with_other_vector_code():
    said = set()
    for threads, code in (("1", None), ("3", None), ("1", "Haswell")):
        own = {"OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}
        own |= {"OPENBLAS_CORETYPE": code} if code else {}
        done = subprocess.run(
            [sys.executable, "-c", EVERYTHING],
            capture_output=True,
            text=True,
            env=os.environ | own,
            cwd=Path(__file__).parents[3],
            check=True,
        )
        said.add(done.stdout)
    assert len(said) == 1

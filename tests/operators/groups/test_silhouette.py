"""Silhouettes are scikit-learn's; the number of clusters is found where there is one."""

import numpy as np
import pytest
from sklearn.metrics import silhouette_samples

from operators.groups import silhouette
from operators.groups.grid import unit_rows
from operators.groups.silhouette import choose_k, silhouettes


def test_they_are_those_of_scikit_learn_a_lone_row_has_0(scattered):
    units = scattered(80)
    labels = np.random.default_rng(1).integers(0, 4, 80)
    labels[0] = 4
    want = silhouette_samples(units.astype(float), labels, metric="cosine")
    got = silhouettes(units, labels, 5)
    assert got == pytest.approx(want, abs=1e-6)
    assert got[0] == 0


@pytest.mark.parametrize("count", [2, 3, 6])
def test_as_many_as_there_are_blobs(blobs, count):
    units, _ = blobs(count, each=20)
    chosen = choose_k(units)
    assert chosen.k == count
    assert chosen.silhouettes[count] == max(chosen.silhouettes.values())


def test_of_many_rows_every_nth_is_looked_at(blobs, monkeypatch):
    units, _ = blobs(3, each=40)
    monkeypatch.setattr(silhouette, "MOST_ROWS", 50)
    chosen = choose_k(units)
    assert (chosen.k, chosen.rows) == (3, 40)


def test_rows_that_are_all_alike_are_one_cluster():
    assert choose_k(unit_rows(np.ones((20, 3)))).k == 1
    with pytest.raises(ValueError, match="2 vectors cannot say how many"):
        choose_k(unit_rows(np.eye(2)))

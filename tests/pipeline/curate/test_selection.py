"""What is taken of known vectors, and what is said of the others."""

from collections import Counter

import numpy as np
import pytest

from operators.errors import UsageError
from operators.groups.grid import unit_rows
from operators.groups.whitening import centring
from pipeline.curate.selection import Candidates, levels, selected
from pipeline.curate.wish import Shown, Wish
from pipeline.dedupe.calibration import Calibration
from pipeline.dedupe.measuring import Point

WIDTH = 16


def around(axis, count, spread=0.3, seed=0):
    """Vectors near to an axis."""
    drawn = np.random.default_rng([seed, axis]).standard_normal((count, WIDTH)) * spread
    drawn[:, axis] += 3
    return drawn


def shown(vectors, names=None):
    names = names or tuple(f"{n}.png" for n in range(len(vectors)))
    return Shown(tuple(names), unit_rows(vectors))


def candidates(vectors, *, refused=None, order=None):
    count = len(vectors)
    names = [f"gate/x/{row}" for row in range(count)]
    by_time = np.arange(count) if order is None else np.array(order)
    return Candidates(unit_rows(vectors), names, by_time, refused or [None] * count)


def verdicts(vectors, wish, **more):
    return [one.verdict for one in selected(candidates(vectors, **more), wish)]


FOUR_KINDS = np.concatenate([around(axis, count) for axis, count in enumerate((60, 20, 8, 4))])
KINDS = np.repeat(np.arange(4), (60, 20, 8, 4))


def test_repetitions_are_left_out_and_the_first_in_time_is_kept():
    vectors = np.concatenate([np.eye(WIDTH)[:3], np.eye(WIDTH)[:2] + 0.001])
    found = selected(candidates(vectors, order=[4, 3, 2, 1, 0]), Wish(10, 0.99))
    assert [one.verdict for one in found] == ["duplicate", "duplicate", "taken", "taken", "taken"]
    assert found[0].reason.startswith("repeats gate/x/3, cosine 1.0")


def test_what_hangs_together_with_a_reference_is_left_out_whole():
    """The second is like the reference, and the first is like the second."""
    chain = np.array([[1.0, 0, 0], [0.9, 0.44, 0], [0.62, 0.78, 0], [0, 0, 1]])
    wish = Wish(10, 0.88, references=shown(chain[2:3], ["test.png"]))
    found = selected(candidates(chain[[0, 1, 3]]), wish)
    assert [one.verdict for one in found] == ["reference", "reference", "taken"]
    assert found[0].reason.startswith("hangs together with test.png, cosine 0.62")


def test_references_may_have_a_cosine_of_their_own():
    """The second is like the reference, the first repeats the second, and the third neither."""
    chain = np.array([[1.0, 0, 0], [0.97, 0.24, 0], [0.62, 0.78, 0], [0, 0, 1]])
    given, shown_one = chain[[0, 1, 3]], shown(chain[2:3], ["test.png"])

    def told(**own):
        return verdicts(given, Wish(10, 0.95, references=shown_one, **own))

    assert told() == ["taken", "duplicate", "taken"]
    assert told(reference_threshold=0.95) == told()
    assert told(reference_threshold=0.75) == ["reference", "reference", "taken"]
    assert told(reference_threshold=0.99) == told()
    alike = np.concatenate([given, shown_one.units])
    strict = Wish(10, 0.75, references=shown_one, reference_threshold=0.99)
    assert verdicts(alike, strict) == ["taken", "duplicate", "taken", "reference"]


def test_what_the_filter_refuses_counts_as_no_repetition():
    """Else the one that is kept might be the one that is refused."""
    vectors = np.concatenate([np.eye(WIDTH)[:2], np.eye(WIDTH)[:1]])
    refused = ["dark", None, None]
    found = selected(candidates(vectors, refused=refused), Wish(10, 0.99))
    assert (found[0].verdict, found[0].reason) == ("refused", "dark")
    assert [one.verdict for one in found[1:]] == ["taken", "taken"]


def test_all_refused_is_nothing_taken():
    assert verdicts(np.eye(WIDTH)[:2], Wish(3, 0.99), refused=["no", "no"]) == ["refused"] * 2


def test_the_nearest_of_each_seed_are_taken():
    seeds = shown([FOUR_KINDS[85], FOUR_KINDS[90]])
    wish = Wish(100, 0.9999, seeds=seeds, per_seed=3)
    found = selected(candidates(FOUR_KINDS), wish)
    near = [row for row, one in enumerate(found) if one.verdict == "taken"]
    assert len(near) == 6
    assert {85, 90} <= set(near)
    assert set(KINDS[near]) == {2, 3}
    assert found[85].reason.startswith("near to 0.png, cosine 1.0000; ")
    assert {found[row].verdict for row in range(92) if row not in near} == {"far"}
    assert found[0].reason == "not among the 3 nearest of any seed"


def test_what_two_seeds_want_is_taken_once_for_the_nearer():
    wish = Wish(100, 0.9999, seeds=shown(np.eye(WIDTH)[[0, 0]] + 0.1), per_seed=1)
    assert Counter(verdicts(np.eye(WIDTH), wish))["taken"] == 1


def test_clusters_are_taken_that_hold_more_seeds_than_asked_for():
    seeds = np.concatenate([around(1, 4, seed=5), around(2, 3, seed=5)])
    wish = Wish(1000, 0.9999, seeds=shown(seeds), clusters=4, more_than=3)
    found = selected(candidates(FOUR_KINDS), wish)
    near = [row for row, one in enumerate(found) if one.verdict == "taken"]
    assert set(KINDS[near]) == {1}
    assert len(near) == 20
    assert found[near[0]].reason.startswith("its cluster holds 4 seeds; ")
    assert found[80].reason == "its cluster holds 3 seeds"


def test_more_clusters_than_pictures_are_refused():
    wish = Wish(1, 0.9999, seeds=shown(np.eye(WIDTH)), clusters=93)
    with pytest.raises(UsageError, match="--clusters 93: 92 pictures are left"):
        selected(candidates(FOUR_KINDS), wish)


def test_a_target_is_met_exactly_and_evens_out_what_is_there_often():
    shares = {}
    for target in (8, 16, 40):
        found = selected(candidates(FOUR_KINDS), Wish(target, 0.9999))
        taken = [row for row, one in enumerate(found) if one.verdict == "taken"]
        assert len(taken) == target
        shares[target] = np.bincount(KINDS[taken], minlength=4)
        assert {one.verdict for one in found} == {"taken", "surplus"}
    assert (shares[8] >= 1).all(), "the four of 92 are there too"
    assert shares[16].max() <= 8 < round(16 * 60 / 92), "and the sixty are held back"


def test_a_larger_target_takes_none_away():
    before = set()
    for target in (1, 5, 20, 50, 92):
        found = selected(candidates(FOUR_KINDS), Wish(target, 0.9999))
        taken = {row for row, one in enumerate(found) if one.verdict == "taken"}
        assert before <= taken
        before = taken
    assert len(before) == 92


def test_a_target_above_all_takes_everything():
    assert verdicts(FOUR_KINDS, Wish(1000, 0.9999)) == ["taken"] * 92


def test_every_cluster_says_how_many_it_gives():
    found = selected(candidates(FOUR_KINDS), Wish(30, 0.9999))
    of = Counter(one.cluster for one in found)
    taken = Counter(one.cluster for one in found if one.verdict == "taken")
    for one in found:
        told = f"{taken[one.cluster]} of the {of[one.cluster]} in its cluster are taken"
        assert one.reason == told
    assert len(of) == 23


def test_vectors_are_compared_as_they_were_calibrated():
    """All of them lie in a narrow cone; without their mean they are apart."""
    cone = np.eye(WIDTH)[:6] + 2.0
    assert Counter(verdicts(cone, Wish(10, 0.9)))["duplicate"] == 5
    point = Point(0.9, 1.0, 1.0, 0)
    fitted = Calibration(
        "m-1", 28, "centred", 0.9, point, {}, {}, (point,), centring(unit_rows(cone))
    )
    assert verdicts(cone, Wish(10, 0.9, fitted)) == ["taken"] * 6


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_are_taken_too(count):
    assert verdicts(np.eye(WIDTH)[:count], Wish(9, 0.99)) == ["taken"] * count


def test_none_are_none():
    none = Candidates(np.zeros((0, 4), np.float32), [], np.zeros(0, np.intp), [])
    assert selected(none, Wish(1, 0.9)) == []


def test_levels_fall():
    found = [levels(count) for count in range(1, 5000, 37)]
    for one in found:
        assert list(one) == sorted(set(one), reverse=True)
    assert levels(1) == (1,)
    assert levels(92) == (23, 2)
    assert levels(100_000) == (1000, 125, 15)


@pytest.mark.parametrize("given", [{"target": 0}, {"target": 1, "per_seed": 0}])
def test_a_wish_for_nothing_is_refused(given):
    with pytest.raises(UsageError, match="from 1, got"):
        Wish(threshold=0.9, **given)

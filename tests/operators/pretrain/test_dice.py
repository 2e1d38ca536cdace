"""The same generator gives the same choices, and those within their bounds."""

import torch

from operators.pretrain.dice import Dice, generator_of


def rolled(seed):
    dice = Dice(torch.Generator().manual_seed(seed))
    return [
        (dice.between(-1, 3), dice.chance(0.25), dice.below(7), tuple(dice.order(5)))
        for _ in range(400)
    ]


def test_a_seed_gives_the_same_choices_and_another_one_others():
    assert rolled(3) == rolled(3)
    assert rolled(3) != rolled(4)


def test_choices_keep_within_their_bounds_and_reach_them():
    numbers, chances, places, orders = zip(*rolled(0), strict=True)
    assert -1 <= min(numbers) < -0.9
    assert 2.9 < max(numbers) <= 3
    assert 60 <= sum(chances) <= 140
    assert set(places) == set(range(7))
    assert {tuple(sorted(order)) for order in orders} == {(0, 1, 2, 3, 4)}
    assert len(set(orders)) > 100


def test_certain_and_impossible_things_take_a_number_too():
    one, other = (Dice(torch.Generator().manual_seed(0)) for _ in range(2))
    assert [one.chance(0.0), one.chance(1.0)] == [False, True]
    other.between(0, 1)
    other.between(0, 1)
    assert one.below(1000) == other.below(1000)


def first_of(*numbers):
    return torch.randint(2**31, (4,), generator=generator_of(*numbers)).tolist()


def test_other_numbers_make_other_generators():
    """Which `manual_seed(seed << 32 | step)` does not: torch sees the low 32 bits alone."""
    assert first_of(1, 2) == first_of(1, 2)
    made = [first_of(seed, step) for seed in range(5) for step in range(50)]
    made += [first_of(1), first_of(1, 0, 0), first_of(2**40), first_of(12)]
    assert len(set(map(tuple, made))) == len(made)
    shifted = [torch.Generator().manual_seed((seed << 32) + 7) for seed in (0, 1)]
    assert len({float(torch.rand((), generator=one)) for one in shifted}) == 1

"""Kills are random, and the same for a seed."""

from collections import Counter

from benchmarks.prove.plan import TAIL_FRAMES, plan

VICTIMS = ("driver", "decode process", "broker")


def test_every_victim_has_its_turns_in_order_of_the_points() -> None:
    kills = plan(VICTIMS, 25, 9000, seed=1)
    assert Counter(kill.victim for kill in kills) == dict.fromkeys(VICTIMS, 25)
    points = [kill.frames for kill in kills]
    assert points == sorted(points)
    assert all(0 < point < 9000 - TAIL_FRAMES for point in points)


def test_a_seed_says_which() -> None:
    assert plan(VICTIMS, 3, 1900, seed=1) == plan(VICTIMS, 3, 1900, seed=1)
    assert plan(VICTIMS, 3, 1900, seed=1) != plan(VICTIMS, 3, 1900, seed=2)

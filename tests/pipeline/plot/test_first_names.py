"""Who has room does not depend on who came first."""

from itertools import permutations

from pipeline.plot.first_names import FirstNames


def test_the_first_by_name_have_room_whatever_the_order():
    for order in permutations("abcd"):
        names, lost = FirstNames(2), []
        for name in (*order, *order):
            lost += filter(None, [names.add(name)])
        assert (names.shown, names.others) == (["a", "b"], 2)
        assert sorted(lost) == ["c", "d"]

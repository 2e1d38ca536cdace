"""Seconds of episodes by label."""

import pytest

from pipeline.plot.actions import MOST, Actions


def episode(stored, label, lasted_s, **more):
    data = {
        "label": {"name": label},
        "start": {"time": stored.at(0)},
        "end": {"time": stored.at(lasted_s)},
    }
    return stored(topic="action.episodes", data=data, **more)


def test_seconds_add_up_and_the_longest_come_first(asked, stored):
    lasted = [("walk", 2.5), ("run", 4), ("walk", 3)]
    (panel,) = asked(Actions(), [episode(stored, *one) for one in lasted])
    assert [(row.name, row.value, row.said) for row in panel.rows] == [
        ("walk", 5.5, "5.5 s"),
        ("run", 4, "4.0 s"),
    ]


def test_one_label_of_two_heads_is_two_rows(asked, stored):
    records = [episode(stored, "walk", n, ce_variant=f"{n}" * 12) for n in (1, 2)]
    (panel,) = asked(Actions(), records)
    assert [row.name for row in panel.rows] == ["walk, 222222222222", "walk, 111111111111"]


def test_what_has_no_row_is_told(asked, stored):
    records = [episode(stored, f"l{n:02}", 100 - n) for n in range(MOST + 2)]
    (panel,) = asked(Actions(), records)
    assert len(panel.rows) == MOST
    assert panel.notes[-1] == f"2 more actions took {100 - MOST + 100 - MOST - 1:,.1f} s."


def test_an_episode_cannot_end_before_it_begins(stored):
    with pytest.raises(ValueError, match="-1"):
        Actions().see(episode(stored, "walk", -1))


@pytest.mark.parametrize("label", [None, 7, ["walk"]])
def test_a_label_has_a_name(stored, label):
    with pytest.raises(TypeError):
        Actions().see(episode(stored, label, 1))

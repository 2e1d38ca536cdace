"""The table of figures."""

from benchmarks.cluster_trial.figure import Figure, table


def test_what_missed_its_goal_is_bold():
    rows = [
        ("kill-node", Figure("streams back", 26.04, goal=25)),
        ("kill-node", Figure("streams back", 25.0, goal=25)),
        ("soak", Figure("dropped", 12.0, "", why="of 24")),
    ]
    assert table(rows).splitlines()[2:] == [
        "| kill-node | streams back | **26.04 s** | 25 s |  |",
        "| kill-node | streams back | 25 s | 25 s |  |",
        "| soak | dropped | 12 |  | of 24 |",
    ]

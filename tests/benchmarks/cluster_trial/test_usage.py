"""What has grown between two looks at a cluster."""

from benchmarks.cluster_trial.usage import MIB, Peaks, Usage, growth


def test_growth_is_told_kind_by_kind_and_held_to_its_goal():
    before = Peaks({"engines": Usage(100 * MIB, 9, 30), "sinks": Usage(50 * MIB, 5, 20)}, MIB)
    after = Peaks({"engines": Usage(130 * MIB, 9, 31), "sinks": Usage(49 * MIB, 5, 20)}, MIB)
    figures = {one.what: one for one in growth(before, after, memory_goal_mib=20)}
    engines = figures["memory of engines: growth"]
    assert (engines.value, engines.missed, engines.why) == (30.0, True, "100.0 -> 130.0 MiB")
    assert not figures["memory of sinks: growth"].missed
    assert figures["threads: more of them"].value == 0
    descriptors = figures["descriptors: more of them"]
    assert (descriptors.value, descriptors.missed) == (1, True)
    assert descriptors.why == "engines 30 -> 31"
    assert not figures["object stores: growth"].missed

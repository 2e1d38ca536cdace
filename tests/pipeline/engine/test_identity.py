"""Where a stream's progress is kept: by what is done with it, not by what runs beside it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from operators.errors import UsageError
from operators.variant import Computation, RecordKind, variant_hash
from pipeline.engine.identity import Identity, label_sets
from pipeline.engine.variants import Variants, shots_variant
from pipeline.media.region import Region
from pipeline.stream.gate import Gate
from pipeline.stream.sampling import Sampling
from pipeline.stream.shots import ShotRule
from pipeline.stream.spec import StreamSpec

COMPUTATION = Computation("dinov2_vits14", "b" * 64, "224", "torch sdpa", "float32", "cpu avx512")
KINDS = {
    "depth": {"depth": RecordKind({"operator": "depth"}, remembers=False)},
    "pca": {"pca": RecordKind({"operator": "pca"}, remembers=True)},
}
OPERATORS = {key: Variants(kinds, COMPUTATION) for key, kinds in KINDS.items()}
IDENTITY = Identity("dinov2_vits14-b938bf1bc15c", OPERATORS, {})
CLIP = StreamSpec(
    "a.mp4", "/footage/a.mp4", session="a1b2c3d4e5f6", rules={"depth": 0, "pca": 0, "headless": 0}
)
CAMERA = StreamSpec("gate", "rtsp://gate/1", live=True, rules=CLIP.rules)


def job(spec: StreamSpec, identity: Identity = IDENTITY) -> str:
    return identity.jobs([spec])[spec.stream]


def test_company_changes_nothing():
    other = replace(CLIP, stream="b.mp4", session="ffffffffffff")
    together = IDENTITY.jobs([other, CLIP, CAMERA])
    assert together == {spec.stream: job(spec) for spec in (CLIP, CAMERA, other)}
    assert len(set(together.values())) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"stream": "c.mp4"},
        {"session": "ffffffffffff"},
        {"samplings": (Sampling("fps", 2),)},
        {"rules": {"depth": 0}},
        {"short_side": 448},
        {"region": Region(0.5, 0, 1, 1)},
        {"span_s": (1.0, 2.0)},
        {"gate": Gate()},
    ],
)
def test_what_changes_the_work_makes_another_job(change):
    assert job(replace(CLIP, **change)) != job(CLIP)


@pytest.mark.parametrize("change", [{"url": "/elsewhere/a.mp4"}, {"epoch": 3}, {"stall_s": 3.0}])
def test_where_it_lies_and_who_does_it_do_not(change):
    assert job(replace(CLIP, **change)) == job(CLIP)


def test_a_gate_is_part_of_every_variant():
    usual = IDENTITY.variants(CLIP)
    gated = IDENTITY.variants(replace(CLIP, gate=Gate()))
    finer = IDENTITY.variants(replace(CLIP, gate=Gate(threshold=4)))
    rarer = IDENTITY.variants(replace(CLIP, gate=Gate(at_least_every_s=60)))
    for key in usual:
        assert len({one[key][key] for one in (usual, gated, finer, rarer)}) == 4


def test_an_operator_that_cannot_be_told_of_repetitions_has_no_gate_before_it():
    deaf = {"pca": RecordKind({"operator": "pca"}, remembers=True, repeats=False)}
    identity = replace(IDENTITY, operators=OPERATORS | {"pca": Variants(deaf, COMPUTATION)})
    assert job(CLIP, identity) == job(CLIP)
    said = r"a\.mp4 has a gate, and pca cannot be told .*; leave pca out of the operators of a\.mp4"
    with pytest.raises(UsageError, match=said):
        job(replace(CLIP, gate=Gate()), identity)
    assert job(replace(CLIP, gate=Gate(), rules={"depth": 0}), identity)


def test_another_variant_is_another_job():
    newer = {"depth": replace(OPERATORS["depth"], calibrations={"a.mp4": "ca11b8a7ed00"})}
    assert job(CLIP, replace(IDENTITY, operators=OPERATORS | newer)) != job(CLIP)


def test_what_does_not_run_on_a_stream_changes_nothing():
    depth_alone = replace(CLIP, rules={"depth": 0})
    without = replace(IDENTITY, operators={"depth": OPERATORS["depth"]})
    assert job(depth_alone, without) == job(depth_alone) == job(CLIP, without)
    with pytest.raises(
        UsageError, match="none of headless runs without a head; those that run: depth"
    ):
        job(replace(CLIP, rules={"headless": 0}))


def test_another_cameras_calibration_changes_nothing():
    own = replace(OPERATORS["depth"], calibrations={"gate": "ca11b8a7ed00"})
    calibrated = replace(IDENTITY, operators={**OPERATORS, "depth": own})
    assert job(CLIP, calibrated) == job(CLIP)
    assert job(CAMERA, calibrated) != job(CAMERA)


def test_a_sampling_changes_the_variant_of_what_remembers_and_a_size_those_of_all():
    usual = IDENTITY.variants(CLIP)
    slower = IDENTITY.variants(replace(CLIP, samplings=(Sampling("fps", 2),)))
    assert slower["depth"] == usual["depth"]
    assert slower["pca"] != usual["pca"]
    larger = IDENTITY.variants(replace(CLIP, short_side=448))
    assert all(larger[key] != usual[key] for key in usual)
    assert usual.keys() == OPERATORS.keys()


def test_who_takes_which_sampling_is_part_of_the_work():
    """Of operators that remember nothing no variant says it: half of one's frames would be missing
    in a job that was taken for complete."""
    kinds = {"segmentation": RecordKind({"operator": "segmentation"}, remembers=False)}
    operators = OPERATORS | {"segmentation": Variants(kinds, COMPUTATION)}
    identity = replace(IDENTITY, operators=operators)
    both = (Sampling("fps", 1), Sampling("fps", 5))
    slow = replace(CLIP, samplings=both, rules={"depth": 0, "pca": 1, "segmentation": 0})
    fast = replace(slow, rules={**slow.rules, "segmentation": 1})
    assert identity.variants(slow) == identity.variants(fast)
    assert job(slow, identity) != job(fast, identity)
    assert job(replace(slow, rules={**slow.rules, "headless": 1}), identity) == job(slow, identity)


def test_jobs_of_one_stream_and_sampling_are_called_as_they_always_were():
    """So that progress that an older version wrote is found."""
    said = {
        "sources": [["a.mp4", "a1b2c3d4e5f6"]],
        "samplings": [str(rule) for rule in CLIP.samplings],
        "variants": {
            topic: one for own in IDENTITY.variants(CLIP).values() for topic, one in own.items()
        },
    }
    assert job(CLIP) == variant_hash(said)


class Naming:
    """An operator, as far as its labels go."""

    def __init__(self, *names):
        self._names = names

    def label_sets(self):
        return {"farm": [{"id": id_, "name": name} for id_, name in enumerate(self._names)]}


def test_one_name_of_a_label_set_means_one_thing():
    farm = label_sets({"detect": Naming("hen"), "track": Naming("hen")})
    assert farm == {"farm": [{"id": 0, "name": "hen"}]}
    with pytest.raises(UsageError, match=r"heads of segmentation and detect .* 'farm', with other"):
        label_sets({"segmentation": Naming("straw", "hen"), "detect": Naming("hen")})


def test_shots_are_in_the_variant_of_their_own_records_alone():
    cut = replace(CLIP, shots=ShotRule())
    assert IDENTITY.variants(cut) == IDENTITY.variants(CLIP)
    assert job(cut) != job(CLIP), "who asks for shots of what is done already gets them"
    assert shots_variant(CLIP) == ""
    changes = [
        {},
        {"shots": ShotRule(4)},
        {"shots": ShotRule(min_s=2)},
        {"damaged": True},
        {"deinterlace": False},
        {"decode": "cuda"},
        {"region": Region(0.5, 0, 1, 1)},
        {"span_s": (1.0, 2.0)},
        {"late_begins": ("1763830800000001.2",)},
        {"start_time_us": 1},
        {"url": "https://a.example/master.m3u8"},
        {"url": "https://a.example/master.m3u8", "short_side": 448},
    ]
    assert len({shots_variant(replace(cut, **one)) for one in changes}) == len(changes)
    others = [{"samplings": (Sampling("all", None),)}, {"short_side": 448}, {"gate": Gate()}]
    assert {shots_variant(replace(cut, **one)) for one in others} == {shots_variant(cut)}
    camera = replace(cut, url="rtsp://a.example/", live=True)
    assert shots_variant(camera) == shots_variant(cut), "its tape says the same of its shots"

"""What is made of what nodes say: facts in, findings out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from operators.backbones.machine import Machine
from operators.weights.catalogue import official_backbone, official_head
from pipeline import secrets
from pipeline.runtime.examination import Examination, FoundFile
from pipeline.runtime.node_report import Clock, Driver, Finding, Node, Seen
from pipeline.runtime.node_verdict import judged
from pipeline.runtime.visitor import CODE

VERSIONS = {"dinostream": "2026.11.0", CODE: "0123456789ab", "torch": "2.15.0+cpu", "av": "19.0.2"}
MACHINE = Machine("Linux x86_64", "Some CPU", "", ("avx2",), cores=16, memory_bytes=64 << 30)
EXAMINED = Examination("/app", MACHINE, 4 << 30, (), "torch, cpu AVX2", {}, "", {})


def node(name: str, *, cpus: float = 16, gpus: float = 0) -> Node:
    return Node(name, "10.0.0.5", "worker", cpus, gpus, object_store_bytes=1 << 30)


def seen(name: str, *, cpus: float = 16, lent: float = 0, **found: Any) -> Seen:
    """What a node answered that has all; `lent` are the GPUs that Ray knows of."""
    examined = replace(EXAMINED, **found)
    return Seen(node(name, cpus=cpus, gpus=lent), "", VERSIONS, Clock(0.001, 0.0005), examined)


def of_nodes(answers: list[Seen], driver: Driver) -> dict[str, dict[str, Finding]]:
    report = judged(answers, driver)
    return {one.node.id: {line.name: line for line in one.findings} for one in report.nodes}


def only(answer: Seen, driver: Driver) -> dict[str, Finding]:
    return of_nodes([answer], driver)[answer.node.id]


def test_what_is_wrong_comes_first() -> None:
    late = replace(seen("late"), clock=Clock(-3, 0.001))
    silent = Seen(node("silent"), "no answer within 60 s")
    report = judged([seen("a"), late, silent], Driver(VERSIONS))
    assert report.wrong
    assert [one.node.id for one in report.nodes] == ["late", "silent", "a"]
    assert report.nodes[0].findings[0].name == "clock"
    assert [one.value for one in report.nodes[1].findings] == ["no answer within 60 s"]
    assert report.nodes[2].worst == "ok"
    assert not judged([seen("a")], Driver(VERSIONS)).wrong


def test_torchs_builds_for_cpus_and_gpus_are_one_version() -> None:
    versions = {**VERSIONS, "torch": "2.15.0+cu130"}
    assert only(replace(seen("a"), versions=versions), Driver(VERSIONS))["versions"].state == "ok"


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"av": None}, "av absent, the driver has 19.0.2"),
        ({"torch": "2.14.0+cpu"}, "torch 2.14.0+cpu, the driver has 2.15.0+cpu"),
        ({CODE: None}, "its code absent, the driver has 0123456789ab; nothing else was looked at"),
    ],
)
def test_another_version_is_named_beside_the_drivers(other: dict, told: str) -> None:
    found = only(replace(seen("a"), versions={**VERSIONS, **other}), Driver(VERSIONS))
    assert found["versions"].state == "wrong"
    assert found["versions"].value.startswith(told)
    assert found["versions"].remedy


@pytest.mark.parametrize(
    ("clock", "state", "told"),
    [
        (Clock(0.0004, 0.001), "ok", "0.4 ms ahead of the driver's, within 1.0 ms"),
        (Clock(-0.25, 0.002), "warning", "250.0 ms behind the driver's, within 2.0 ms"),
        (Clock(7, 0.002), "wrong", "7.000 s ahead of the driver's, within 2.0 ms"),
        (Clock(1.5, 0.6), "warning", "1.500 s ahead of the driver's, within 600.0 ms"),
        (Clock(0.4, 0.5), "told", "400.0 ms ahead of the driver's, within 500.0 ms"),
    ],
)
def test_a_clock_is_judged_by_what_is_sure(clock: Clock, state: str, told: str) -> None:
    found = only(replace(seen("a"), clock=clock), Driver(VERSIONS))["clock"]
    assert (found.state, found.value) == (state, told)


def test_engines_come_to_nodes_of_one_kind() -> None:
    """Where none has a GPU that is to be used, to those with CPUs."""
    other = {"computes": "torch, cpu AVX512"}
    answers = [seen("a"), seen("b"), seen("c", **other), seen("head", cpus=0, **other)]
    found = of_nodes(answers, Driver(VERSIONS))
    assert {name: lines["computes"].state for name, lines in found.items()} == {
        **{"a": "ok", "b": "ok", "c": "wrong", "head": "told"}
    }
    told = "torch, cpu AVX512; most nodes compute by torch, cpu AVX2"
    assert found["c"]["computes"].value == told
    assert found["head"]["computes"].value == "no engine comes here: torch, cpu AVX512"


def test_where_there_are_gpus_engines_come_to_them() -> None:
    gpu = seen("gpu", lent=1, gpus=("an H200",), computes="torch, H200")
    answers = [gpu, seen("a"), seen("b")]
    found = of_nodes(answers, Driver(VERSIONS))
    assert found["gpu"]["computes"] == Finding("computes", "ok", "torch, H200, an H200")
    assert found["a"]["computes"].state == "told"
    found = of_nodes(answers, Driver(VERSIONS, engines_on_gpus=False))
    assert found["gpu"]["computes"].state == "wrong"
    assert found["a"]["computes"].state == "ok"


def test_a_gpu_that_torch_cannot_use() -> None:
    found = only(seen("a", lent=2), Driver(VERSIONS))["computes"]
    assert found.state == "wrong"
    assert found.value.startswith("Ray lends 2 GPUs here and torch can use none: torch, cpu AVX2")


def test_what_a_node_could_not_do_is_wrong() -> None:
    trouble = {"layout": "another kernels", "computes": "no av", "operators": "no module"}
    trouble |= {"files": "cannot be read", "sink": "no broker"}
    found = only(seen("a", trouble=trouble), Driver(VERSIONS, files={}))
    wrong = {name: one.value for name, one in found.items() if one.state == "wrong"}
    assert wrong == {
        **{"layout": "another kernels", "computes": "no av", "operators": "no module"},
        **{"weights": "cannot be read", "sink": "no broker"},
    }


@pytest.mark.parametrize(("shared_memory_bytes", "told"), [(None, "no /dev/shm"), (64 << 20, "64")])
def test_little_shared_memory_is_a_warning(shared_memory_bytes: int | None, told: str) -> None:
    found = only(seen("a", shared_memory_bytes=shared_memory_bytes), Driver(VERSIONS))["machine"]
    assert found.state == "warning"
    assert told in found.value
    assert found.remedy.startswith("1.0 GiB of it")
    assert only(seen("a"), Driver(VERSIONS))["machine"].state == "told"


def test_what_the_driver_has_comes_from_it() -> None:
    mine, other, none = (FoundFile("/w.pth", sha256) for sha256 in ("a" * 64, "b" * 64, None))
    driver = Driver(VERSIONS, files={"weights": mine})
    for there in (mine, other, none):  # an engine does not look at what lies on its node
        found = only(seen("a", files={"weights": there}), driver)["weights"]
        assert (found.state, found.value) == ("ok", "comes from the driver: sha256 aaaaaaaaaaaa")


def test_an_official_file_of_a_node_is_taken_before_the_drivers() -> None:
    file = official_head("depth", "dinov2_vits14", "nyu-linear")
    ours = FoundFile("/cache/h.pth", "a" * 64, file)
    driver = Driver(VERSIONS, files={"heads.depth": ours})
    other, none = replace(ours, sha256="b" * 64), replace(ours, sha256=None)
    found = only(seen("a", files={"heads.depth": other}), driver)["heads.depth"]
    assert found.value == f"/cache/h.pth: sha256 {'b' * 64}, elsewhere {'a' * 64}"
    assert (found.state, found.remedy) == ("wrong", "delete it there")
    assert only(seen("a", files={"heads.depth": none}), driver)["heads.depth"].state == "ok"


def test_a_file_that_the_driver_lacks_is_held_to_the_other_nodes() -> None:
    driver = Driver(VERSIONS, files={"weights": FoundFile("/w.pth", None)})
    files = {name: FoundFile("/w.pth", name[0] * 64) for name in ("a", "aa", "b")}
    answers = [seen(name, files={"weights": file}) for name, file in files.items()]
    answers.append(seen("head", cpus=0, files={"weights": FoundFile("/w.pth", None)}))
    found = of_nodes(answers, driver)
    assert [found[name]["weights"].state for name in files] == ["ok", "ok", "wrong"]
    assert "weights" not in found["head"]  # no engine comes there
    none = {"weights": FoundFile("/w.pth", None)}
    assert only(seen("a", files=none), driver)["weights"].value == "/w.pth: no such file"
    told = {one.name: one.value for one in judged(answers, driver).driver}
    assert told["weights"] == "/w.pth: not here; engines need their own"


def test_an_official_file_that_is_not_there_will_be_fetched() -> None:
    head = official_head("depth", "dinov2_vits14", "nyu-linear")
    files = {"heads.depth": FoundFile("/cache/h.pth", None, head)}
    found = only(seen("a", files=files), Driver(VERSIONS, files=files))["heads.depth"]
    assert (found.state, found.value) == ("warning", "/cache/h.pth: not there yet")
    assert found.remedy.endswith("weights fetch dinov2_vits14 --head depth=nyu-linear")


def test_an_official_file_is_held_to_its_published_hash() -> None:
    file = FoundFile("/cache/w.pth", "a" * 64, official_backbone("dinov2_vits14"))
    found = only(seen("a", files={"weights": file}), Driver(VERSIONS, files={"weights": file}))
    assert found["weights"].state == "wrong"


def test_the_sink_of_the_driver_is_told_with_it() -> None:
    reached = judged([], Driver(VERSIONS, files={}, sink="the database r.db"))
    assert {one.name: one.state for one in reached.driver} == {"versions": "told", "sink": "ok"}
    assert not reached.wrong
    assert judged([], Driver(VERSIONS, files={}, sink_trouble="no broker")).wrong


def test_no_secret_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "_known", {})
    secrets.remember("hunter22")
    failure = Seen(node("a"), "ValueError: cannot log in with hunter22")
    assert only(failure, Driver(VERSIONS))["answer"].value == "ValueError: cannot log in with ***"

"""Operators by name, built in and users' own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from operators.backbones.architectures import ARCHITECTURES, Architecture
from operators.errors import UsageError
from operators.format import BUILT_IN, Format
from operators.frames import Features, FrameInfo
from operators.learn.head_file import write_head
from operators.names import check_own, has_head
from operators.operator import Operator, StreamOperator
from operators.places.places import Places
from operators.places.shapes import Zone
from operators.registry import build_operator
from operators.weights.demo import read_demo
from operators.weights.head_request import MissingHead

OWN = """
from operators.format import Format
from operators.operator import Operator
from operators.result import JSON, Result


class Counting(Operator):
    name = "counting"

    def __init__(self, *, step: int = 1) -> None:
        if step < 1:
            raise ValueError(f"step must be at least 1, got {step}")
        self.step = step

    def __call__(self, features):
        return [Result(info, self.name, JSON, b"%d" % self.step) for info in features.infos]


class Halfway(Operator):
    name = "halfway"


class Usurper(Counting):
    name = "depth"


class Straying(Counting):
    topics = {"counting": Format(), "embedding": Format()}


class Claiming(Counting):
    name = "claims"


class Listing(Counting):
    topics = ("counting", "counting.summary")


class Described(Counting):
    topics = {"counting": Format("text/csv", "https://example.org/counting.v1.csvw")}


class Unrelated:
    pass


number = 3
"""


@pytest.fixture
def build(tiny: Architecture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`build("depth", {"map_scale": 2}, random_seed=0)`; a user's modules lie on the path."""
    (tmp_path / "own_operators.py").write_text(OWN)
    (tmp_path / "own_broken.py").write_text("import json\nraise RuntimeError('half a module')\n")
    monkeypatch.syspath_prepend(tmp_path)

    def built(name: str, settings: dict[str, Any] | None = None, **options: Any) -> Operator:
        known: dict[str, Any] = {"architecture": tiny, "backbone_sha256": "a" * 64}
        return build_operator(name, settings or {}, **(known | options))

    return built


OTHERS = ("segmentation", "depth", "detect")  # that some of them read
LATER = {  # topics of what lasts, or goes somewhere
    *("action.episodes", "zones.episodes", "zones.alerts"),
    *("tracks.zones", "lines.crossed"),
    "tamper.episodes",
}


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_operators_run_on_random_weights_and_say_so(
    build: Callable[..., Operator],
    features_of: Callable[..., Features],
    frame: Callable[..., FrameInfo],
    tiny: Architecture,
    name: str,
) -> None:
    operator = build(name, random_seed=0)
    if operator.placed:
        others = {other: build(other, random_seed=0) for other in OTHERS}
        for other in others.values():
            other.load(torch.device("cpu"), torch.float32)
        operator = operator.beside(others)
        operator.place("cam", Places((Zone("all", ((0, 0), (1, 0), (1, 1), (0, 1))),)))
    operator.load(torch.device("cpu"), torch.float32)
    assert operator.name == name
    assert operator.topics == BUILT_IN[name]
    assert operator.untrained
    results = operator(features_of([frame(number) for number in range(8)], tiny))
    emitted = {result.operator for result in results}
    assert emitted == set(operator.topics) - LATER
    assert all(
        result.content_type == operator.topics[result.operator].content_type for result in results
    )
    operator.close()


def test_an_own_operator_declares_what_it_publishes(build: Callable[..., Operator]) -> None:
    assert build("own_operators:Counting").topics == {"counting": Format("application/json", None)}
    described = Format("text/csv", "https://example.org/counting.v1.csvw")
    assert build("own_operators:Described").topics == {"counting": described}


def test_what_runs_without_a_head() -> None:
    options = {"architecture": ARCHITECTURES["dinov2_vits14"], "backbone_sha256": "a" * 64}
    for name in filter(has_head, BUILT_IN):
        with pytest.raises(MissingHead, match=f"{name} does not run: it has no head"):
            build_operator(name, {}, **options)
    for name in set(BUILT_IN) - set(filter(has_head, BUILT_IN)):
        assert not build_operator(name, {}, **options).untrained
        with pytest.raises(UsageError, match=f"{name} has no head; leave out --head {name}"):
            build_operator(name, {}, head="x.pth", **options)


def test_whether_an_operator_has_a_head_is_known_by_its_name_alone(
    build: Callable[..., Operator], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("operators.names.WITHOUT_HEAD", ("depth",))
    with pytest.raises(UsageError, match="depth has no head"):
        build("depth", head="x.pth")
    assert build("pca", head="x.pth").name == "pca"


def test_a_head_decides_whether_footage_is_known_and_without_one_the_backbone(
    build: Callable[..., Operator], tmp_path: Path, tiny: Architecture
) -> None:
    demo = {"backbone_sha256": read_demo().sha256, "rendered_only": True}
    assert build("depth", head="demo", **demo).rendered_only
    assert build("embedding", **demo).rendered_only
    assert not build("embedding").rendered_only
    facts = {"backbone": demo["backbone_sha256"], "labels": ["a", "b"], "vector": {"blocks": 1}}
    tensors = {"classifier.weight": torch.zeros(2, tiny.width), "classifier.bias": torch.zeros(2)}
    for rendered in (False, True):
        path = tmp_path / f"{rendered}.safetensors"
        write_head(path, "classify", tensors, facts | {"rendered": rendered})
        assert build("classify", head=str(path), **demo).rendered_only is rendered


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("dept", "unknown operator 'dept'; did you mean depth"),
        ("quux", r"unknown operator 'quux'; operators: depth, segmentation, classify, action, "),
    ],
)
def test_unknown_names(build: Callable[..., Operator], name: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        build(name)


def test_unknown_settings_name_the_nearest(build: Callable[..., Operator]) -> None:
    with pytest.raises(UsageError, match="depth has no setting 'map_size'; did you mean map_scale"):
        build("depth", {"map_size": 3}, random_seed=0)


def test_a_users_own_class_takes_its_settings(
    build: Callable[..., Operator],
    features_of: Callable[..., Features],
    frame: Callable[..., FrameInfo],
    tiny: Architecture,
) -> None:
    operator = build("own_operators:Counting", {"step": 3})
    assert isinstance(operator, Operator)
    assert not isinstance(operator, StreamOperator)
    assert not operator.untrained
    assert [result.data for result in operator(features_of([frame(0)], tiny))] == [b"3"]
    assert build("own_operators:Counting", random_seed=0).untrained


@pytest.mark.parametrize(
    ("name", "settings", "options", "why"),
    [
        ("no_such_module:X", {}, {}, "cannot import 'no_such_module'.*PYTHONPATH"),
        (":X", {}, {}, "importing '' fails"),
        ("own_broken:X", {}, {}, "importing 'own_broken' fails: RuntimeError.'half a module'"),
        ("own_operators:Countin", {}, {}, "no class 'Countin' in own_operators; did you mean Cou"),
        ("own_operators:", {}, {}, "no class ''"),
        ("own_operators:Unrelated", {}, {}, "must be a subclass of operators.operator.Operator"),
        ("own_operators:number", {}, {}, "must be a subclass"),
        ("own_operators:Halfway", {}, {}, "does not define __call__"),
        ("own_operators:Counting", {"stepp": 1}, {}, "unexpected keyword.*its settings: step"),
        ("own_operators:Counting", {"step": 0}, {}, "refuses its settings: step must be at least"),
        ("own_operators:Counting", {"step": "a"}, {}, "refuses its settings"),
        ("own_operators:Counting", {}, {"head": "x.pth"}, "leave out --head own_operators:Count"),
        ("own_operators:Usurper", {}, {}, "its name is 'depth'"),
        ("own_operators:Straying", {}, {}, r"topics must be counting or counting.NAME, got"),
        ("own_operators:Claiming", {}, {}, r"its name is 'claims'; want .* and none of depth, "),
        ("own_operators:Listing", {}, {}, r"topics must be a mapping from topic to .*Format"),
    ],
)
def test_what_is_wrong_with_a_users_own(
    build: Callable[..., Operator],
    name: str,
    settings: dict[str, Any],
    options: dict[str, Any],
    why: str,
) -> None:
    with pytest.raises(UsageError, match=why):
        build(name, settings, **options)


def test_a_users_module_in_the_current_folder_is_found(
    build: Callable[..., Operator], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever started the program: a console script has no current folder on its path."""
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "own_here.py").write_text(OWN)
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr("sys.path", [entry for entry in sys.path if entry not in ("", ".")])
    check_own("own_here:Counting")
    assert build("own_here:Counting").name == build("own_operators:Counting").name
    with pytest.raises(UsageError, match="is it in the current folder"):
        check_own("own_nowhere:Counting")

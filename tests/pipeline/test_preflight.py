"""A typo is told before anything starts; what only an engine elsewhere can see is left to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from operators.errors import DinostreamError, UsageError
from pipeline import preflight
from pipeline.configuration.resolve import resolve
from pipeline.display import open_display
from pipeline.errors import SinkError
from pipeline.job import run_job
from pipeline.media.card import card_trouble

TRAINED = {"weights": "depth-anything-v2"}
WRONG = [
    ({"model": "dinov2_vits15"}, "Did you mean dinov2_vits14"),
    ({"operators": ["detph"]}, "did you mean depth"),
    ({"operators": ["nowhere_at_all:Blur"]}, "cannot import 'nowhere_at_all'"),
    ({"operators": ["..:Blur"]}, "cannot import '..'"),
    ({"weights": "absent.pth"}, r"absent\.pth: no such weights file"),
    ({"weights": "demo", "model": "dinov2_vits14"}, "leave out --model"),
    ({"weights": "auto", "model": "dinov2_vitti14"}, "no official weights.*--weights demo"),
    (TRAINED | {"operators": ["depth"]}, "no operator can run: .*depth-anything-v2.*weights demo"),
    (TRAINED | {"heads": {"depth": "nyu-linaer"}}, "no official depth head 'nyu-linaer'"),
    (TRAINED | {"heads": {"action": "own/head.pt"}}, "own/head.pt: no such head file"),
    (TRAINED | {"heads": {"action": "random"}}, "needs --weights random"),
    ({"weights": "."}, r"\.: no such weights file"),
    ({"weights": "cut.safetensors"}, r"cut\.safetensors: its header cannot be read"),
    ({"heads": {"depth": "cut.safetensors"}}, r"cut\.safetensors: its header cannot be read"),
    ({"weights": "auto", "heads": {"depth": "demo"}}, "=demo was trained on .* --weights auto"),
    ({"heads": {"depth": "demo"}}, "fits no others; give --weights demo with it"),
    (
        {"weights": "demo", "operators": ["depth", "classify"], "heads": {"classify": "demo"}},
        "no head for classify; leave out",
    ),
    ({"heads": {"embedding": "x.pth"}}, "embedding has no head"),
    ({"calibrations": "absent.json"}, r"absent\.json: no calibrations"),
    ({"decode": "cuda", "runtime": "ray"}, "decode: cuda is of runtime: inline"),
    ({"sink": "kafka://host"}, "names no broker"),
    ({"sink": {"uri": "sqlite:r.db", "settings": {"acks": 1}}}, "has no settings"),
    ({"sink": {"uri": "kafka://h:1", "settings": {"attempt_s": 0}}}, "attempt_s is 0"),
    ({"sink": {"uri": "sqlite:r.db", "spill": {"max_gib": 1}}}, "spill is of Kafka sinks"),
    (
        {"sink": {"uri": "kafka://h:1", "spill": {"folder": "cut.safetensors"}}},
        r"nothing can be kept in cut\.safetensors: .* name a folder",
    ),
]


def config(more: dict) -> object:
    return resolve(None, {"sources": ["synthetic:room"], "weights": "random"} | more)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cut.safetensors").write_bytes(b"\xff" * 20)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)


@pytest.mark.parametrize(("more", "said"), WRONG)
def test_a_typo_is_told_before_anything_starts(more, said, monkeypatch) -> None:
    monkeypatch.setattr("pipeline.job._open", lambda *_: pytest.fail("it started"))
    with pytest.raises(UsageError, match=said):
        run_job(config(more), live=False, fresh=False, display=open_display(as_json=True))


@pytest.mark.slow
def test_a_broker_that_is_not_there_is_told_before_anything_starts() -> None:
    sink = {"uri": "kafka://127.0.0.1:1", "settings": {"attempt_s": 1}}
    with pytest.raises(SinkError, match=r"no broker within \d+ s .*Connection refused"):
        preflight.check(config({"sink": sink}))


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"weights": "demo"},
        {"weights": "demo", "heads": {"depth": "demo"}},
        TRAINED,
        {"heads": {"depth": "random"}},
    ],
)
def test_what_can_run_is_let_through(more) -> None:
    preflight.check(config(more))


@pytest.mark.parametrize(
    ("more", "known"),
    [
        ({"weights": "/elsewhere/w.pth"}, True),
        (TRAINED | {"heads": {"action": "/elsewhere/head.pt"}}, True),
        ({"operators": ["only_there:Blur"]}, True),
        ({"calibrations": "/elsewhere/c.json"}, True),
        ({"operators": ["detph"]}, False),
        (TRAINED | {"heads": {"depth": "nyu-linaer"}}, False),
    ],
)
def test_files_of_another_machine_are_left_to_its_engines(more, known, monkeypatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "head:6379")
    if known:
        preflight.check(config(more))
    else:
        with pytest.raises(DinostreamError):
            preflight.check(config(more))


@pytest.mark.skipif(not card_trouble(), reason="shows a machine without a GPU that decodes")
def test_a_gpu_that_is_to_decode_one_stream_and_is_not_there_is_told_at_once() -> None:
    one = {"url": "synthetic:room", "decode": "cuda"}
    with pytest.raises(
        UsageError, match=r"streams\.door\.decode: cuda: .+; give decode: auto or cpu"
    ):
        preflight.check(config({"runtime": "inline", "streams": {"door": one}}))

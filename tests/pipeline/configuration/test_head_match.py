"""A run follows its heads: rate and size come from their headers, contradictions are refused."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from operators.errors import UsageError
from pipeline.configuration.config import Config, SamplingConfig, StreamConfig
from pipeline.configuration.resolve import resolve
from pipeline.configuration.streams import stream_spec
from pipeline.engine.assembly import assemble
from pipeline.stream.sampling import Sampling


@pytest.fixture
def head(tmp_path):
    """`head("action", fps=5)`: a file with that in its header, as `--head` takes it."""

    def written(operator: str, **facts: object) -> dict[str, str]:
        path = tmp_path / f"{operator}.safetensors"
        header = {"format": 1, "operator": operator, "backbone": "a" * 64, **facts}
        save_file({"x": torch.zeros(1)}, path, metadata={"dinostream": json.dumps(header)})
        return {operator: str(path)}

    return written


def test_action_samples_as_its_head_was_trained_and_says_so(head, caplog):
    caplog.set_level(logging.INFO)
    values = {"heads": head("action", fps=5, short_side=112), "sampling": {"fps": 2}}
    config = resolve(None, values)
    assert config.sampling_of("action") == Sampling("fps", 5)
    assert config.sampling_of("depth") == Sampling("fps", 2)
    assert "action samples fps:5, as its head was trained, not fps:2" in caplog.text
    assert config.short_side == 112
    assert "short side of 112 px" in caplog.text


@pytest.mark.parametrize(
    ("options", "cost"),
    [
        (
            {"sampling": {"fps": 2}},
            "6 frames of a second go through the backbone instead of 2; a rate",
        ),
        ({"sampling": {"fps": 2}, "operators": ["action"]}, "5 frames of a second go"),
        ({"sampling": {"fps": 2.5}}, "5 frames of a second go through the backbone instead of 2.5"),
        ({"sampling": {"fps": 10}}, None),
        ({"sampling": {"keyframes": True}}, "so every frame is decoded, not key frames alone"),
        ({"sampling": {"every": 3}}, None),
    ],
)
def test_what_a_head_of_another_rate_costs_is_told_once(head, caplog, options, cost):
    caplog.set_level(logging.INFO)
    resolve(None, {"heads": head("action", fps=5), **options})
    (line,) = [one.message for one in caplog.records if "as its head was trained" in one.message]
    assert (";" in line) is (cost is not None)
    assert (cost or "") in line


def test_of_what_agrees_nothing_is_said_and_no_stream_may_change_it(head, caplog):
    caplog.set_level(logging.INFO)
    config = resolve(None, {"heads": head("action", fps=5.0, short_side=224)})
    assert config.sampling_of("action", SamplingConfig(fps=2)) == Sampling("fps", 5)
    assert config.sampling_of("depth", SamplingConfig(fps=2)) == Sampling("fps", 2)
    assert config.short_side == 224
    assert not caplog.records


@pytest.mark.parametrize(
    ("operator", "facts", "overrides", "why"),
    [
        ("action", {"fps": 5}, ["operators.action.fps=2"], "samples fps:2, its head was trained"),
        ("action", {"fps": 5}, ["operators.action.keyframes=true"], "samples keyframes"),
        ("action", {"short_side": 112}, ["short_side=224"], "give --short-side 112"),
        ("classify", {"short_side": 112}, ["short_side=224"], "give --short-side 112"),
    ],
)
def test_what_contradicts_a_head_is_refused(head, operator, facts, overrides, why):
    values = {"heads": head(operator, **facts), "operators": ["action", "classify"]}
    with pytest.raises(UsageError, match=why):
        resolve(None, values, overrides)


def test_heads_of_different_sizes_are_refused(head):
    values = {
        "heads": head("action", short_side=112) | head("classify", short_side=224),
        "operators": ["action", "classify"],
    }
    with pytest.raises(UsageError, match=r"action at 112 px, classify at 224 px.*one by one"):
        resolve(None, values)


def test_dense_heads_are_told_of_and_not_refused(head, caplog):
    caplog.set_level(logging.INFO)
    heads = head("depth", short_side=112)
    assert resolve(None, {"heads": heads}).short_side == 112
    caplog.clear()
    assert resolve(None, {"heads": heads}, ["short_side=224"]).short_side == 224
    assert "the depth head was trained at 112 px, the run is at 224 px" in caplog.text


def test_frames_scaled_in_another_way_are_refused(head):
    config = resolve(None, {"heads": head("action", filter="pillow-lanczos")})
    with pytest.raises(UsageError, match=r"scaled by 'pillow-lanczos'.*train it again"):
        assemble(config)


def test_what_is_no_head_of_ours_changes_nothing(tmp_path: Path):
    path = tmp_path / "damaged.safetensors"
    path.write_bytes(b"nothing of the kind")
    for choice in ("nyu-linear", str(path), str(tmp_path / "absent.safetensors")):
        config = resolve(None, {"heads": {"depth": choice}})
        assert config == Config(heads={"depth": choice}, short_side=224)


def test_a_stream_has_no_size_at_which_a_head_that_runs_on_it_says_nothing_sound(head):
    config = resolve(None, {"heads": head("action", fps=5, short_side=112)})
    larger = StreamConfig(url="synthetic:room", short_side=224)
    with pytest.raises(UsageError, match=r"streams\.gate\.short_side: the action head was trained"):
        stream_spec(config, "gate", larger, live=False)
    without = larger.model_copy(update={"operators": ["depth"]})
    assert stream_spec(config, "gate", without, live=False).short_side == 224

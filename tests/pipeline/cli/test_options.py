"""What commands share is one option with one meaning, whichever of them takes it."""

import click
import pytest

from operators.errors import UsageError
from pipeline.cli import fit, fit_dense, render, replay
from pipeline.cli.eval import EvalGroup
from pipeline.cli.options import backbone_config
from pipeline.configuration.config import Config

SHARED = ("model", "weights", "seed", "short_side", "threads", "backend")
EVAL = EvalGroup("eval")


def parameters(command):
    return {one.name: one for one in command.params}


@pytest.mark.parametrize(
    "command",
    [
        *(render.command, fit.action, fit.classify, fit_dense.segmentation, fit_dense.depth),
        *(EVAL.get_command(None, name) for name in EVAL.list_commands(None)),
    ],
    ids=lambda command: command.name,
)
def test_options_are_replays_own(command):
    known, own = parameters(replay.command), parameters(command)
    for name in SHARED:
        assert own[name].to_info_dict() == known[name].to_info_dict()
    if command is fit.action:
        assert own["fps"].to_info_dict() == known["fps"].to_info_dict()


def test_defaults_are_the_configurations():
    config, usual = backbone_config({}), Config()
    assert [getattr(config, name) for name in SHARED] == [getattr(usual, name) for name in SHARED]
    assert config.sampling == usual.sampling
    given = {"seed": 0, "threads": 3, "short_side": 56, "fps": 2.5, "engine": None}
    config = backbone_config(given)
    assert (config.threads, config.short_side, config.sampling.fps) == (3, 56, 2.5)


@pytest.mark.parametrize(
    ("words", "model", "short_side"),
    [
        ("", "dinov2_vits14", 224),
        ("--weights random", "dinov2_vits14", 224),
        ("--weights demo", "dinov2_vitti14", 112),
        ("--short-side 56 --weights demo", "dinov2_vitti14", 56),
        ("--weights demo --model dinov2_vits14", "dinov2_vits14", 112),
    ],
)
def test_demo_weights_bring_their_model_and_size(words, model, short_side):
    with fit_dense.depth.make_context("depth", words.split()) as context:
        config = backbone_config(context.params)
    assert (config.model, config.short_side) == (model, short_side)


def test_a_head_that_is_measured_brings_its_size():
    config = backbone_config({"weights": "demo"}, head=("action", "demo"))
    assert (config.short_side, list(config.operators)) == (112, ["action"])


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("demo", "give --weights demo with it"),
        ("absent.safetensors", "no such head file"),
        ("nyu-linaer", "no official depth head 'nyu-linaer'"),
    ],
)
def test_a_head_that_cannot_be_measured_is_refused_before_weights_are_fetched(
    head, said, monkeypatch
):
    monkeypatch.setenv("RAY_ADDRESS", "head:6379")  # where no head of a measurement is read
    with pytest.raises(UsageError, match=said):
        backbone_config({"weights": "auto"}, head=("depth", head))


def test_what_is_no_value_is_refused_as_in_a_configuration():
    with pytest.raises(UsageError, match="short_side: should be at least 14"):
        backbone_config({"short_side": 3})
    with pytest.raises(UsageError, match=r"sampling\.fps: should be greater than 0"):
        backbone_config({"fps": 0.0})


def test_every_shared_option_says_what_it_is():
    for name in SHARED:
        option = parameters(replay.command)[name]
        assert isinstance(option, click.Option)
        assert option.help

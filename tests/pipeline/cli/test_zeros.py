"""0 is a value: every option honours it or refuses it aloud. What is not finite is none."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from operators.errors import UsageError
from pipeline.cli import cli
from pipeline.cli.replay import command as replay
from pipeline.configuration.config import Config


def commands(group: click.Group, path: str = "") -> Iterator[tuple[str, click.Command]]:
    with click.Context(group) as context:
        for name in group.list_commands(context):
            found = group.get_command(context, name)
            assert found is not None
            if isinstance(found, click.Group):
                yield from commands(found, f"{path} {name}")
            yield f"{path} {name}".strip(), found


NUMBERS = [
    pytest.param(option, id=f"{name} {option.opts[-1]}")
    for name, command in commands(cli)
    for option in command.params
    if isinstance(option.type, (click.types.IntParamType, click.types.FloatParamType))
]

FLOATS = [
    number for number in NUMBERS if isinstance(number.values[0].type, click.types.FloatParamType)
]


@pytest.mark.parametrize("option", NUMBERS)
def test_every_number_has_a_range_or_is_a_checked_key(option):
    ranged = isinstance(option.type, (click.IntRange, click.FloatRange))
    keys = {*Config.model_fields, "fps", "every"}

    assert ranged or option.name in keys


@pytest.mark.parametrize("text", ["nan", "inf", "-inf"])
@pytest.mark.parametrize("option", FLOATS)
def test_no_number_is_anything_but_finite(option, text):
    with pytest.raises(click.BadParameter):
        option.type.convert(text, option, None)


def test_a_seed_of_0_replaces_a_files(tmp_path):
    (tmp_path / "run.yaml").write_text("seed: 7\n")
    told = CliRunner().invoke(
        replay,
        ["clip.mp4", "--config", str(tmp_path / "run.yaml"), "--seed", "0", "--print-config"],
    )

    assert "seed: 0" in told.output.splitlines()


@pytest.mark.parametrize(
    ("option", "key"),
    [
        ("--every", "sampling.every"),
        ("--short-side", "short_side"),
        ("--batch-size", "batch_size"),
        ("--threads", "threads"),
        ("--engines", "engines"),
    ],
)
def test_what_cannot_be_0_is_refused_by_name(option, key):
    told = CliRunner().invoke(replay, ["clip.mp4", option, "0", "--print-config"])

    assert isinstance(told.exception, UsageError)
    assert f"{key}: should be greater than" in str(told.exception)


@pytest.mark.parametrize("command", ["bench replay", "bench operators"])
def test_a_short_side_below_a_patch_of_the_model_is_refused(command):
    told = CliRunner().invoke(cli, [*command.split(), "--short-side", "13"])

    assert told.exit_code == 2
    assert "13 is less than 14, a patch of dinov2_vits14" in told.output

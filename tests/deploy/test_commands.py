"""Commands and variables that are written down exist."""

import re
from pathlib import Path

import click
import pytest

from tests.deploy import commands

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path
    for path in [*(ROOT / "deploy").rglob("*"), ROOT / "docs" / "deploy.md"]
    if path.is_file() and not {"jars", "config", "secrets"} & {*path.parts}
)


def name(path):
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", FILES, ids=name)
def test_every_command_that_a_file_names_is_one(path):
    for words in commands.named(path.read_text()):
        try:
            commands.check(words)
        except click.UsageError as error:
            pytest.fail(f"{' '.join(words)}: {error.format_message()}")


def test_commands_are_found_and_wrong_ones_refused():
    text = (
        "`dinostream run a.yaml --listen 127.0.0.1:8600`, /opt/bin/dinostream tail a.db \\\n  depth"
    )
    assert commands.named(text) == [
        ["run", "a.yaml", "--listen", "127.0.0.1:8600"],
        ["tail", "a.db", "depth"],
    ]
    for wrong in (["run", "a.yaml", "--listn", "x"], ["streams", "lst"], ["run", "--json"]):
        with pytest.raises(click.UsageError):
            commands.check(wrong)


def test_variables_of_ours_are_those_of_the_code():
    code = "\n".join(path.read_text() for path in (ROOT / "pipeline").rglob("*.py"))
    used = {
        found for path in FILES for found in re.findall(r"\bDINOSTREAM_[A-Z_]+\b", path.read_text())
    }
    assert {one for one in used if f'"{one}"' not in code} == set()

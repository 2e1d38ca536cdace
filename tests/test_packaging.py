"""`pip install .` gives a working `dinostream`, with its data and nothing else at the top level."""

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pipeline.records.message import labels_message
from pipeline.sinks.uri import open_sink

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CLIENT = tomllib.loads((ROOT / "deploy/client/pyproject.toml").read_text())["project"]
SHIPPED = ("kernels", "operators", "pipeline", "pyproject.toml", "README.md")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return built(tmp_path_factory, SHIPPED)


@pytest.fixture(scope="module")
def client_wheel(tmp_path_factory):
    shipped = ("operators", "pipeline", "deploy/client/pyproject.toml")
    return built(tmp_path_factory, shipped, project="deploy/client")


def built(tmp_path_factory, names, *, project="."):
    """A wheel built from a copy, so that the checkout stays clean."""
    copy = tmp_path_factory.mktemp("source")
    for name in names:
        source = ROOT / name
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        copier = shutil.copytree if source.is_dir() else shutil.copy
        copier(source, copy / name)
    target = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", target, copy / project)
    return next(target.glob("*.whl"))


def pip(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_the_wheel_holds_the_three_packages_and_their_data(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].partition("-")[0] for name in names} == {
        *("kernels", "operators", "pipeline", "dinostream")
    }
    in_tree = {
        path.relative_to(ROOT).as_posix()
        for package in ("kernels", "operators", "pipeline")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert in_tree - set(names) == set()


@pytest.mark.slow
def test_the_installed_command_works_away_from_the_checkout(wheel, tmp_path):
    site, away = tmp_path / "site", tmp_path / "away"
    away.mkdir()
    pip("install", "--no-deps", "--target", site, wheel)
    environment = {**os.environ, "PYTHONPATH": str(site)}

    def dinostream(*arguments):
        return subprocess.run(
            [sys.executable, str(site / "bin" / "dinostream"), *arguments],
            capture_output=True,
            text=True,
            cwd=away,
            env=environment,
            check=False,
        )

    assert dinostream("--version").stdout == f"dinostream {PROJECT['version']}\n"
    doctor = dinostream("doctor")
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr
    assert f"ok  layout           {site}" in doctor.stdout
    library = "operators.segmentation.labelsets"
    script = f"from {library} import label_set; print(label_set('voc2012').name)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        cwd=away,
        env=environment,
        check=True,
    )
    assert done.stdout.strip() == "voc2012"


ALONE = """
import sys
uri, *missing = sys.argv[1:]
sys.modules.update(dict.fromkeys(missing))  # whoever imports one is told that it is not there
from pipeline import subscribe
import pipeline
for result in subscribe(uri, follow=False):
    print(pipeline.__file__, result.name, result.labels[7].name)
import pipeline.client.results
import pipeline.sinks.kafka.reader
"""


@pytest.mark.slow
def test_the_client_needs_what_it_asks_for_and_no_more(client_wheel, tmp_path):
    uri = f"sqlite:{tmp_path / 'r.db'}"
    sink = open_sink(uri)
    sink.publish([labels_message("mine", [{"id": 7, "name": "cat", "rgb": [1, 2, 3]}])])
    sink.close()
    site, away = tmp_path / "site", tmp_path / "away"
    away.mkdir()
    pip("install", "--no-deps", "--target", site, client_wheel)
    wanted = {canonicalize_name(Requirement(one).name) for one in CLIENT["dependencies"]}
    owners = {
        name: set(map(canonicalize_name, distributions))
        for name, distributions in packages_distributions().items()
        if name not in ("operators", "pipeline")
    }
    missing = [name for name in owners if not owners[name] & wanted]
    assert {"torch", "ray", "av", "kernels"} <= set(missing)
    done = subprocess.run(
        [sys.executable, "-c", ALONE, uri, *missing],
        capture_output=True,
        text=True,
        cwd=away,
        env={**os.environ, "PYTHONPATH": str(site)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{site}/pipeline/__init__.py mine cat\n"


def test_the_client_is_of_the_same_version_and_asks_for_a_part_of_the_same():
    assert CLIENT["version"] == PROJECT["version"]
    assert set(CLIENT["dependencies"]) < set(PROJECT["dependencies"])
    assert CLIENT["requires-python"] == PROJECT["requires-python"]


def applies(requirement, python):
    environment = {"python_version": python, "sys_platform": "linux"}
    return requirement.marker is None or requirement.marker.evaluate(environment)


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
def test_every_dependency_is_pinned_by_a_version_that_it_allows(python):
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    extras = PROJECT["optional-dependencies"].values()
    for text in (*PROJECT["dependencies"], *(line for extra in extras for line in extra)):
        wanted = Requirement(text)
        if applies(wanted, python):
            (pin,) = (
                specifier
                for one in pins
                if canonicalize_name(one.name) == canonicalize_name(wanted.name)
                and applies(one, python)
                for specifier in one.specifier
            )
            assert pin.operator == "=="
            assert pin.version in wanted.specifier


@pytest.mark.parametrize(("python", "newest"), [("3.11", "18.1.0"), ("3.12", "19.0.2")])
def test_where_there_is_a_newer_ffmpeg_it_is_taken(python, newest):
    wanted = [Requirement(line) for line in PROJECT["dependencies"] if line.startswith("av")]
    (pyav,) = (one for one in wanted if applies(one, python))
    assert pyav.specifier.contains(newest)
    assert pyav.specifier.contains("18.1.0") == (python == "3.11")


def test_triton_is_asked_for_where_it_exists():
    triton = next(Requirement(one) for one in PROJECT["dependencies"] if one.startswith("triton"))
    assert triton.marker.evaluate({"sys_platform": "linux"})
    assert not triton.marker.evaluate({"sys_platform": "darwin"})


def test_a_cpu_build_of_torch_meets_the_pin():
    pin = next(
        Requirement(line)
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if line.startswith("torch==")
    )
    assert f"{next(iter(pin.specifier)).version}+cpu" in pin.specifier

"""The chart's renders: golden files, and fresh ones where helm is at hand."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
CHART = ROOT / "deploy" / "helm" / "dinostream"
DEPLOY = ROOT / "tests" / "deploy"
NAMES = sorted(path.stem for path in (DEPLOY / "values").glob("*.yaml"))


def documents(text):
    """YAML as Kubernetes reads it."""
    return [one for one in yaml.load_all(text, Loader=yaml.CSafeLoader) if one]


def pytest_generate_tests(metafunc):
    """`golden` is each render in turn."""
    if "golden" in metafunc.fixturenames:
        metafunc.parametrize("golden", NAMES, indirect=True)


@pytest.fixture
def golden(request):
    """Objects of one render."""
    return documents((DEPLOY / "golden" / f"{request.param}.yaml").read_text())


@pytest.fixture
def pods(golden):
    """`(component, pod spec)` of every pod that its objects make."""
    return [
        (template["metadata"]["labels"]["app.kubernetes.io/component"], template["spec"])
        for template in _templates(golden)
    ]


def _templates(node):
    """Everything that has containers, wherever it stands."""
    if isinstance(node, dict):
        spec = node.get("spec")
        if isinstance(spec, dict) and "containers" in spec:
            yield node
        else:
            for below in node.values():
                yield from _templates(below)
    elif isinstance(node, list):
        for below in node:
            yield from _templates(below)


@pytest.fixture
def of_kind(golden):
    """The one object of a kind, or None."""

    def find(kind):
        found = [one for one in golden if one["kind"] == kind]
        assert len(found) <= 1
        return found[0] if found else None

    return find


@pytest.fixture(scope="session")
def helm():
    """`helm(*arguments)`: what it answers."""
    command = shutil.which("helm")
    if command is None:
        pytest.skip("helm is not here; the golden files are checked without it")

    def run(*arguments):
        return subprocess.run(
            [command, *map(str, arguments)], capture_output=True, text=True, check=False
        )

    return run


@pytest.fixture(scope="session")
def render(helm):
    """`render(*arguments)`: what `helm template` answers."""

    def run(*arguments, release="dinostream"):
        return helm("template", release, CHART, *arguments)

    return run

"""Base and overlays make what the chart makes; what Helm alone adds is left out."""

import copy
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
KUSTOMIZE = ROOT / "deploy" / "kustomize"
OF_HELM = {"app.kubernetes.io/managed-by", "app.kubernetes.io/version", "helm.sh/chart"}


def documents(text):
    return [one for one in yaml.load_all(text, Loader=yaml.CSafeLoader) if one]


def by_kind(objects):
    """Comparable: in no order, the configuration as what it says."""
    found = {}
    for one in copy.deepcopy(objects):
        if "helm.sh/hook" in one["metadata"].get("annotations", {}):
            continue
        labels = one["metadata"]["labels"]
        one["metadata"]["labels"] = {key: labels[key] for key in labels.keys() - OF_HELM}
        if one["kind"] == "ConfigMap":
            one["data"] = {name: yaml.safe_load(text) for name, text in one["data"].items()}
        if one["kind"] == "Deployment":
            template = one["spec"]["template"]
            template["metadata"].pop("annotations", None)  # nobody sums a file for kustomize
            template["spec"]["containers"][0]["env"].sort(key=lambda variable: variable["name"])
        found[one["kind"]] = one
    return found


def golden(name):
    return by_kind(documents((ROOT / "tests" / "deploy" / "golden" / f"{name}.yaml").read_text()))


def test_the_base_is_the_chart_with_its_defaults():
    listed = documents((KUSTOMIZE / "base" / "kustomization.yaml").read_text())[0]["resources"]
    text = "---\n".join((KUSTOMIZE / "base" / name).read_text() for name in listed)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    made = by_kind(
        documents(re.sub("image: dinostream$", f"image: dinostream:{version}", text, flags=re.M))
    )
    wanted = golden("default")
    del wanted["ConfigMap"]  # an overlay's
    assert made == wanted


@pytest.mark.slow
@pytest.mark.parametrize(("overlay", "name"), [("cpu", "default"), ("gpu", "gpu")])
def test_an_overlay_is_the_chart_with_those_values(overlay, name):
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not here; the base is held to the chart without it")
    done = subprocess.run(
        [kubectl, "kustomize", KUSTOMIZE / "overlays" / overlay],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert by_kind(documents(done.stdout)) == golden(name)

"""Kubernetes' own kinds against its schemas, by `kubernetes-validate` of the package index."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

GOLDEN = sorted((Path(__file__).parents[1] / "golden").glob("*.yaml"))
OF_OPERATORS = {
    "RayCluster",
    "RayJob",
    "PodMonitor",
}  # it only warns of kinds that it does not know


@pytest.mark.slow
@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_kubernetes_kinds_have_fields_that_it_knows(path):
    command = shutil.which("kubernetes-validate")
    if command is None:
        pytest.skip("kubernetes-validate is not here: 108 MB of schemas")
    done = subprocess.run(
        [command, "--strict", "--kubernetes-version", "1.37", path],
        capture_output=True,
        text=True,
        check=False,
    )
    told = done.stdout + done.stderr
    assert done.returncode == 0, told
    assert set(re.findall(r"WARN .* schema for kind (\w+)", told)) <= OF_OPERATORS

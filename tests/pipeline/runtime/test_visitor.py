"""What a node says of itself, with and without our packages."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
import ray
from ray import cloudpickle

from pipeline.runtime import visitor
from pipeline.runtime.visitor import CODE, Visitor, code_hash, versions

LOOK = """
import json, pickle, sys
print(json.dumps(pickle.load(sys.stdin.buffer)().introduce()))
"""


def test_every_version_is_told() -> None:
    found = versions()
    assert list(found)[:3] == ["dinostream", CODE, "Python"]
    assert found["Python"] == sys.version.split()[0]
    assert found["ray"] == ray.__version__
    assert Visitor().introduce() == found


def test_the_hash_is_of_all_that_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "looked_into"
    package.mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    hashes = []
    changes = {"__init__.py": "", "sizes.json": "{}", "sizes.py": "{}", "notes.md": "no code"}
    for name, text in changes.items():
        (package / name).write_text(text)
        importlib.invalidate_caches()
        hashes.append(code_hash(["looked_into"]))
    assert len(set(hashes[:3])) == 3
    assert hashes[3] == hashes[2]
    assert code_hash(["looked_into", "no_such_package"]) is None


def test_a_visitor_needs_none_of_our_packages() -> None:
    """Without `site` nothing that is installed editably is found."""
    cloudpickle.register_pickle_by_value(visitor)
    try:
        sent = cloudpickle.dumps(Visitor)
    finally:
        cloudpickle.unregister_pickle_by_value(visitor)
    libraries = str(Path(ray.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-S", "-P", "-c", LOOK],
        input=sent,
        env={"PYTHONPATH": libraries},
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr.decode()
    found = json.loads(done.stdout)
    assert found[CODE] is None
    assert found["ray"] == ray.__version__

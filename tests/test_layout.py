"""The house: imports point downward, heavy libraries stay in their rooms, files stay short."""

import ast
import re
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from pipeline.doctor import PACKAGES

ROOT = Path(__file__).parents[1]
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

# What a package may import beside the standard library and itself.
ALLOWED = {
    "kernels": {"torch", "triton"},
    "operators": {
        "kernels",
        "torch",
        "numpy",
        "PIL",
        "safetensors",
        "sklearn",
        "scipy",
        "xgboost",
        "openvino",
    },
    "pipeline": {
        *("kernels", "operators", "torch", "numpy", "PIL", "av", "ray", "kafka", "crc32c"),
        "confluent_kafka",
        *("pydantic", "pydantic_core", "ruamel", "click", "rich", "safetensors", "sklearn"),
        *("starlette", "uvicorn", "prometheus_client", "opentelemetry", "pyarrow", "s3fs"),
        "rerun",
    },
}
# Which files may import a library that only one room knows.
ROOMS = {
    "triton": r"kernels/",
    "av": r"pipeline/media/",
    "ray": r"pipeline/runtime/ray_\w+\.py$",
    "kafka": r"pipeline/sinks/kafka/",
    "confluent_kafka": r"pipeline/sinks/kafka/confluent/library\.py$",
    "click": r"pipeline/cli/",
    "rich": r"pipeline/(display\.py$|cli/|bench/)",
    "pydantic": r"pipeline/configuration/(config|cutting|gated|kept|placed|resolve)\.py$",
    "ruamel": r"pipeline/configuration/document\.py$",
    "starlette": r"pipeline/(web|control|view)/",
    "uvicorn": r"pipeline/web/listener\.py$",
    "prometheus_client": r"pipeline/control/metrics\.py$",
    "opentelemetry": r"pipeline/engine/otlp\.py$",
    "s3fs": r"pipeline/media/s3\.py$",
    "sklearn": r"(operators/learn|pipeline/fit)/",
    "scipy": r"operators/(conditions|groups|learn|track)/",
    "xgboost": r"operators/learn/",
    "openvino": r"operators/backbones/engines/openvino_library\.py$",
    "pyarrow": r"pipeline/records/parquet\.py$",
    "rerun": r"pipeline/view/rerun_file\.py$",
}
# What a benchmark measures with, or against, where it is installed.
PEERS = {
    "transformers": r"pipeline/bench/",
    "psutil": r"pipeline/bench/tree\.py$",
    "flash_attn": r"kernels/bench/",
    "flash_attn_interface": r"kernels/bench/",
}
TOO_VAGUE = re.compile(r"util|common|helper|manager|misc")
LONGEST = {"kernels": 350, "operators": 300, "pipeline": 300}


def relative(path):
    return path.relative_to(ROOT).as_posix()


@cache
def parsed(path):
    return ast.parse(path.read_text())


@cache
def imported(path):
    """Top-level names of every import of a file, wherever in it they stand."""
    names = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            own = path.relative_to(ROOT).parts[0]
            names.add(own if node.level else node.module.partition(".")[0])
    return names


@pytest.mark.slow
@pytest.mark.parametrize("package", PACKAGES)
def test_imports_point_downward_and_to_what_the_package_may_know(package):
    known = ALLOWED[package] | {package} | sys.stdlib_module_names
    sources = [path for path in SOURCES if path.relative_to(ROOT).parts[0] == package]
    assert sources
    strangers = {
        relative(path): imported(path)
        - known
        - {name for name, room in PEERS.items() if re.match(room, relative(path))}
        for path in sources
    }
    assert {path: names for path, names in strangers.items() if names} == {}


def room_of(module):
    """Folder of a module within its package; None for what stands in a package's own folder."""
    package, *rest = module.split(".")
    return f"{package}/{rest[0]}" if rest and (ROOT / package / rest[0]).is_dir() else None


@pytest.mark.slow
def test_rooms_stand_in_no_circle():
    rooms = TopologicalSorter()
    for path in SOURCES:
        here = room_of(".".join(path.relative_to(ROOT).with_suffix("").parts))
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                there = room_of(node.module)
                if here and there and there != here:
                    rooms.add(here, there)
    assert len(list(rooms.static_order())) > 20


def test_every_room_stands_in_the_table():
    table = (ROOT / "docs/architecture.md").read_text().partition("## Rooms")[2].split("\n## ")[0]
    named = set(re.findall(r"`(?:pipeline/|operators/)?(\w+)/`", table))
    rooms = {path.parent for path in SOURCES if path.parent.parent.name in PACKAGES}
    assert {room.name for room in rooms if room.parent.name != "kernels"} - named == set()


@pytest.mark.slow
@pytest.mark.parametrize("library", ROOMS)
def test_a_library_is_imported_in_its_own_room_alone(library):
    room = re.compile(ROOMS[library])
    strangers = [relative(path) for path in SOURCES if library in imported(path)]
    assert [path for path in strangers if not room.match(path)] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_folder_of_code_is_a_regular_package(package):
    folders = {path.parent for path in SOURCES if path.relative_to(ROOT).parts[0] == package}
    assert [relative(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


@pytest.mark.slow
def test_no_process_is_forked_where_threads_may_hold_a_lock():
    """Such a child waits for ever, and its parent's pipes stay open with it."""
    pools = [
        (relative(path), {keyword.arg for keyword in call.keywords})
        for path in SOURCES
        for call in ast.walk(parsed(path))
        if isinstance(call, ast.Call) and ast.unparse(call.func).endswith("ProcessPoolExecutor")
    ]
    assert pools != []
    assert [path for path, given in pools if "mp_context" not in given] == []
    forks = re.compile(r"os\.fork\(|multiprocessing\.(Process|Pool)\(|get_context\(\"fork")
    assert [relative(path) for path in SOURCES if forks.search(path.read_text())] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_files_are_short_and_say_what_they_are(package):
    sources = [path for path in SOURCES if path.relative_to(ROOT).parts[0] == package]
    lengths = {relative(path): len(path.read_text().splitlines()) for path in sources}
    assert {path: n for path, n in lengths.items() if n > LONGEST[package]} == {}
    assert [path for path in lengths if TOO_VAGUE.search(Path(path).name)] == []
    assert [relative(path) for path in sources if not ast.get_docstring(parsed(path))] == []


def test_tests_are_no_package():
    assert [relative(path) for path in (ROOT / "tests").rglob("__init__.py")] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("kernels", {"torch", "triton"}),
        ("kernels.attention", {"triton"}),
        ("operators", {"torch", "numpy"}),
        ("operators.frames", {"torch"}),
        ("operators.places.places", {"torch"}),
        ("pipeline.stream.spec", {"torch", "av", "ray", "kafka"}),
        ("pipeline.configuration.config", {"torch", "av", "ray", "kafka"}),
        ("pipeline.sinks.uri", {"torch", "av", "ray", "kafka"}),
        ("pipeline.client.subscription", {"torch", "av", "ray", "kafka", "numpy", "pydantic"}),
        ("pipeline.client.results", {"torch", "av", "ray", "kafka", "pydantic"}),
        ("pipeline.engine.shard", {"torch", "av", "ray", "kafka"}),
        ("pipeline.vectors.gather", {"torch", "av", "ray", "kafka"}),
        ("pipeline.vectors.nearest", {"torch", "av", "ray", "kafka"}),
        ("pipeline.runtime.ray_run", {"torch", "av", "kafka"}),
        ("pipeline.runtime.ray_doctor", {"torch", "av", "kafka"}),
        ("pipeline.job", {"torch", "av", "ray", "kafka"}),
        ("pipeline.demo_weights.rendering", {"torch"}),
    ],
)
def test_light_modules_stay_light(module, absent):
    script = f"import sys, {module}; print(sorted({absent} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout == "[]\n"

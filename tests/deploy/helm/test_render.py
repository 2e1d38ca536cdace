"""What helm makes of the chart is what the golden files say, and what cannot work is refused.

`renew.sh` renders the golden files.
"""

import hashlib
import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft7Validator

from pipeline.configuration.resolve import resolve

ROOT = Path(__file__).parents[3]
CHART = ROOT / "deploy" / "helm" / "dinostream"
GOLDEN = ROOT / "tests" / "deploy" / "golden"
VALUES = sorted((ROOT / "tests" / "deploy" / "values").glob("*.yaml"))
DEFAULT = ROOT / "tests" / "deploy" / "values" / "default.yaml"
SCHEMA = json.loads((CHART / "values.schema.json").read_text())


def load(path):
    return yaml.load(path.read_text(), Loader=yaml.CSafeLoader)


def test_golden_files_are_of_this_chart():
    """Where there is no helm, nobody would see that they are old."""
    sources = [CHART / "Chart.yaml", CHART / "values.yaml", *(CHART / "templates").rglob("*.*")]
    files = sorted([*sources, *VALUES], key=lambda path: path.relative_to(ROOT).as_posix())
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    told = (GOLDEN / "of-chart.sha256").read_text().strip()
    assert told == digest, "run tests/deploy/helm/renew.sh"


@pytest.mark.parametrize("values", VALUES, ids=lambda path: path.stem)
def test_a_render_is_the_golden_one(values, render):
    done = render("--values", values)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (GOLDEN / values.name).read_text()


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (["config.sink=null"], "sink"),
        (["workers.gpus=1"], "say config.gpus_per_engine too"),
        (["config.engines=3"], "config.engines is 3, and workers have room for 2"),
        (["config.decoders=7"], "workers have room for 0"),
        (["config.runtime=inline"], "/config/runtime"),
        (["config.address=auto"], "leave config.address out"),
        (["mode=watch"], "mode"),
        (["workers.cpus=4"], "cpus"),
        (["workers.memory=8GB"], "memory"),
        (["networkPolicy.egress.kafka.ports=null"], "ports"),
        (["secrets.DINOSTREAM_TOKEN=null"], "DINOSTREAM_TOKEN"),
    ],
    ids=str,
)
def test_what_cannot_work_is_refused(given, why, render):
    done = render("--values", DEFAULT, *(part for one in given for part in ("--set", one)))
    assert done.returncode != 0
    assert why in done.stderr


@pytest.mark.parametrize("release", ["9lives", "a.b", "a" * 41])
def test_a_name_that_ray_would_not_take_is_refused(release, render):
    done = render("--values", DEFAULT, release=release)
    assert done.returncode != 0
    assert "the release's name becomes the Ray cluster's" in done.stderr


def test_streams_change_without_a_restart_and_nothing_else_does(render):
    def checksum(*given):
        done = render("--values", DEFAULT, "--show-only", "templates/driver.yaml", *given)
        return re.search(r"checksum/config: (\w+)", done.stdout)[1]

    before = checksum()
    assert checksum("--set", "config.streams.gate.url=rtsp://10.0.0.7/main") == before
    assert checksum("--set", "config.sampling.fps=2") != before


def test_alerts_are_those_of_prometheus():
    alerts = ROOT / "deploy" / "prometheus" / "alerts.yml"
    if not alerts.exists():
        pytest.skip("deploy/prometheus is not here yet")
    assert (CHART / "alerts.yml").read_text() == alerts.read_text()


def test_prometheus_operator_gets_all_alerts(render):
    only = ("--show-only", "templates/prometheusrule.yaml")
    done = render("--values", DEFAULT, "--set", "watch.prometheusRule=true", *only)
    rules = yaml.load(done.stdout, Loader=yaml.CSafeLoader)
    assert rules["spec"] == load(CHART / "alerts.yml")


def test_helm_finds_nothing_to_complain_about(helm):
    done = helm("lint", "--strict", CHART, "--values", DEFAULT)
    assert done.returncode == 0, done.stdout
    assert done.stderr == ""


def test_the_chart_is_of_the_projects_version():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    chart = load(CHART / "Chart.yaml")
    assert (chart["version"], chart["appVersion"]) == (version, version)


def test_the_schema_takes_the_defaults_once_there_is_a_sink():
    Draft7Validator.check_schema(SCHEMA)
    (missing,) = Draft7Validator(SCHEMA).iter_errors(load(CHART / "values.yaml"))
    assert missing.message == "'sink' is a required property"


def test_values_in_the_pages_are_such(tmp_path):
    texts = [page.read_text() for page in (ROOT / "docs").glob("deploy*.md")]
    blocks = re.findall(r"^```yaml\n(.*?)^```", "".join(texts), re.DOTALL | re.MULTILINE)
    examples = [found for found in map(yaml.safe_load, blocks) if "config" in found]
    assert examples
    for values in examples:
        secrets = values.get("secrets", {})
        values["secrets"] = load(CHART / "values.yaml")["secrets"] | secrets
        values["config"].setdefault("sink", "kafka://kafka:9092")
        Draft7Validator(SCHEMA).validate(values)
        path = tmp_path / "config.yaml"
        path.write_text(yaml.dump(values["config"]))
        resolve(path, environ=dict.fromkeys(secrets, "s3cret"))


def test_whoever_reads_the_values_has_seen_all_that_can_be_set():
    values, schema = load(CHART / "values.yaml"), SCHEMA["properties"]
    assert values.keys() == schema.keys()
    for group in ("image", "workers", "head", "driver", "networkPolicy", "watch"):
        name = schema[group].get("$ref", "").rpartition("/")[2]
        known = SCHEMA["definitions"][name] if name else schema[group]
        assert values[group].keys() == known["properties"].keys()
        assert known["additionalProperties"] is False

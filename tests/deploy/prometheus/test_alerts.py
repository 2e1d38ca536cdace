"""The alerts: every metric exists, every alert is fired by a test of promtool's own."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pipeline.control.fared import STATES
from pipeline.engine.observer import COMMIT, WAIT
from tests.deploy import metric_names

FOLDER = Path(__file__).parents[3] / "deploy" / "prometheus"
TESTS = (FOLDER / "alerts_test.yml").read_text()


def read(name):
    return YAML(typ="safe").load(FOLDER / name)


ALERTS = [rule for group in read("alerts.yml")["groups"] for rule in group["rules"]]


@pytest.fixture
def promtool():
    if not shutil.which("promtool"):
        pytest.skip("no promtool; Debian's package prometheus has it")

    def run(*arguments):
        done = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    return run


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_asks_for_what_a_job_tells_and_is_tested(alert):
    assert metric_names.strangers(alert["expr"]) == set()
    assert alert["labels"]["severity"] in ("critical", "warning")
    assert set(alert["annotations"]) == {"summary", "description"}
    assert f"alertname: {alert['alert']}" in TESTS or f'alertname="{alert["alert"]}"' in TESTS


def test_values_of_labels_are_those_of_the_code():
    text = (FOLDER / "alerts.yml").read_text()
    states = {one for found in re.findall(r'state=~?"([^"]*)"', text) for one in found.split("|")}
    assert states <= set(STATES)
    assert set(re.findall(r'stage!?="([^"]*)"', text)) == {COMMIT, WAIT}
    outcomes = set(re.findall(r'outcome="([^"]*)"', text))
    assert all(f'"{one}"' in metric_names.SOURCE.read_text() for one in outcomes)


def test_series_of_the_alerts_own_tests_are_real_too():
    series = [
        one["series"] for test in read("alerts_test.yml")["tests"] for one in test["input_series"]
    ]
    assert {stranger for one in series for stranger in metric_names.strangers(one)} == set()


def test_the_page_tells_of_every_alert():
    page = (FOLDER.parents[1] / "docs" / "deploy.md").read_text()
    told = re.findall(r"^\| `(Dinostream\w+)` \|", page, re.MULTILINE)
    assert sorted(told) == sorted(alert["alert"] for alert in ALERTS)


def test_prometheus_knows_its_options_in_compose():
    if not shutil.which("prometheus"):
        pytest.skip("no prometheus; Debian's package of that name has it")
    compose = YAML(typ="safe").load(FOLDER.parent / "compose" / "compose.yaml")
    service = compose["services"]["prometheus"]
    done = subprocess.run(["prometheus", "--help"], capture_output=True, text=True, check=True)
    for option in service["command"]:
        assert f"{option.partition('=')[0]}=" in done.stdout + done.stderr
    mounts = dict(mount.split(":")[:2] for mount in service["volumes"])
    assert f"--config.file={mounts['../prometheus']}/prometheus.yml" in service["command"]
    assert f"--storage.tsdb.path={mounts['prometheus']}" in service["command"]


def test_the_scrape_config_names_the_rules():
    assert read("prometheus.yml")["rule_files"] == ["alerts.yml"]


def test_promtool_takes_the_configuration_and_the_rules(promtool, tmp_path):
    token = tmp_path / "token"
    token.touch()
    (tmp_path / "alerts.yml").write_text((FOLDER / "alerts.yml").read_text())
    config = (FOLDER / "prometheus.yml").read_text()
    (tmp_path / "prometheus.yml").write_text(
        config.replace("/run/secrets/dinostream_token", str(token))
    )
    promtool("check", "config", tmp_path / "prometheus.yml")


def test_every_alert_fires_when_it_should_and_not_else(promtool):
    promtool("test", "rules", FOLDER / "alerts_test.yml")

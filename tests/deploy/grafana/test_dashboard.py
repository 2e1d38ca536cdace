"""The dashboard: whole, in order, and about metrics that exist. Grafana itself is not at hand.

`tests/live/run/test_dashboard.py` asks a real Prometheus every query.
"""

import itertools
import json
import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pipeline.control.fared import STATES
from tests.deploy import metric_names

FOLDER = Path(__file__).parents[3] / "deploy" / "grafana"
DASHBOARD = json.loads((FOLDER / "dashboards" / "dinostream.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH = 24


def read(name):
    return YAML(typ="safe").load(FOLDER / "provisioning" / name)


def title(panel):
    return panel["title"]


def test_the_dashboard_has_a_name_of_its_own_and_belongs_to_no_grafana():
    assert DASHBOARD["uid"] == "dinostream"
    assert "id" not in DASHBOARD
    variables = {one["name"]: one for one in DASHBOARD["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    assert variables["stream"]["query"] == "label_values(dinostream_stream_state, stream)"
    assert variables["stream"]["datasource"] == SOURCE


def test_rows_and_panels():
    rows = [title(panel) for panel in DASHBOARD["panels"] if panel["type"] == "row"]
    assert rows == ["Streams", "Latency", "Delivery", "Engines"]
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_no_panel_lies_on_another():
    def cells(panel):
        place = panel["gridPos"]
        return {
            (place["x"] + across, place["y"] + down)
            for across in range(place["w"])
            for down in range(place["h"])
        }

    for one, other in itertools.combinations(DASHBOARD["panels"], 2):
        assert cells(one).isdisjoint(cells(other)), (title(one), title(other))
    assert all(across < WIDTH for panel in DASHBOARD["panels"] for across, _ in cells(panel))


@pytest.mark.parametrize("panel", PANELS, ids=title)
def test_a_panel_says_what_it_shows_and_in_what_unit(panel):
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["datasource"] == SOURCE
    assert [target["refId"] for target in panel["targets"]] == ["A", "B", "C"][
        : len(panel["targets"])
    ]
    assert all(target["legendFormat"] for target in panel["targets"])


@pytest.mark.parametrize("panel", PANELS, ids=title)
def test_a_panels_queries_ask_for_what_a_job_tells(panel):
    for target in panel["targets"]:
        assert metric_names.named(target["expr"])
        assert metric_names.strangers(target["expr"]) == set()
        for name, matchers in re.findall(r"(dinostream_\w+)(\{[^}]*\})?", target["expr"]):
            by_stream = "stream" in metric_names.declared()[name]
            assert ('stream=~"$stream"' in matchers) == by_stream


def test_every_state_of_a_stream_has_a_colour():
    (panel,) = (panel for panel in PANELS if panel["type"] == "state-timeline")
    (mapping,) = panel["fieldConfig"]["defaults"]["mappings"]
    assert {one["text"] for one in mapping["options"].values()} == set(STATES)
    weights = re.findall(
        r'(?:(\d) \* )?dinostream_stream_state\{[^}]*state="(\w+)"', panel["targets"][0]["expr"]
    )
    assert {weight or "1": state for weight, state in weights} == {
        number: one["text"] for number, one in mapping["options"].items()
    }


def test_what_is_provisioned_is_where_compose_puts_it():
    (source,) = read("datasources/prometheus.yaml")["datasources"]
    assert source["url"] == "http://prometheus:9090"
    (provider,) = read("dashboards/dinostream.yaml")["providers"]
    compose = YAML(typ="safe").load(FOLDER.parent / "compose" / "compose.yaml")
    mounts = dict(mount.split(":")[:2] for mount in compose["services"]["grafana"]["volumes"])
    assert mounts["../grafana/dashboards"] == provider["options"]["path"]
    assert mounts["../grafana/provisioning"] == "/etc/grafana/provisioning"
    interval = read("datasources/prometheus.yaml")["datasources"][0]["jsonData"]["timeInterval"]
    scraped = YAML(typ="safe").load(FOLDER.parent / "prometheus" / "prometheus.yml")
    assert scraped["global"]["scrape_interval"] == interval

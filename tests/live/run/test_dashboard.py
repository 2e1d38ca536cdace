"""A real Prometheus scrapes a real run: every query of the dashboard and the alerts answers."""

import http
import json
import re
import shutil
import signal
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from ruamel.yaml import YAML

DEPLOY = Path(__file__).parents[3] / "deploy"
PANELS = json.loads((DEPLOY / "grafana" / "dashboards" / "dinostream.json").read_text())["panels"]
QUERIES = [target["expr"] for panel in PANELS for target in panel.get("targets", ())]
TOKEN = "a-token-of-a-test"
GRAFANAS = {"$__rate_interval": "10s", "$__range": "1m", "$stream": ".*"}


@pytest.fixture
def prometheus(tmp_path, eventually, spare_ports):
    """`prometheus(port)`: scrapes a run there, as prometheus.yml says; gives its own address."""
    if not shutil.which("prometheus"):
        pytest.skip("no prometheus; Debian's package of that name has it")
    running = []

    def start(port):
        folder = tmp_path / "prometheus"
        folder.mkdir()
        (folder / "token").write_text(TOKEN)
        shutil.copy(DEPLOY / "prometheus" / "alerts.yml", folder)
        text = (DEPLOY / "prometheus" / "prometheus.yml").read_text()
        text = text.replace("/run/secrets/dinostream_token", str(folder / "token"))
        text = text.replace("driver:8600", f"127.0.0.1:{port}").replace("10s", "1s")
        (folder / "prometheus.yml").write_text(text)
        own = f"127.0.0.1:{spare_ports(1)[0]}"
        command = ["prometheus", f"--config.file={folder / 'prometheus.yml'}"]
        command += [f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address={own}"]
        log = (folder / "log").open("w")
        running.append(subprocess.Popen(command, stdout=log, stderr=log))
        log.close()
        eventually(lambda: answered(own, "up == 1"), about=(folder / "log").read_text)
        return own

    yield start
    for process in running:
        process.kill()
        process.wait()


def answered(server, query):
    url = f"http://{server}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]["result"]
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.SERVICE_UNAVAILABLE:  # it still reads its storage
            return []
        pytest.fail(f"{query}: {error.read().decode()}")
    except OSError:  # not up yet
        return []


def numbers(result):
    return [value for one in result if (value := one["value"][1]) != "NaN"]


def filled(query):
    for name, value in GRAFANAS.items():
        query = query.replace(name, value)
    return query


def test_every_panel_shows_something(camera, live_run, gate_lock, prometheus):
    """A camera is held up until frames are dropped, so that there is something to say of all."""
    gate = camera(fps=40)
    config = {
        "streams": {"gate": {"url": gate.url()}},
        "sampling": {"all": True},
        "operators": {"embedding": {}, "held:Held": {"folder": str(gate_lock.folder), "every": 5}},
        "buffer_frames": 16,
    }
    run = live_run(config, options=("--listen", "127.0.0.1:0"), DINOSTREAM_TOKEN=TOKEN)
    port = run.until(lambda: re.search(r"removed at http://127\.0\.0\.1:(\d+)", run.stderr))[1]
    server = prometheus(port)
    run.until(lambda: run.count("embedding", "gate") > 10)
    gate_lock.hold()
    run.until(gate_lock.waited_for)
    held_at = gate.frames
    run.until(lambda: gate.frames > held_at + 300)
    gate_lock.release()

    for query in QUERIES:
        run.until(lambda query=query: numbers(answered(server, filled(query))))
    rules = YAML(typ="safe").load(DEPLOY / "prometheus" / "alerts.yml")
    alerts = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    for query in alerts:
        answered(server, query)  # an error fails, whether there is data or not
    run.signal(signal.SIGTERM)
    assert run.exit_code() == 0, run.stderr

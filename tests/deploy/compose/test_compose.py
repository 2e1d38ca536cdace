"""compose.yaml: closed by default, and everything that it names is there."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pipeline.configuration.config import Config
from pipeline.configuration.resolve import resolve
from pipeline.sinks.address import parse_sink_uri
from pipeline.web.guard import PROBES
from pipeline.web.place import SHORTEST_TOKEN, TOKEN, parse_place
from tests.deploy import commands

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy" / "compose"
COMPOSE = YAML(typ="safe").load(FOLDER / "compose.yaml")
SERVICES = COMPOSE["services"]
OURS = ("ray-head", "worker", "driver")
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
LEFT_AFTER_DRAIN_S = 20.0  # until an engine that hangs is killed: docs/live.md


def mounts(service):
    return dict(one.split(":")[:2] for one in service.get("volumes", ()))


@pytest.fixture
def copy(tmp_path):
    """The folder as a user has it."""
    own = shutil.ignore_patterns(".env", "config", "secrets")
    shutil.copytree(FOLDER, tmp_path / "compose", ignore=own)
    subprocess.run([tmp_path / "compose" / "prepare.sh"], check=True)
    return tmp_path / "compose"


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_closed(name):
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    assert not service.keys() & {"privileged", "cap_add", "network_mode", "pid", "ipc", "user"}
    assert not any("docker.sock" in source for source in mounts(service))
    assert service["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_has_a_version_and_no_secret_is_in_plain(name):
    service = SERVICES[name]
    assert re.fullmatch(r"[\w/-]+:(v?\d+\.\d+\.\d+|\$\{IMAGE_VERSION:\?.*\})", service["image"])
    for variable, value in (service.get("environment") or {}).items():
        if re.search(r"PASSWORD|TOKEN|SECRET", variable):
            assert str(value).startswith("/run/secrets/")


@pytest.mark.parametrize("name", OURS)
def test_our_containers_write_nothing_but_their_cache_and_tmp(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert [one.split(":")[0] for one in service["tmpfs"]] == ["/tmp"]
    writable = {one.split(":")[1] for one in service["volumes"] if not one.endswith(":ro")}
    dockerfile = (ROOT / "deploy" / "image" / "Dockerfile").read_text()
    assert writable == set(re.findall(r"HOME=(/\S+)", dockerfile))
    assert service["environment"]["RAY_AUTH_MODE"] == "token"


def test_what_is_mounted_and_waited_for_is_there(copy):
    for service in SERVICES.values():
        for source in mounts(service):
            there = copy if source.startswith("./") else FOLDER
            assert source in COMPOSE["volumes"] or (there / source).is_dir(), source
        for secret in service.get("secrets", ()):
            assert (copy / COMPOSE["secrets"][secret]["file"]).is_file()
        for name, how in service.get("depends_on", {}).items():
            assert how == {"condition": "service_healthy"}
            assert "healthcheck" in SERVICES[name]
    assert SERVICES["driver"]["build"]["context"] == "../.."
    assert (ROOT / SERVICES["driver"]["build"]["dockerfile"]).is_file()


def test_what_is_the_users_is_made_once_and_secrets_are_nobodys_business(copy):
    secrets = copy / "secrets"
    assert secrets.stat().st_mode & 0o777 == 0o700
    token = (secrets / "environment" / TOKEN).read_text()
    assert len(token) >= SHORTEST_TOKEN
    assert token != (secrets / "ray_token").read_text()
    (copy / "config" / "cameras.yaml").write_text("mine")
    subprocess.run([copy / "prepare.sh"], check=True)
    assert (secrets / "environment" / TOKEN).read_text() == token
    assert (copy / "config" / "cameras.yaml").read_text() == "mine"
    ignored = {f"deploy/compose/{name}" for name in (".env", "config/", "secrets/")}
    assert ignored <= set((ROOT / ".gitignore").read_text().splitlines())


def test_the_driver_listens_where_it_is_asked(copy):
    (script,) = SERVICES["driver"]["command"]
    ((*_, listen),) = [one for one in commands.named(script) if one[0] == "run"]
    place = parse_place(listen, {TOKEN: (copy / "secrets" / "environment" / TOKEN).read_text()})
    assert SERVICES["driver"]["ports"] == [f"127.0.0.1:{place.port}:{place.port}"]
    health = " ".join(SERVICES["driver"]["healthcheck"]["test"])
    assert health.count(f"http://127.0.0.1:{place.port}/readyz") == 1
    assert "/readyz" in PROBES
    prometheus = YAML(typ="safe").load(ROOT / "deploy" / "prometheus" / "prometheus.yml")
    (job,) = prometheus["scrape_configs"]
    assert job["static_configs"] == [{"targets": [f"driver:{place.port}"]}]
    secret = job["authorization"]["credentials_file"].removeprefix("/run/secrets/")
    assert COMPOSE["secrets"][secret] == {"file": f"./secrets/environment/{TOKEN}"}
    assert secret in SERVICES["prometheus"]["secrets"]
    prefix = SERVICES["driver"]["entrypoint"][3]
    assert f"./secrets/environment:{prefix.rstrip('/')}:ro" in SERVICES["driver"]["volumes"]


def test_the_drivers_configuration_is_one_and_its_sink_is_the_broker(copy):
    config = resolve(copy / "config" / "cameras.yaml", environ={})
    assert config.streams
    assert config.runtime == "ray"
    assert config.address is None  # RAY_ADDRESS says it
    (server,) = parse_sink_uri(config.sink.uri).servers
    advertised = SERVICES["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    assert f"INSIDE://{server}" in advertised.split(",")
    assert server.partition(":")[0] in SERVICES


def test_a_stop_takes_longer_than_a_drain():
    drain_s = Config.model_fields["drain_s"].default
    for name in OURS:
        assert (
            float(SERVICES[name]["stop_grace_period"].removesuffix("s"))
            > drain_s + LEFT_AFTER_DRAIN_S
        )


def test_the_examples_version_is_this_one(copy):
    example = dict(
        line.split("=")
        for line in (copy / ".env").read_text().splitlines()
        if not line.startswith("#")
    )
    assert example["IMAGE_VERSION"] == VERSION
    profiles = {one for service in SERVICES.values() for one in service.get("profiles", ())}
    assert profiles == {example["COMPOSE_PROFILES"]}
    assert (FOLDER / example["COMPOSE_FILE"]).is_file()


def test_gpus_are_an_override_of_services_that_exist():
    override = YAML(typ="safe").load(FOLDER / "compose.gpu.yaml")["services"]
    assert override.keys() == set(OURS)
    for name in OURS:
        assert override[name]["image"] == f"{SERVICES[name]['image']}-cuda"
        assert override[name]["build"]["target"] == "cuda"
    (device,) = override["worker"]["deploy"]["resources"]["reservations"]["devices"]
    assert device["capabilities"] == ["gpu"]


@pytest.mark.slow
def test_rays_nodes_are_started_by_what_ray_understands():
    import ray
    from ray._private import ray_constants
    from ray.scripts.scripts import start

    (script,) = SERVICES["driver"]["command"]
    (joined,) = re.findall(r"ray start (.*)", script)
    told = [
        SERVICES["ray-head"]["command"],
        SERVICES["worker"]["command"],
        ["start", *joined.split()],
    ]
    heads = []
    for command in told:
        given = start.make_context("start", command[1:]).params
        heads.append(given["head"])
        if not given["head"]:
            assert given["address"] == f"ray-head:{ray_constants.DEFAULT_PORT}"
    assert heads == [True, False, False]
    told = {name for one in OURS for name in SERVICES[one]["environment"]} | {
        *re.findall(r"\b(RAY_\w+)=", (ROOT / "deploy" / "image" / "Dockerfile").read_text())
    }
    files = ("_private/ray_constants.py", "exceptions.py", "_common/usage/usage_constants.py")
    known = "".join((Path(ray.__file__).parent / one).read_text() for one in files)
    assert {name for name in told if name not in known} == set()
    probe = " ".join(SERVICES["worker"]["healthcheck"]["test"])
    assert f":{ray_constants.DEFAULT_DASHBOARD_AGENT_LISTEN_PORT}/api/healthz" in probe


def test_what_the_containers_run_is_in_the_image():
    dockerfile = (ROOT / "deploy" / "image" / "Dockerfile").read_text()
    installed = set(re.findall(r"^COPY \S+ /usr/local/bin/(\S+)$", dockerfile, re.MULTILINE))
    known = installed | {"tini", "--", "bash", "-ec", "ray"}
    for name in OURS:
        entrypoint = SERVICES[name]["entrypoint"]
        assert {one for one in entrypoint if not one.startswith("/run/")} <= known
    assert os.access(ROOT / "deploy" / "with_secrets.sh", os.X_OK)

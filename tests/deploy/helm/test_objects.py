"""What the golden objects promise: rights, secrets, sizes, probes, and who may talk to whom."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from pipeline import preflight
from pipeline.configuration.resolve import resolve
from pipeline.configuration.streams import stream_specs
from pipeline.runtime.ray_room import DECODER_CPUS, ENGINE_CPUS
from pipeline.runtime.ray_run import MARGIN_S
from pipeline.sinks.address import parse_sink_uri
from pipeline.sinks.kafka.settings import KafkaSettings
from pipeline.web.guard import PROBES
from pipeline.web.place import TOKEN, parse_place
from tests.authority import Authority

ROOT = Path(__file__).parents[3]
DEFAULT_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}


@pytest.fixture
def config(of_kind, tmp_path):
    """The configuration, read as the driver reads it: every `${NAME}` comes from a Secret."""
    authority, path = Authority(tmp_path / "authority").crt, tmp_path / "config.yaml"
    text = of_kind("ConfigMap")["data"]["config.yaml"]
    path.write_text(text.replace("/etc/kafka-ca/ca.crt", str(authority)))
    return resolve(path, environ=dict.fromkeys(_secret_names(of_kind), "s3cret"))


def _driver(of_kind):
    """The container that runs dinostream: a Deployment's, or the head of a replay's cluster."""
    if (deployment := of_kind("Deployment")) is not None:
        return deployment["spec"]["template"]["spec"]["containers"][0]
    head = of_kind("RayJob")["spec"]["rayClusterSpec"]["headGroupSpec"]
    return head["template"]["spec"]["containers"][0]


def _secret_names(of_kind):
    return [one["name"] for one in _driver(of_kind)["env"] if "valueFrom" in one]


def _cluster(of_kind):
    job = of_kind("RayJob")
    return of_kind("RayCluster")["spec"] if job is None else job["spec"]["rayClusterSpec"]


def test_the_configuration_is_one(config):
    preflight.check_heads(config.model_copy(update={"address": "head:6379"}))
    KafkaSettings.of(parse_sink_uri(config.sink.uri), config.sink.settings)
    if not config.sources:
        assert all(spec.live for spec in stream_specs(config, live=True))


def test_pods_have_no_rights(pods):
    for _, pod in pods:
        assert pod["automountServiceAccountToken"] is False
        wanted = {"runAsNonRoot": True, "runAsUser": 1000, "fsGroup": 1000}
        wanted["seccompProfile"] = {"type": "RuntimeDefault"}
        assert wanted.items() <= pod["securityContext"].items()
        for container in [*pod["containers"], *pod.get("initContainers", [])]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }


def test_pods_have_what_they_ask_for_and_one_image(pods):
    resources = [container["resources"] for _, pod in pods for container in pod["containers"]]
    assert all(one["requests"] == one["limits"] and "memory" in one["limits"] for one in resources)
    assert len({container["image"] for _, pod in pods for container in pod["containers"]}) == 1


def test_what_is_mounted_is_there_and_can_be_written_where_it_must(pods):
    for _, pod in pods:
        volumes = {volume["name"] for volume in pod["volumes"]}
        mounts = {one["mountPath"]: one for one in pod["containers"][0]["volumeMounts"]}
        assert {one["name"] for one in mounts.values()} == volumes
        assert "readOnly" not in mounts["/tmp"] | mounts["/var/cache/dinostream"]


def test_the_image_writes_where_pods_may():
    recipe = ROOT / "deploy" / "image" / "Dockerfile"
    if not recipe.exists():
        pytest.skip("deploy/image is not here yet")
    text = recipe.read_text()
    assert set(re.findall(r"\bHOME=(/var\S+)", text)) == {"/var/cache/dinostream"}
    assert re.search(r"^USER 1000:1000$", text, re.MULTILINE)


def test_secrets_are_names_and_the_driver_alone_has_them(pods, golden, of_kind):
    assert [one for one in golden if one["kind"] == "Secret"] == []
    assert "s3cret" not in yaml.dump(golden)
    drives = "driver" if of_kind("Deployment") else "head"
    holders = {
        component
        for component, pod in pods
        for variable in pod["containers"][0].get("env", [])
        if "secretKeyRef" in variable.get("valueFrom", {})
    }
    assert holders <= {drives}
    assert (TOKEN in _secret_names(of_kind)) == (drives == "driver")


def test_it_drains_before_it_is_killed(pods, config):
    """Engines end first, then Ray, then the pod."""
    drained_s = config.drain_s + MARGIN_S
    for component, pod in pods:
        assert pod["terminationGracePeriodSeconds"] >= drained_s + 60
        if component in ("head", "worker"):
            values = {one["name"]: one.get("value") for one in pod["containers"][0]["env"]}
            assert float(values["RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S"]) == drained_s


def test_workers_have_room_for_every_engine(config, of_kind):
    cluster = _cluster(of_kind)
    (group,) = cluster["workerGroupSpecs"]
    has = group["template"]["spec"]["containers"][0]["resources"]["limits"]
    each = has["cpu"] // (ENGINE_CPUS + DECODER_CPUS * config.decoders)
    assert group["replicas"] * each >= config.engines
    assert group["minReplicas"] == group["maxReplicas"] == group["replicas"]
    assert ("nvidia.com/gpu" in has) == (config.gpus_per_engine != "auto")
    assert cluster["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"


def test_the_driver_waits_for_the_cpus_of_all_workers(of_kind):
    if of_kind("Deployment") is None:
        return  # KubeRay submits a job when its cluster is whole
    (group,) = _cluster(of_kind)["workerGroupSpecs"]
    cpus = group["template"]["spec"]["containers"][0]["resources"]["limits"]["cpu"]
    assert _driver(of_kind)["args"][2] == str(group["replicas"] * cpus)


def test_there_is_one_driver_and_it_finds_the_cluster(of_kind):
    if (deployment := of_kind("Deployment")) is None:
        return
    assert deployment["spec"]["replicas"] == 1
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}
    name = of_kind("RayCluster")["metadata"]["name"]
    values = {one["name"]: one.get("value") for one in _driver(of_kind)["env"]}
    assert values["RAY_ADDRESS"] == f"{name}-head-svc:6379"  # as KubeRay calls its head's Service
    token = next(one for one in _driver(of_kind)["env"] if one["name"] == "RAY_AUTH_TOKEN")
    assert token["valueFrom"]["secretKeyRef"] == {"name": name, "key": "auth_token"}


def test_probes_ask_what_is_open_where_it_listens(of_kind):
    if of_kind("Deployment") is None:
        return
    driver, service = _driver(of_kind), of_kind("Service")["spec"]
    listen = re.search(r"--listen (\S+)", driver["args"][0])[1]
    place = parse_place(listen, {TOKEN: "x" * 16})
    assert driver["ports"] == [{"name": "http", "containerPort": place.port}]
    assert [one["port"] for one in service["ports"]] == [place.port]
    probes = [
        driver[kind]["httpGet"] for kind in ("startupProbe", "livenessProbe", "readinessProbe")
    ]
    assert {one["path"] for one in probes} == set(PROBES)
    assert {one["port"] for one in probes} == {"http"}
    assert driver["startupProbe"]["httpGet"]["path"] == "/startupz"


def test_selectors_find_their_pods(golden, of_kind):
    templates = {
        one["metadata"]["labels"]["app.kubernetes.io/component"]: one["metadata"]["labels"]
        for one in _labelled(golden)
    }

    def chosen(labels):
        return {name for name, has in templates.items() if labels.items() <= has.items()}

    if (service := of_kind("Service")) is not None:
        assert chosen(service["spec"]["selector"]) == {"driver"}
    if (monitor := of_kind("PodMonitor")) is not None:
        assert chosen(monitor["spec"]["selector"]["matchLabels"]) == {"driver"}
    if (budget := of_kind("PodDisruptionBudget")) is not None:
        assert chosen(budget["spec"]["selector"]["matchLabels"]) == {"worker"}
        (group,) = _cluster(of_kind)["workerGroupSpecs"]
        assert budget["spec"]["minAvailable"] == group["replicas"] - 1
    assert chosen(of_kind("NetworkPolicy")["spec"]["podSelector"]["matchLabels"]) == set(templates)


def _labelled(node):
    if isinstance(node, dict):
        if "app.kubernetes.io/component" in node.get("metadata", {}).get("labels", {}):
            yield node
        for below in node.values():
            yield from _labelled(below)
    elif isinstance(node, list):
        for below in node:
            yield from _labelled(below)


def test_the_network_lets_pass_what_is_needed_and_no_rule_lets_pass_all(config, of_kind):
    policy = of_kind("NetworkPolicy")["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert all(rule.keys() & {"ports", "to"} for rule in policy["egress"])
    assert all(rule["from"] for rule in policy["ingress"])
    beyond = [rule for rule in policy["egress"] if "ports" in rule]
    assert all(rule["ports"] for rule in beyond)
    open_ports = {port["port"] for rule in beyond for port in rule["ports"]}
    brokers = [urlsplit(f"//{one}").port for one in parse_sink_uri(config.sink.uri).servers]
    urls = [urlsplit(stream.url) for stream in config.streams.values()]
    cameras = [url.port or DEFAULT_PORTS[url.scheme] for url in urls]
    assert {53, *brokers, *cameras} <= open_ports
    assert (443 in open_ports) == (config.weights == "auto")

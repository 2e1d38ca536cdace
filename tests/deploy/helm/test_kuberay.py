"""KubeRay's kinds against its own schemas, and what its operator checks beside them.

The schemas are those of KubeRay 1.7.0; rules in CEL are not run.
"""

import re
from functools import cache

import pytest
import yaml
from jsonschema import Draft202012Validator

LONGEST_NAME = {"RayCluster": 53, "RayJob": 47}  # what KubeRay's validation takes


@cache
def validator(path, version):
    """A validator that knows every field, as the API server does when it prunes."""
    definition = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)["spec"]
    (schema,) = (one["schema"] for one in definition["versions"] if one["name"] == version)
    return Draft202012Validator(_closed(schema["openAPIV3Schema"]))


def _closed(schema):
    """The same schema, with no room for unknown fields; a quantity is a number or text."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(below) for name, below in schema.items()}
    if schema.get("x-kubernetes-int-or-string"):
        closed.pop("anyOf", None)
        closed.pop("pattern", None)
        closed["type"] = ["integer", "string"]
    elif (
        schema.get("type") == "object"
        and isinstance(schema.get("properties"), dict)
        and not schema.get("x-kubernetes-preserve-unknown-fields")
    ):
        closed.setdefault("additionalProperties", False)
    return closed


def test_rays_kinds_are_what_kuberay_knows(golden, shared):
    kinds = [one for one in golden if one["apiVersion"].startswith("ray.io/")]
    assert len(kinds) == 1
    for one in kinds:
        path = shared / "reference" / "kuberay-crds" / f"ray.io_{one['kind'].lower()}s.yaml"
        if not path.exists():
            pytest.skip(f"KubeRay's schemas are not at {path.parent}")
        # Metadata is Kubernetes' own and open in every CRD.
        checked = {**one, "metadata": {}}
        found = validator(path, one["apiVersion"].partition("/")[2]).iter_errors(checked)
        assert [f"{error.json_path}: {error.message}" for error in found] == []


def test_a_field_that_nobody_knows_is_found(shared):
    path = shared / "reference" / "kuberay-crds" / "ray.io_rayclusters.yaml"
    if not path.exists():
        pytest.skip(f"KubeRay's schemas are not at {path.parent}")
    groups = {"headGroupSpec": {"template": {}}, "workerGroupSpecs": [{"replicaz": 1}]}
    found = validator(path, "v1").iter_errors({"spec": groups})
    assert any("replicaz" in error.message for error in found)


def test_what_its_operator_checks_beside_the_schema(of_kind):
    (one,) = (found for kind in LONGEST_NAME if (found := of_kind(kind)))
    name = one["metadata"]["name"]
    assert re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", name)
    assert len(name) <= LONGEST_NAME[one["kind"]]
    spec = one["spec"].get("rayClusterSpec", one["spec"])
    assert spec["authOptions"] == {"mode": "token"}
    assert tuple(map(int, spec["rayVersion"].split("."))) >= (2, 52)  # which knows tokens
    assert spec.keys() & {"networkPolicy", "tlsOptions", "historyServerOptions"} == set()  # gated
    if one["kind"] == "RayJob":
        assert "upgradeStrategy" not in spec  # which a job's cluster may not have
        assert one["spec"]["shutdownAfterJobFinishes"]  # else it may have no time to live
        assert one["spec"]["submitterPodTemplate"]["spec"]["restartPolicy"] == "Never"

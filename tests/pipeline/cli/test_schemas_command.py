"""`dinostream schemas`: what describes the records, by the command that teams are given."""

import json

import pytest

from tests.pipeline.schemas.registry_server import RegistryServer
from tests.serving import serving


def test_the_document_is_printed_or_written_with_its_schemas(dinostream, tmp_path):
    printed = dinostream("schemas", "export")
    assert printed.returncode == 0
    document = json.loads(printed.stdout)
    assert document["channels"]["depthSummary"]["address"] == "{prefix}.depth.summary"
    written = dinostream("schemas", "export", "-o", "site/schemas")
    files = {
        path.name: json.loads(path.read_text()) for path in (tmp_path / "site/schemas").iterdir()
    }
    assert written.stdout == f"site/schemas: {len(files)} files\n"
    assert files.pop("asyncapi.json") == document
    for name, schema in files.items():
        assert f"{schema['$id']}.json" == f"urn:dinostream:schemas:{name}"


def test_a_folder_that_cannot_be_is_an_error_in_a_line(dinostream, tmp_path):
    (tmp_path / "taken").write_text("")
    done = dinostream("schemas", "export", "-o", "taken/schemas")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("dinostream: cannot write schemas to taken/schemas:")
    assert done.stderr.count("\n") == 1


@pytest.fixture
def schema_registry():
    with serving(RegistryServer()) as server:
        yield server


def test_every_public_schema_is_registered_once(dinostream, schema_registry):
    first = dinostream("schemas", "register", schema_registry.url, "--topic-prefix", "cams")
    assert first.returncode == 0, first.stderr
    assert all(" registered: id " in line for line in first.stdout.splitlines())
    versions = schema_registry.subjects["cams.depth.summary-value"]
    assert [one["$id"] for one in versions] == ["urn:dinostream:schemas:depth.summary.v1"]
    again = dinostream(
        "schemas", "register", schema_registry.url, "--topic-prefix", "cams", "--json"
    )
    told = [json.loads(line) for line in again.stdout.splitlines()]
    assert {one["subject"] for one in told} == set(schema_registry.subjects)
    assert {one["outcome"] for one in told} == {"existing"}


def test_what_would_break_consumers_is_exit_code_1(dinostream, schema_registry):
    other = {"properties": {"weather": {"type": "string"}}}
    schema_registry.subjects["dinostream.events.v1"] = [other]
    done = dinostream("schemas", "register", schema_registry.url, "--subject-strategy", "record")
    assert done.returncode == 1
    told = [line for line in done.stdout.splitlines() if "incompatible" in line]
    assert len(told) == 1
    assert told[0].startswith("dinostream.events.v1 ")
    assert schema_registry.subjects["dinostream.events.v1"] == [other]
    assert len(schema_registry.subjects) > 5, "the others are registered all the same"


def test_a_login_stays_out_of_what_is_said(dinostream, schema_registry, monkeypatch):
    schema_registry.login = "team:open sesame"
    monkeypatch.setenv("DINOSTREAM_REGISTRY_LOGIN", "team:sesame street")
    done = dinostream("--debug", "schemas", "register", schema_registry.url)
    assert done.returncode == 1
    assert "401 Unauthorized" in done.stderr
    assert "sesame" not in done.stdout + done.stderr
    monkeypatch.setenv("DINOSTREAM_REGISTRY_LOGIN", schema_registry.login)
    assert dinostream("schemas", "register", schema_registry.url).returncode == 0

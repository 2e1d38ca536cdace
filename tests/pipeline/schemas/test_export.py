"""What is exported is enough to check records by, and is found by what they say."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft7Validator, ValidationError
from referencing import Registry, Resource

from operators.format import JSON
from pipeline.errors import SinkError
from pipeline.schemas.catalogue import URN, needed, schemas
from pipeline.schemas.export import export
from tests.pipeline.golden.corpus import kept, release

PAGE = (Path(__file__).parents[3] / "docs" / "messages.md").read_text()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site") / "schemas"
    written = export(folder)
    assert sorted(written) == sorted(folder.iterdir())
    return folder


@pytest.fixture(scope="module")
def registry(folder):
    """Nothing but the rule that the page tells: a URN's last part is a file."""

    def retrieve(uri):
        assert uri.startswith(URN)
        file = folder / f"{uri.removeprefix(URN)}.json"
        return Resource.from_contents(json.loads(file.read_text()))

    return Registry(retrieve=retrieve)


def test_what_a_record_calls_its_schema_is_a_file_that_describes_it(registry):
    checked = 0
    for record in kept(release()):
        if record.headers["content-type"] == JSON:
            where = {"$ref": record.headers["ce_dataschema"]}
            Draft7Validator(where, registry=registry).validate(json.loads(record.value))
            checked += 1
    assert checked > 30
    with pytest.raises(ValidationError):
        Draft7Validator({"$ref": f"{URN}action.v1"}, registry=registry).validate({})


def test_headers_have_a_file_beside_it(registry):
    for record in kept(release()):
        where = {"$ref": record.headers["ce_dataschema"].replace(".v1", ".attributes.v1")}
        Draft7Validator(where, registry=registry).validate(dict(record.headers))


def test_the_example_of_the_page_checks_records(folder, monkeypatch):
    (example,) = re.findall(r"```python\n([^`]*?def validate.*?)```", PAGE, flags=re.DOTALL)
    monkeypatch.chdir(folder.parent)
    scope = {}
    exec(example, scope)
    record = next(one for one in kept(release()) if one.topic == "depth.summary")
    scope["validate"](record.headers["ce_dataschema"], record.value)
    with pytest.raises(ValidationError):
        scope["validate"](record.headers["ce_dataschema"], b"{}")


def test_schemas_need_none_that_is_not_there():
    there = schemas()
    assert needed(there["claims.v1"]) == {"progress.v1"}
    assert needed(there["depth.attributes.v1"]) == {"attributes.v1"}
    assert set().union(*map(needed, there.values())) <= there.keys()


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError, match=r"cannot write schemas to .*file"):
        export(tmp_path / "file" / "schemas")

"""`dinostream schemas`: what describes the records, by the command that teams are given."""

import json


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

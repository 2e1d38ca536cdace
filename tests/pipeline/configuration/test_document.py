"""YAML files, environment variables and overrides as plain values."""

import pytest

from operators.errors import UsageError
from pipeline.configuration.document import apply_override, load_document, to_document


def load(tmp_path, text, **environ):
    path = tmp_path / "cameras.yaml"
    path.write_text(text)
    return load_document(path, environ)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("off", "off"),
        ("no", "no"),
        ("12:30", "12:30"),
        ("2026-11-22", "2026-11-22"),
        ("true", True),
        ("~", None),
        ("017", 17),
        ("0o17", 15),
        ("=", "="),
        ("<<", "<<"),
        ("5", 5),
        ("-2.5", -2.5),
        ("1e3", 1000.0),
        ('"5"', "5"),
        ("[1, two]", [1, "two"]),
    ],
)
def test_scalars_are_those_of_yaml_1_2(tmp_path, text, value):
    assert load(tmp_path, f"key: {text}") == {"key": value}


def test_environment_variables_fill_values_at_any_depth(tmp_path):
    text = (
        "streams: {gate: {url: 'rtsp://${NAME}:${WORD}@${HOST:-localhost}/x'}}\nlist: ['${NAME}']"
    )
    values = load(tmp_path, text, NAME="bob", WORD="a: {b}")
    assert values["streams"]["gate"]["url"] == "rtsp://bob:a: {b}@localhost/x"
    assert values["list"] == ["bob"]


def test_an_unset_variable_names_itself_the_file_and_the_place(tmp_path):
    with pytest.raises(UsageError, match=r"cameras\.yaml: streams\.gate\.url .*variable SECRET"):
        load(tmp_path, "streams: {gate: {url: 'rtsp://${SECRET}@h'}}")


def test_an_empty_default_is_a_default(tmp_path):
    assert load(tmp_path, "key: 'a${GONE:-}b'") == {"key": "ab"}


def test_a_key_written_twice_is_refused_with_its_line(tmp_path):
    with pytest.raises(UsageError, match=r"line 3: the key 'gate' is written twice"):
        load(tmp_path, "streams:\n  gate: {url: a}\n  gate: {url: b}\n")


def test_neither_value_of_a_key_written_twice_is_said():
    with pytest.raises(UsageError) as caught:
        apply_override({}, "sink.settings={sasl_plain_password: hunter2, sasl_plain_password: x}")
    assert "'sasl_plain_password' is written twice" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("key", ["007", "1e3", "0x1F", "no", "null", "true", "~", "2026-11-22"])
def test_keys_are_text_as_it_is_written(tmp_path, key):
    assert load(tmp_path, f"{key}: 1\nlist: [{{{key}: 2}}]") == {key: 1, "list": [{key: 2}]}


@pytest.mark.parametrize("text", ["007: a\n'007': b", "on: a\n'on': b"])
def test_a_key_in_quotes_is_the_same_key(tmp_path, text):
    with pytest.raises(UsageError, match=r"line 2: the key .* is written twice"):
        load(tmp_path, text)


def test_what_is_written_is_read_again(tmp_path):
    words = ["off", "12:30", "2026-11-22", "017", "", "null", "1_000", "=", "a: b # c", "\u00fc"]
    values = {"b": {"no": True, "list": [1, 2.5, *words]}, "a": None}
    text = to_document(values)
    assert load(tmp_path, text) == values
    assert text.startswith("b:\n  no: true\n")


@pytest.mark.slow
@pytest.mark.parametrize("text", ["key: &it [*it]", f"key: {'[' * 1000}{']' * 1000}"])
def test_what_has_no_end_is_an_error_that_names_the_file(tmp_path, text):
    with pytest.raises(UsageError, match=r"cameras\.yaml: .*too deep in each other"):
        load(tmp_path, text)


def test_python_objects_are_not_built(tmp_path):
    with pytest.raises(UsageError, match="could not determine a constructor"):
        load(tmp_path, "key: !!python/object/apply:os.getcwd []")


@pytest.mark.parametrize(
    "text", ["[1, 2]", "plain", "a: [", "\tkey: 1", "{? [a]: 1}", "k: !!int x"]
)
def test_what_is_no_mapping_is_an_error_that_names_the_file(tmp_path, text):
    with pytest.raises(UsageError, match=r"cameras\.yaml"):
        load(tmp_path, text)


def test_an_empty_file_is_an_empty_configuration(tmp_path):
    assert load(tmp_path, "# nothing yet\n") == {}


def test_absent_and_binary_files_are_errors(tmp_path):
    with pytest.raises(UsageError, match="No such file"):
        load_document(tmp_path / "absent.yaml", {})
    (tmp_path / "clip.mp4").write_bytes(b"\xff\xfe\x00ftyp")
    with pytest.raises(UsageError, match="not UTF-8 text"):
        load_document(tmp_path / "clip.mp4", {})


@pytest.mark.parametrize(
    ("override", "result"),
    [
        ("a=1", {"a": 1}),
        ("a.b=off", {"a": {"b": "off"}}),
        ("a.b.c={d: [1]}", {"a": {"b": {"c": {"d": [1]}}}}),
        ('streams."cam.1".url=rtsp://h:1/x', {"streams": {"cam.1": {"url": "rtsp://h:1/x"}}}),
        ('operators."my.mod:Class".k=v', {"operators": {"my.mod:Class": {"k": "v"}}}),
        ("a=b=c", {"a": "b=c"}),
        ("a=", {"a": None}),
    ],
)
def test_overrides_make_the_tables_on_their_way(override, result):
    values = {}
    apply_override(values, override)
    assert values == result


def test_an_override_keeps_its_neighbours():
    values = {"streams": {"gate": {"url": "a", "start_time": "b"}}, "empty": None}
    apply_override(values, "streams.gate.url=c")
    apply_override(values, "empty.key=1")
    assert values == {
        "streams": {"gate": {"url": "c", "start_time": "b"}},
        "empty": {"key": 1},
    }


@pytest.mark.parametrize("override", ["a", "=1", "a..b=1", ".a=1", "a.=1", '"a.b=1', 'a"b"=1'])
def test_an_override_without_a_path_is_refused(override):
    with pytest.raises(UsageError, match="--set takes KEY=VALUE"):
        apply_override({}, override)


def test_an_override_does_not_show_its_value_in_an_error():
    with pytest.raises(UsageError) as caught:
        apply_override({}, "streams.gate.url hunter2")
    assert "hunter2" not in str(caught.value)


def test_an_override_through_a_plain_value_is_refused():
    with pytest.raises(UsageError, match=r"--set a\.b\.c: a\.b is a plain value"):
        apply_override({"a": {"b": 1}}, "a.b.c=2")

"""Configuration: models, their layers, what errors say, what is printed."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from operators.backbones.architectures import ARCHITECTURES
from operators.errors import UsageError
from operators.registry import build_operator
from pipeline.configuration.config import (
    OPERATORS,
    Config,
    OperatorConfig,
    SamplingConfig,
    SinkConfig,
    SpillConfig,
    StreamConfig,
)
from pipeline.configuration.resolve import describe, resolve
from pipeline.secrets import mask
from pipeline.stream.sampling import Sampling

CAMERAS = """
sampling: {fps: 2}
operators:
  depth: {fps: 1, map_scale: 2}
  action:
heads: {depth: nyu-linear}
streams:
  gate: {url: "rtsp://bob:open-sesame@10.0.0.1/cam"}
sink:
  uri: kafka://localhost:9092
  settings: {security_protocol: SASL_SSL, sasl_plain_password: swordfish}
"""


@pytest.fixture
def cameras(tmp_path):
    path = tmp_path / "cameras.yaml"
    path.write_text(CAMERAS)
    return path


def refusal(*args, **kwargs):
    with pytest.raises(UsageError) as caught:
        resolve(*args, **kwargs)
    return str(caught.value)


def test_nothing_at_all_is_a_configuration():
    config = resolve()
    assert (config.model, config.weights, config.runtime) == ("dinov2_vits14", "auto", "ray")
    assert list(config.operators) == ["depth", "segmentation", "action", "embedding"]
    assert config.sampling_of("depth") == Sampling("fps", 5)
    assert config.sink.uri == "sqlite:results.db"


def test_a_file_is_read_whole(cameras):
    config = resolve(cameras)
    assert config.sampling_of("depth") == Sampling("fps", 1)
    assert config.sampling_of("action") == Sampling("fps", 2)
    assert config.operators["depth"].settings == {"map_scale": 2}
    assert config.operators["action"].settings == {}
    assert config.sink.settings["sasl_plain_password"] == "swordfish"


def test_options_replace_the_file_and_overrides_replace_options(cameras):
    config = resolve(
        cameras, {"sampling": {"every": 3}, "seed": 1}, ["seed=2", "operators.depth.fps=4"]
    )
    assert config.sampling_of("action") == Sampling("every", 3)
    assert config.sampling_of("depth") == Sampling("fps", 4)
    assert config.seed == 2


def test_heads_add_to_the_file_and_operators_pick_from_it(cameras):
    config = resolve(
        cameras, {"heads": {"segmentation": "x.pth"}, "operators": ["depth", "embedding"]}
    )
    assert config.heads == {"depth": "nyu-linear", "segmentation": "x.pth"}
    assert list(config.operators) == ["depth", "embedding"]
    assert config.operators["depth"].settings == {"map_scale": 2}


def test_an_override_of_one_operator_leaves_the_others_running():
    config = resolve(None, {}, ["operators.action.stride=2"])
    assert list(config.operators) == ["depth", "segmentation", "action", "embedding"]
    assert config.operators["action"].settings == {"stride": 2}


def test_a_bare_sink_is_its_uri():
    assert resolve(None, {"sink": "sqlite:a.db"}).sink == SinkConfig(uri="sqlite:a.db")


@pytest.mark.parametrize(
    ("rule", "sampling"),
    [
        ({"fps": 29.97}, Sampling("fps", 29.97)),
        ({"every": 10}, Sampling("every", 10)),
        ({"keyframes": True}, Sampling("keyframes")),
        ({"all": True}, Sampling("all")),
    ],
)
def test_every_sampling_can_be_the_runs_and_an_operators(rule, sampling):
    assert SamplingConfig(**rule).rule == sampling
    config = resolve(None, {}, [f"operators.depth={rule}".replace("True", "true").replace("'", "")])
    assert config.sampling_of("depth") == sampling
    assert config.sampling_of("action") == Sampling("fps", 5)


@pytest.mark.parametrize("rule", [{}, {"fps": 1, "every": 2}, {"fps": 0}, {"keyframes": False}])
def test_a_sampling_is_exactly_one_rule(rule):
    with pytest.raises(ValidationError):
        SamplingConfig(**rule)


def test_an_operator_has_at_most_one_rule():
    with pytest.raises(ValidationError, match="at most one"):
        OperatorConfig(fps=1, all=True)


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("1970-01-01T00:00:00.000001Z", 1),
        ("2026-11-22T18:00:00.25+01:00", 1795366800250000),
        ("2026-11-22T17:00:00.250Z", 1795366800250000),
    ],
)
def test_start_times_are_exact_microseconds(text, micros):
    assert resolve(None, {"start_time": text}).start_time_us == micros
    assert StreamConfig(url="a", start_time=text).start_time_us == micros


@pytest.mark.parametrize("text", ["2026-11-22T17:00:00", "17:00", "yesterday", 1795366800])
def test_a_start_time_without_its_zone_is_refused(text):
    assert "RFC 3339 time with a zone" in refusal(None, {"start_time": text})


@pytest.mark.parametrize(
    ("override", "text"),
    [
        ("bath_size=3", "unknown key bath_size; did you mean batch_size?"),
        ("streams.gate.ur=3", "unknown key streams.gate.ur; did you mean url? Keys here: url,"),
        ("sink.settigns={}", "unknown key sink.settigns; did you mean settings?"),
        ("streams.gate.sampling.pfs=3", "unknown key streams.gate.sampling.pfs; did you mean fps?"),
        ("streams.gate.sampling={}", "streams.gate.sampling: want exactly one of fps, every, keyf"),
        ("streams.gate.region=[0, 0, 2, 1]", "streams.gate.region: should be [left, top, right, b"),
        ("sampling.pfs=3", "unknown key sampling.pfs; did you mean fps?"),
        ("xyzzy=3", "unknown key xyzzy; there is no such key. Keys here: model,"),
        ("batch_size=0", "batch_size: should be greater than 0; got 0"),
        ("runtime=threads", "runtime: should be 'ray' or 'inline'; got 'threads'"),
        ("streams.door.start_time=null", "streams.door.url is missing"),
        ("streams={a b: {url: x}}", "streams.a b: a stream's name has 1 to 128"),
        ("streams.gate=3", "streams.gate: should be a table of keys and values; got 3"),
        ("sampling.fps=.inf", "sampling.fps: should be a finite number; got inf"),
        ("operators.depth.fps=.inf", "operators.depth.fps: should be a finite number; got inf"),
        ("operators={}", "operators: Dictionary should have at least 1 item"),
    ],
)
def test_wrong_keys_and_values_are_named(cameras, override, text):
    assert refusal(cameras, {}, [override]).startswith(f"command line: {text}")


def test_what_stands_in_the_file_is_blamed_on_the_file(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text("bath_size: 3\nstreams: {gate: {}}\n")
    assert refusal(path, {}, ["engines=0"]).splitlines() == [
        f"{path}: streams.gate.url is missing",
        "command line: engines: should be greater than 0; got 0",
        refusal(path).splitlines()[1],
    ]
    assert refusal(path).splitlines()[1].startswith(f"{path}: unknown key bath_size; did you mean")


def test_a_head_for_no_operator_is_refused():
    assert "heads names 'dpeth', which is no operator that runs; did you mean depth?" in refusal(
        None, {"heads": {"dpeth": "nyu-linear"}}
    )
    assert resolve(None, {"heads": {"depth": "nyu-linear"}, "operators": ["embedding"]}).heads


@pytest.mark.parametrize(
    "options",
    [
        {"engines": 2},
        {"address": "auto"},
        {"gpus_per_engine": 1},
        {"wait_for_room": True},
        {"engines_max": 2},
        {"spare_engines": 1},
        {"decoders_max": 3},
    ],
)
def test_one_process_cannot_be_several(options):
    assert f"only runtime: ray takes {next(iter(options))}" in refusal(
        None, {"runtime": "inline", **options}
    )


@pytest.mark.parametrize("override", ["sampling.fps=1e999", "operators.depth.fps=1e999"])
def test_no_number_is_infinite(override):
    assert "finite" in refusal(None, {}, [override])


@pytest.mark.parametrize("share", [2, -0.5, "half"])
def test_an_engine_has_a_part_of_a_gpu(share):
    wanted = "gpus_per_engine: should be auto, or a part of a GPU from 0 to 1"
    assert refusal(None, {"gpus_per_engine": share}) == f"command line: {wanted}; got {share!r}"


def test_secrets_are_printed_nowhere(cameras):
    config = resolve(cameras)
    told = describe(config)
    for text in (told, repr(config), str(config), f"{config.sink!r} {config.streams!r}"):
        assert "open-sesame" not in text
        assert "swordfish" not in text
    assert "rtsp://bob:***@10.0.0.1/cam" in told
    assert mask("could not log in with swordfish") == "could not log in with ***"


def test_secrets_are_in_no_error(cameras):
    text = refusal(cameras, {}, ["streams.gate.url=[1, open-sesame]", "sink.settings=swordfish"])
    assert "streams.gate.url" in text
    assert "sink.settings" in text
    assert "open-sesame" not in text
    assert "swordfish" not in text


def test_what_is_printed_can_be_read_again(cameras, tmp_path):
    path = tmp_path / "again.yaml"
    path.write_text(describe(resolve(cameras)))
    again = resolve(path)
    assert again.sampling_of("depth") == Sampling("fps", 1)
    assert again.operators["depth"].settings == {"map_scale": 2}


def test_the_page_lists_every_key_with_its_default():
    page = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text()
    keys = page.partition("## Settings of a Kafka sink")[0]
    rows = re.findall(r"^\| `([a-z_.A-Z]+)` \| ([^|]*) \|", keys, flags=re.MULTILINE)
    listed = {key: default.strip().strip("`") for key, default in rows}
    assert listed == dict(documented())


def documented():
    """(key, default) as the page should have them."""
    tables = {"streams.NAME": StreamConfig, "sink": SinkConfig, "sampling": SamplingConfig}
    tables["sink.spill"] = SpillConfig
    for name in Config.model_fields:
        if name not in ("streams", "sink", "sampling"):
            yield name, shown(Config, name)
    for prefix, model in tables.items():
        for name in model.model_fields:
            if f"{prefix}.{name}" not in tables:
                yield f"{prefix}.{name}", shown(model, name)


def shown(model: type[BaseModel], name: str) -> str:
    field = model.model_fields[name]
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, dict):
        return ", ".join(value) if value else "none"
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value in (None, []) else str(value)


def test_a_span_goes_forward():
    assert resolve(None, {}, ["span_s=[1, 2.5]"]).span_s == (1.0, 2.5)
    with pytest.raises(UsageError, match="span_s: should go from one second to a later one"):
        resolve(None, {}, ["span_s=[2, 2]"])


@pytest.mark.parametrize(("model", "patch"), [("dinov2_vits14", 14), ("dinov2_vitb14_reg", 14)])
def test_a_short_side_holds_a_patch_of_the_model(model, patch):
    assert resolve(None, {"model": model, "short_side": patch}).short_side == patch
    with pytest.raises(UsageError, match=rf"short_side: should be at least {patch}, .* got 13"):
        resolve(None, {"model": model, "short_side": patch - 1})


def test_demo_weights_bring_their_model():
    assert Config(weights="demo").model == "dinov2_vitti14"
    assert Config(weights="demo", model="dinov2_vits14").model == "dinov2_vits14"
    assert Config().model == "dinov2_vits14"


def test_the_backend_is_read_under_its_old_name_too(tmp_path, caplog):
    path = tmp_path / "old.yaml"
    path.write_text("engine: torch\n")
    assert resolve(path).backend == "torch"
    assert caplog.messages == [f"{path}: the key engine is called backend now"]
    assert resolve(overrides=["engine=torch"]).backend == "torch"
    assert resolve(path, {"engine": "openvino"}).backend == "openvino"
    assert resolve(path, overrides=["engine=openvino"]).backend == "openvino"
    path.write_text("engine: torch\nbackend: torch\n")
    with pytest.raises(UsageError, match=f"^{path}: engine and backend are the same key"):
        resolve(path)
    path.write_text("engine: fast\n")
    with pytest.raises(UsageError, match=f"^{path}: backend: should be .*; got 'fast'"):
        resolve(path)


def test_what_the_page_shows_runs(tmp_path):
    """As far as it can be known without weights, cameras and a broker."""
    page = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text()
    (example,) = re.findall(r"^```yaml\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
    (tmp_path / "page.yaml").write_text(example)
    environ = {"GATE_PASSWORD": "open-sesame", "KAFKA_PASSWORD": "swordfish"}
    config = resolve(tmp_path / "page.yaml", environ=environ)
    for name in filter(OPERATORS.__contains__, config.operators):
        built = build_operator(
            name,
            config.operators[name].settings,
            architecture=ARCHITECTURES["dinov2_vits14"],
            backbone_sha256="a" * 64,
            head="random",
            random_seed=0,
        )
        assert built.name == name


@pytest.mark.parametrize(
    ("overload", "told"),
    [
        (["dept"], "overload names 'dept', which is no operator that runs; did you mean depth?"),
        (["half", "half"], "overload names something twice: half, half"),
    ],
)
def test_what_can_be_given_up_is_what_runs_each_once(overload, told) -> None:
    with pytest.raises(ValidationError) as caught:
        Config(overload=overload)
    assert told in str(caught.value)
    assert Config(overload=["segmentation", "half"]).overload == ["segmentation", "half"]


@pytest.mark.parametrize("kind", ["engines", "decoders"])
def test_the_most_are_not_fewer_than_those_to_begin_with(kind):
    assert f"{kind}_max is 1, which is fewer than {kind}, 2" in refusal(
        None, {kind: 2, f"{kind}_max": 1}
    )


def test_streams_of_a_file_that_sources_replace_are_told(tmp_path, caplog):
    path = tmp_path / "cameras.yaml"
    path.write_text("streams:\n  yard: {url: yard.mp4}\n  dock: {url: dock.mp4}\n")
    assert resolve(path).streams.keys() == {"yard", "dock"}
    assert not caplog.messages
    chosen = resolve(path, {"sources": ["other.mp4"], "streams": {}})
    assert (chosen.sources, chosen.streams) == (["other.mp4"], {})
    (told,) = caplog.messages
    assert told.startswith(f"{path}: streams dock, yard are left out")

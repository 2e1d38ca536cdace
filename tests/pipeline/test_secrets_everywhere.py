"""No way that dinostream prints shows a password, however oddly it is written."""

from __future__ import annotations

import io
import json
import logging
import re

import pytest
from click.testing import CliRunner

from operators.errors import UsageError
from pipeline import secrets
from pipeline.cli import main
from pipeline.cli.run import command as run
from pipeline.configuration.config import Config
from pipeline.configuration.resolve import describe, resolve
from pipeline.configuration.sources import plan_recordings, plan_stream
from pipeline.display import PlainDisplay
from pipeline.log_line import LogLine
from pipeline.logs import Json, Text
from pipeline.records.message import Publisher
from pipeline.report import Report
from pipeline.stream.chunk import End, Fault
from pipeline.stream.progress import Progress
from pipeline.trace import detail, trace

ODD = ["hash#w0rd", "sla/shed", "quest?ion", "bla nked", "a@te#all/of?them now", "1234#5678"]
ODD += ["1234/5678", "col:on/w0rd", "per%23cent", "plainword", "it's<odd>", "two://schemes#of"]


@pytest.fixture(autouse=True)
def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "_known", {})


@pytest.fixture(params=ODD)
def password(request):
    return request.param


@pytest.fixture
def url(password):
    return f"rtsp://admin:{password}@gate.example/1"


def hidden(text: str, password: str) -> str:
    """The text, held to show nothing of the password that is longer than a syllable."""
    for part in [password, *re.split(r"[#/?@\s]", password)]:
        assert len(part) < 4 or part not in text, text
    return text


def yaml_of(url: str) -> str:
    return json.dumps({"streams": {"gate": {"url": url}}})  # JSON is YAML


def test_the_configuration(tmp_path, url, password):
    (tmp_path / "run.yaml").write_text(yaml_of(url))

    told = hidden(describe(resolve(tmp_path / "run.yaml")), password)
    assert "rtsp://admin:***@gate.example/1" in told


def test_a_configuration_that_nothing_was_remembered_of(url, password):
    plain = Config(streams={"gate": {"url": url}}).plain()
    hidden(json.dumps(secrets.mask_values(plain)), password)
    hidden(repr(Config(streams={"gate": {"url": url}}, sources=[url])), password)


@pytest.mark.slow
@pytest.mark.parametrize(
    "wrong",
    [
        {"streams": {"gate": {"url": "URL", "rul": "URL"}}},
        {"streams": {"gate": {"url": ["URL"]}}},
        {"streams": {"gate": "URL"}},
        {"streams": {"URL": {"url": "x"}}},
        {"sources": "URL"},
        {"model": ["URL"], "sources": ["URL"]},
        {"weights": "x", "URL": 1},
        {"short_side": "URL"},
        {"sink": {"uri": 1, "settings": {"a": "URL"}}},
        {"sink": {"url": "URL"}},
    ],
    ids=str,
)
def test_errors_of_a_configuration(tmp_path, capsys, url, password, wrong):
    (tmp_path / "run.yaml").write_text(json.dumps(wrong).replace("URL", json.dumps(url)[1:-1]))

    assert main(["run", str(tmp_path / "run.yaml")]) == 2
    hidden(capsys.readouterr().err, password)


def test_run_says_what_to_write(tmp_path, capsys):
    (tmp_path / "run.yaml").write_text(yaml_of("rtsp://admin:a#b/c d@gate/1"))

    assert main(["run", str(tmp_path / "run.yaml")]) == 2
    assert capsys.readouterr().err == (
        "dinostream: rtsp://admin:***@gate/1 is no address: percent-encode the password: "
        "# is %23, / is %2F, a blank is %20\n"
    )


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://admin:secret@gate/1",
        "rtsp://admin:a%23b@gate/1",
        "rtsp://admin:secret@gate:554/1@hd?x=1",
        "http://gate:8080/cam@home?mail=me@x.org",
        "http://gate/cam@home",
        "rtsp://[::1]:554/cam@home",
        "rtsp://token@gate/1",
    ],
)
def test_a_sound_address_is_taken(url):
    assert plan_stream("gate", url, live=True).url == url


def test_errors_of_sources(url, password):
    for work in (
        lambda: plan_recordings([url]),
        lambda: plan_recordings([url.replace("rtsp", "gopher")]),
        lambda: plan_recordings([url.replace("rtsp", "http") + "\n"]),
        lambda: plan_stream("gate", url.replace("rtsp", "gopher"), live=True),
    ):
        with pytest.raises(UsageError) as caught:
            work()
        hidden(str(caught.value), password)


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ["replay", "URL"],
        ["replay", "x.mp4", "--sink", "URL"],
        ["replay", "x.mp4", "--set", "streams.gate=URL"],
        ["replay", "x.mp4", "--stream", "URL"],
        ["replay", "x.mp4", "--start-time", "URL"],
        ["replay", "x.mp4", "--fps", "URL"],
        ["replay", "x.mp4", "--head", "URL"],
        ["replay", "x.mp4", "--nothing=URL"],
        ["run", "URL"],
        ["tail", "URL"],
        ["tail", "kafka://admin:PASSWORD@gate:9092"],
        ["render", "URL", "-o", "x.txt"],
        ["calibrate", "URL"],
        ["topics", "create", "URL"],
    ],
    ids=" ".join,
)
def test_command_lines(tmp_path, monkeypatch, capsys, url, password, words):
    monkeypatch.chdir(tmp_path)
    words = [word.replace("URL", url).replace("PASSWORD", password) for word in words]

    assert main(words) != 0
    captured = capsys.readouterr()
    hidden(captured.out + captured.err, password)


def test_print_config_of_the_command(tmp_path, url, password):
    (tmp_path / "run.yaml").write_text(yaml_of(url))
    told = CliRunner().invoke(run, [str(tmp_path / "run.yaml"), "--print-config"])

    assert told.exit_code == 0
    hidden(told.output, password)


def test_what_is_told_and_kept_once_the_address_is_known(url, password):
    secrets.remember_url(url)
    words = f"401 for {url}; user admin, password {password!s}"
    publisher = Publisher("gate", "0123456789ab", "m", clock_us=lambda: 0)
    progress = Progress("0123456789ab", "gate")
    letters = [
        *publisher.announce(Fault("gate", "disconnected", words), progress, {}),
        *publisher.announce(End("gate", "rejected", words), progress, {}),
    ]
    for letter in letters:
        hidden(letter.value.decode(), password)
    try:
        raise ValueError(words)
    except ValueError as error:
        hidden(detail(error) + trace(error), password)
    record = logging.LogRecord("pipeline", logging.ERROR, "", 0, "%s", (words,), None)
    hidden(Text().format(record) + Json().format(record), password)
    hidden(LogLine.of(record).message, password)


def test_the_report(url, password):
    secrets.remember_url(url)
    report = Report(1, 1.0, {}, {"gate": "rejected"}, "sqlite:x", {"gate": f"401: {url}"})
    for as_json in (False, True):
        err, out = io.StringIO(), io.StringIO()
        display = PlainDisplay(as_json=as_json, err=err, out=out)
        display.note(f"gate: {url}")
        display.finish(report)
        hidden(err.getvalue() + out.getvalue(), password)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("rtsp://a:b@c/1,rtsp://d:e@f/2", "rtsp://a:***@c/1,rtsp://d:***@f/2"),
        ("rtsp://a:b#c@d/1; http://e:f/g@h/1", "rtsp://a:***@d/1; http://e:***@h/1"),
        ("rtsp://gate:554/1 is down, write to ops@example.org", None),
        ("http://gate/1?mail=ops@example.org", None),
        ("kafka://one:9092,two:9092?topic_prefix=x", None),
        ("rtsp://[::1]:554/1", None),
        ('{"url": "http://gate:80/1", "by": "ops@example.org"}', None),
    ],
)
def test_text_with_several_addresses_and_with_an_at_sign_behind_one(text, masked):
    assert secrets.mask(text) == (masked or text)
    assert secrets.mask(secrets.mask(text)) == secrets.mask(text)


def test_an_innocent_address_hides_no_words_elsewhere():
    secrets.remember_url("http://gate:8080/user/live@hd")

    assert secrets.mask("user of live stream 8080") == "user of live stream 8080"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("rtsp://admin:hidd/en", "is no port"),
        ("rtsp://admin:hidd#en", "is no port"),
        ("http://admin:hidden", "is no port"),
        ("rtsp://gate:99999/1", "is no port"),
        ("rtsp://[::1/1", "is no port"),
        ("rtsp://admin:hidden@/1", "names no host"),
    ],
)
def test_an_address_without_a_host_or_a_port_says_how_to_write_a_password(url, why):
    with pytest.raises(UsageError) as caught:
        plan_stream("gate", url, live=True)
    assert why in str(caught.value)
    assert "percent-encode the password: # is %23, / is %2F" in str(caught.value)
    assert "hidd" not in str(caught.value)
    assert "en is no address" not in str(caught.value)


@pytest.mark.parametrize("url", ["rtsp://gate:/1", "rtsp://[::1]:554/1", "http://gate?x=1:2"])
def test_odd_addresses_that_are_ones(url):
    assert plan_stream("gate", url, live=True).url == url

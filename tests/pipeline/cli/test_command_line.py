"""What all commands share: help, exit codes, error lines, masking, start-up."""

import importlib
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from operators.backbones.start import BATCHES
from operators.errors import DinostreamError, UsageError
from pipeline import cli
from pipeline.configuration.config import Config
from pipeline.display import PlainDisplay
from pipeline.report import Report

HEAVY = ("torch", "numpy", "ray", "av", "kafka", "triton", "pydantic", "rich", "ruamel")


def every_command():
    """The words of every command and sub-command."""
    yield ()
    for name in cli.COMMANDS:
        command = importlib.import_module(f"pipeline.cli.{name}").command
        yield (name,)
        if isinstance(command, click.Group):
            yield from ((name, below) for below in command.commands)


@pytest.mark.parametrize("words", list(every_command()), ids=" ".join)
def test_every_command_has_help_with_an_example(words, capsys):
    assert cli.main([*words, "--help"]) == 0
    told = capsys.readouterr().out
    assert f"Usage: dinostream {' '.join(words)}".rstrip() in told
    assert f"Example: dinostream {' '.join(words)}".rstrip() in " ".join(told.split())
    if words in ((), ("replay",)):
        assert "130 stopped by Ctrl-C, 143 by SIGTERM" in " ".join(told.split())


# Options without which a command does nothing of the kind.
NOTHING = {
    *("--config", "--set", "--every", "--cache", "--labels", "--clicks", "--masks", "--depth"),
    *("--clips", "--images", "--synthetic", "--seeds", "--from", "--source", "--save", "--out"),
}


@pytest.mark.parametrize("words", list(every_command()), ids=" ".join)
def test_help_says_what_holds_where_an_option_is_left_out(words):
    command = cli.cli
    for word in words:
        command = command.get_command(click.Context(command), word)
    context = click.Context(command)
    silent = [
        option.opts[-1]
        for option in command.params
        if isinstance(option, click.Option)
        and not (option.is_flag and not option.secondary_opts)
        and not (option.hidden or option.required)
        and "default: " not in option.get_help_record(context)[1]
    ]
    assert set(silent) - NOTHING - ({"--head"} if words == ("weights", "fetch") else set()) == set()


def test_options_show_the_defaults_of_the_configuration():
    config, command = Config(), cli.cli.get_command(click.Context(cli.cli), "replay")
    shown = {one.name: one.show_default for one in command.params if isinstance(one, click.Option)}
    for name in ("model", "weights", "seed", "short_side", "backend", "runtime"):
        assert re.split("[;,]", shown[name])[0] == str(getattr(config, name))
    batches = shown["batch_size"].split(", on a GPU ")
    assert batches == [str(BATCHES[device]) for device in ("cpu", "cuda")]
    assert float(shown["fps"]) == config.sampling.fps
    assert shown["operators"].split(", ") == list(config.operators)
    assert (shown["sink"], shown["engines"]) == (config.sink.uri, str(config.engines))


@pytest.mark.slow
def test_help_imports_nothing_heavy(environment):
    script = (
        "import sys, json; from pipeline.cli import main; code = main(['--help'])\n"
        f"print(json.dumps([code, [name for name in {HEAVY} if name in sys.modules]]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True
    )
    assert json.loads(done.stdout.splitlines()[-1]) == [0, []]


@pytest.mark.parametrize(
    "words",
    [
        ["rpelay"],
        ["replay", "--fsp", "1", "a.mp4"],
        ["replay"],
        ["replay", "--stream", "gate"],
        ["replay", "--stream", "gate", "a.mp4", "b.mp4"],
        ["replay", "--fps", "1", "--all", "a.mp4"],
        ["replay", "--head", "depth", "a.mp4"],
        ["replay", "--set", "fps", "a.mp4"],
        ["replay", "--config", "absent.yaml", "a.mp4"],
        ["replay", "--short-side", "3", "a.mp4"],
        ["replay", "--runtime", "inline", "--engines", "2", "a.mp4"],
        ["replay", "--start-time", "17:00", "a.mp4"],
        ["replay", "--verify", "sqlite:r.db", "--listen", "127.0.0.1:0", "a.mp4"],
        ["replay", "--verify", "sqlite:r.db", "--allow-host", "gate", "a.mp4"],
        ["replay", "--allow-host", "gate", "--stream", "gate", "a.mp4"],
        ["replay", "--verify", "sqlite:r.db", "--fresh", "a.mp4"],
        ["replay", "--verify", "sqlite:r.db", "--resume", "a.mp4"],
        ["run"],
        ["run", "absent.yaml"],
        ["tail"],
        ["tail", "results.db"],
        ["tail", "sqlite:absent.db"],
        ["tail", "sqlite:absent.db", "--latest"],
        ["tail", "kafka://bob:hunter2@h:9092"],
        ["weights", "fetch", "dinov3"],
        ["weights", "inspect", "absent.pth"],
    ],
    ids=" ".join,
)
def test_bad_usage_is_one_clear_message_and_exit_code_2(dinostream, words):
    done = dinostream(*words)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "bug" not in done.stderr
    assert done.stdout == ""
    assert "hunter2" not in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 4


def test_an_unknown_key_names_the_file_and_the_nearest_key(dinostream, tmp_path):
    (tmp_path / "cameras.yaml").write_text("stream: {gate: {url: a.mp4}}\n")
    done = dinostream("run", "cameras.yaml")
    assert done.returncode == 2
    assert "cameras.yaml: unknown key stream; did you mean streams?" in done.stderr


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (UsageError("no such thing"), 2, "dinostream: no such thing\n"),
        (DinostreamError("broker gone"), 1, "dinostream: broker gone\n"),
        (DinostreamError("lost rtsp://a:hunter2@h/x"), 1, "dinostream: lost rtsp://a:***@h/x\n"),
        (KeyboardInterrupt(), 130, "dinostream: interrupted\n"),
    ],
)
def test_foreseen_errors_are_one_line(run_raising, error, code, text):
    assert run_raising(error) == (code, text)


def test_a_bug_shows_where_it_is_but_no_password(run_raising):
    code, told = run_raising(RuntimeError("read rtsp://a:hunter2@h/x"))
    assert code == 1
    assert "this is a bug in dinostream" in told
    assert "Traceback" in told
    assert "hunter2" not in told


def test_debug_shows_where_a_foreseen_error_came_from(run_raising):
    code, told = run_raising(UsageError("no such thing"), "--debug")
    assert code == 2
    assert "Traceback" in told


@pytest.fixture
def run_raising(capsys, monkeypatch, restored_logging):
    """Runs a command that raises; gives exit code and stderr."""

    def run(error, *options):
        @click.command("explode")
        def explode():
            raise error

        monkeypatch.setitem(cli.cli.commands, "explode", explode)
        monkeypatch.setattr(
            cli.cli, "get_command", lambda _, name: cli.cli.commands[name], raising=True
        )
        code = cli.main([*options, "explode"])
        return code, capsys.readouterr().err.lstrip("\n")

    return run


@pytest.fixture
def restored_logging():
    import logging

    root = logging.getLogger()
    before = (root.level, root.handlers[:])
    yield
    root.setLevel(before[0])
    root.handlers[:] = before[1]
    for package in ("kernels", "operators", "pipeline"):
        logging.getLogger(package).setLevel(logging.NOTSET)


def test_another_kernels_package_is_named_and_refused(environment, tmp_path):
    intruder = tmp_path / "site" / "kernels"
    intruder.mkdir(parents=True)
    (intruder / "__init__.py").touch()
    script = (
        f"import sys; sys.path.insert(0, {str(intruder.parent)!r})\n"
        "from pipeline.cli import main; sys.exit(main(['weights', 'list']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert f"the package kernels was found at {intruder}" in done.stderr
    assert "pip uninstall kernels" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_print_config_masks_secrets_and_runs_nothing(dinostream, tmp_path):
    (tmp_path / "cameras.yaml").write_text(
        "streams: {gate: {url: 'rtsp://bob:open-sesame@10.0.0.1/cam'}}\n"
        "sink: {uri: 'kafka://h:1', settings: {sasl_plain_password: swordfish}}\n"
    )
    done = dinostream("run", "cameras.yaml", "--print-config", "--set", "seed=7")
    assert (done.returncode, done.stderr) == (0, "")
    assert "rtsp://bob:***@10.0.0.1/cam" in done.stdout
    assert "seed: 7" in done.stdout
    assert "swordfish" not in done.stdout


def test_options_of_replay_become_configuration(dinostream):
    done = dinostream(
        *("replay", "clip.mp4", "--stream", "gate", "--every", "3", "--model", "dinov2_vitti14"),
        *("--operator", "depth", "--head", "depth=a.pth", "--sink", "sqlite:a.db", "--threads", 1),
        "--print-config",
    )
    assert done.returncode == 0, done.stderr
    lines = [line.strip() for line in done.stdout.splitlines()]
    for line in ("every: 3", "model: dinov2_vitti14", "url: clip.mp4", "depth: a.pth", "depth: {}"):
        assert line in lines
    assert not any("segmentation" in line or "fps" in line for line in lines)


def test_the_version_is_the_projects(dinostream):
    done = dinostream("--version")
    project = (Path(__file__).parents[3] / "pyproject.toml").read_text()
    version = done.stdout.removeprefix("dinostream ").strip()
    assert done.returncode == 0
    assert f'version = "{version}"' in project or "not installed" in version


def test_a_report_may_hold_names_that_are_no_text(monkeypatch):
    """Standard output refuses them; in JSON they are read back as what they were."""
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, "utf-8"))
    assert cli.main(["--version"]) == 0
    report = Report(1, 1.0, {}, {"a": "ok"}, "sqlite:caf\udce9.db")
    PlainDisplay(as_json=True).finish(report)
    assert json.loads(written.getvalue().splitlines()[-1])["sink"] == report.sink

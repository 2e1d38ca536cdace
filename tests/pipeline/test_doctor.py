"""The machine report and the check that the three packages are ours."""

import json
import os
import subprocess
import sys
from pathlib import Path

import av
import pytest
from click.testing import CliRunner

from operators.backbones.machine import this_machine
from pipeline import doctor
from pipeline.cli.doctor import command
from pipeline.doctor import check_layout, examine
from pipeline.finding import Finding, distributions
from pipeline.sinks.spill import folder as folders
from pipeline.sinks.spill.folder import SpillFolder

ROOT = Path(__file__).parents[2]
CPUINFO = """processor\t: 0
vendor_id\t: AuthenticAMD
model name\t: Some CPU @ 2.00GHz
flags\t\t: fpu sse2 avx2 avx512f avx512_bf16 amx_tile

processor\t: 1
model name\t: Another
flags\t\t: fpu
"""


def test_the_layout_of_this_checkout_is_right():
    check_layout()


def test_every_thing_is_reported_once():
    findings = examine()
    names = [one.name for one in findings]
    assert len(set(names)) == len(names)
    wanted = {"system", "cpu", "memory", "layout", "torch", "gpu", "triton", "codecs"}
    wanted |= {"attention", "backend", "weights", "disk", "spill", "capacity"}
    wanted |= {"kafka client", "ray", "c compiler", "java", "maven", "rtsp server"}
    wanted |= {"sam", "grounding"}
    assert set(names) == wanted
    assert all(one.value for one in findings)


def test_what_this_environment_must_have_is_there():
    missing = [one for one in examine() if one.required and one.present is False]
    assert missing == []


def test_what_is_missing_says_how_to_get_it(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    found = {one.name: one for one in examine()}
    for name in ("java", "maven", "c compiler"):
        assert found[name].present is False
        assert "apt-get install" in found[name].remedy
    assert not found["java"].required


def test_a_broken_library_is_a_line_of_the_report(monkeypatch):
    def broken():
        raise OSError("libfoo.so: cannot open\nsecond line")

    monkeypatch.setitem(doctor._REQUIRED, "codecs", broken)
    found = {one.name: one for one in examine()}
    assert found["codecs"] == Finding(
        "codecs", False, "OSError: libfoo.so: cannot open", "make venv", required=True
    )


@pytest.mark.parametrize(("avcodec", "mark"), [((62, 28, 102), "WARNING"), ((63, 1, 102), "ok")])
def test_an_ffmpeg_with_known_holes_is_a_warning(monkeypatch, avcodec, mark):
    monkeypatch.setitem(av.library_versions, "libavcodec", avcodec)
    monkeypatch.setattr(doctor, "_REQUIRED", {"codecs": doctor._REQUIRED["codecs"]})
    monkeypatch.setattr(doctor, "_OPTIONAL", {})
    told = CliRunner().invoke(command, standalone_mode=False)
    assert told.return_value == 0
    codecs, *remedy = told.output.partition(f"{mark:>8}  codecs  ")[2].splitlines()
    assert ("holes that FFmpeg 9 has closed" in codecs) == (mark == "WARNING")
    assert ("PyAV 19 or newer, for Python 3.12" in "".join(remedy)) == (mark == "WARNING")


def test_weights_that_are_there_are_told_with_their_size(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    cache = tmp_path / ".cache" / "dinostream"
    none = doctor._weights()
    assert none.value == f"in {cache}: none; DINOv3's are asked for by hand, see weights list"
    assert "weights fetch dinov2_vits14, or --weights demo" in none.remedy
    assert f"GiB free in {cache} for weights" in doctor._disk().value
    cache.mkdir(parents=True)
    for name in ("dinov2_vits14_pretrain.pth", "dinov2_vits14_nyu_linear_head.pth", "mine.pth"):
        (cache / name).write_bytes(bytes(3 << 19))
    assert doctor._weights().value.startswith(
        f"in {cache}: dinov2_vits14_nyu_linear_head.pth 1.5 MiB, dinov2_vits14_pretrain.pth 1.5 MiB"
    )


def test_what_is_kept_is_looked_for_where_runs_keep_it_or_where_a_configuration_says(
    tmp_path, monkeypatch
):
    """Of no configuration the service's folder is looked at too, whoever asks."""
    monkeypatch.setattr(folders, "SERVICE_STATE", tmp_path / "service")
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "own"))
    for name in ("service/spill", "elsewhere"):
        kept = SpillFolder.of("kafka://b:9092", str(tmp_path / name), 1 << 30)
        kept.make()
        (kept.path / "log").mkdir()
        (kept.path / "log" / "1.log").write_bytes(bytes(3 << 19))
    own, service = tmp_path / "own" / "spill", tmp_path / "service" / "spill"
    there = "1.5 MiB for kafka://b:9092?topic_prefix=dinostream"
    found = doctor._spill(None)
    assert found.value == f"in {own}: nothing; in {service}: {there}"
    assert found.remedy
    assert doctor._spill(tmp_path / "elsewhere").value == f"in {tmp_path / 'elsewhere'}: {there}"
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert "loop: not known" in doctor._spill(tmp_path / "loop").value


def test_a_configurations_folder_is_the_one_that_is_looked_at(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor, "_REQUIRED", {})
    monkeypatch.setattr(doctor, "_OPTIONAL", {})
    file = tmp_path / "run.yaml"
    file.write_text(f"sink: {{uri: 'kafka://b:9092', spill: {{folder: {tmp_path / 'kept'}}}}}")
    told = CliRunner().invoke(command, ["--config", str(file)], standalone_mode=False)
    assert told.return_value == 0
    assert f"in {tmp_path / 'kept'}: nothing" in told.output


def test_what_an_extra_brings_is_told_with_what_it_is_for(monkeypatch):
    monkeypatch.setattr(doctor, "_REQUIRED", {})
    found = {one.name: one for one in examine()}
    assert found["sam"].value.startswith("transformers ")
    assert "for segment --weights-sam" in found["sam"].value
    monkeypatch.setattr(
        "pipeline.doctor.distribution", lambda name, remedy: Finding(name, False, "absent", remedy)
    )
    found = {one.name: one for one in examine()}
    assert (found["grounding"].present, found["grounding"].required) == (None, False)
    assert found["grounding"].remedy == "pip install '.[grounding]'"


def test_a_missing_distribution_names_itself():
    found = distributions("kafka client", "pip", "no-such-package-at-all")
    assert found.present is False
    assert found.remedy == "make venv, or pip install no-such-package-at-all"


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_the_command_exits_0_where_nothing_needed_is_missing(arguments):
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "doctor", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    if arguments:
        assert json.loads(done.stdout)["torch"]["present"] is True
    else:
        assert "ok  torch" in done.stdout


@pytest.mark.slow
def test_an_intruder_is_reported_and_fails(tmp_path):
    intruder = tmp_path / "operators"
    intruder.mkdir()
    (intruder / "__init__.py").touch()
    script = (
        "import sys, operators.errors, pipeline.doctor\n"  # a chimera: ours is loaded, then hidden
        f"sys.path.insert(0, {str(tmp_path)!r}); del sys.modules['operators']\n"
        "from pipeline.doctor import examine\n"
        "print([one.value for one in examine() if one.name == 'layout' and not one.present])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
        timeout=120,
    )
    assert f"the package operators was found at {intruder}" in done.stdout


def test_a_machine_is_read_from_proc(tmp_path):
    (tmp_path / "cpuinfo").write_text(CPUINFO)
    (tmp_path / "meminfo").write_text("MemTotal:       24631696 kB\nMemFree:        1 kB\n")
    machine = this_machine(tmp_path)
    assert machine.cpu == "Some CPU @ 2.00GHz"
    assert machine.vendor == "AuthenticAMD"
    assert machine.features == ("avx2", "avx512f", "avx512_bf16", "amx_tile")
    assert machine.memory_bytes == 24631696 * 1024
    assert machine.cores >= 1


def test_a_machine_without_proc_is_still_a_machine(tmp_path):
    machine = this_machine(tmp_path)
    assert machine.cpu
    assert machine.features == ()
    assert machine.memory_bytes is None

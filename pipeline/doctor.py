"""What this machine has for dinostream, what is missing and how to get it; and whether the three
packages are really ours.

Nothing in -> findings out. Each library is asked by the package that owns it.
"""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from operators.backbones.machine import this_machine
from operators.errors import UsageError
from operators.outside.published import FAMILIES, Family
from pipeline.finding import Finding, distribution, distributions

PACKAGES = ("kernels", "operators", "pipeline")
RTSP_SERVER = (
    "apt-get install --no-install-recommends python3-gi gir1.2-gst-rtsp-server-1.0 "
    "gstreamer1.0-libav gstreamer1.0-plugins-base gstreamer1.0-plugins-good "
    "gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly"
)
_PROBE_S = 20.0


def check_layout() -> None:
    """Make sure that kernels, operators and pipeline come from one folder.

    Another distribution also calls its package `kernels`; where both are installed, one hides the
    other and modules of both can be loaded side by side. Called when a process starts.

    Raises:
        UsageError: names the intruder and what to do.
    """
    home = Path(__file__).resolve().parents[1]
    for name in PACKAGES:
        spec = find_spec(name)
        origin = Path(spec.origin).resolve() if spec and spec.origin else None
        if origin is None or origin.parents[1] != home:
            found = origin.parent if origin else "nowhere"
            raise UsageError(
                f"the package {name} was found at {found}, but dinostream's lies in {home}: "
                "another package of that name is in this environment. Give dinostream an "
                f"environment of its own (make venv), or remove the other (pip uninstall {name})"
            )


def examine(spill: Path | None = None) -> list[Finding]:
    """Look at everything. Takes seconds: torch is imported, a kernel may be compiled. `spill`: the
    folder of a configuration; None: where runs keep without one."""
    machine = this_machine()
    memory = size_text(machine.memory_bytes) if machine.memory_bytes else "unknown"
    features = " ".join(machine.features) or "none of those that matter here"
    return [
        Finding("system", None, f"{machine.system}, Python {platform.python_version()}"),
        Finding("cpu", None, f"{machine.cpu}, {machine.cores} cores: {features}"),
        Finding("memory", None, memory),
        *(_guarded(probe, name, required=True) for name, probe in _REQUIRED.items()),
        *(_guarded(probe, name) for name, probe in _OPTIONAL.items()),
        _guarded(lambda: _spill(spill), "spill"),
    ]


def _guarded(probe: Callable[[], Finding], name: str, *, required: bool = False) -> Finding:
    """A report must not end at the first broken library."""
    try:
        return replace(probe(), required=required)
    except Exception as error:
        first_line = (str(error).splitlines() or [""])[0]
        return Finding(name, False, f"{type(error).__name__}: {first_line}", "make venv", required)


def _layout() -> Finding:
    try:
        check_layout()
    except UsageError as error:
        return Finding("layout", False, str(error))
    return Finding("layout", True, str(Path(__file__).resolve().parents[1]))


def _torch() -> Finding:
    import torch

    return Finding("torch", True, f"{torch.__version__}, {torch.get_num_threads()} threads")


def _gpu() -> Finding:
    import torch

    if not torch.cuda.is_available():
        return Finding(
            "gpu", None, "none that torch can use; dinostream runs on the CPU",
        )  # fmt: skip
    gpus = map(torch.cuda.get_device_properties, range(torch.cuda.device_count()))
    told = ", ".join(f"{gpu.name} with {size_text(gpu.total_memory)}" for gpu in gpus)
    return Finding("gpu", True, f"{told}; CUDA {torch.version.cuda}")


def _attention() -> Finding:
    import torch

    from kernels.attention import attention_path
    from kernels.device import architecture, runs_triton
    from operators.backbones.architectures import ARCHITECTURES, DEMO_MODEL
    from operators.backbones.engines.fused_choice import fused_in_words as fused

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    path = attention_path(device, ARCHITECTURES[DEMO_MODEL].head_dim)
    wanted = device.type == "cuda" and path.name != "triton"
    remedy = "a C compiler and the triton that this torch asks for" if wanted else ""
    beside = f"; {fused(architecture(device))}" if runs_triton(device) else ""
    return Finding("attention", not wanted, f"{path.name}: {path.reason}{beside}", remedy)


def _backend() -> Finding:
    import torch

    from operators.backbones.engines import choice, swin_engine

    device, machine = torch.device("cuda" if torch.cuda.is_available() else "cpu"), this_machine()
    taken = choice.choose_engine("auto", device, machine).why
    try:
        asked = choice.choose_engine(choice.INT8, device, machine).why
    except UsageError as refused:
        asked = str(refused)
    return Finding("backend", None, f"{taken}. Or {asked}. {swin_engine.in_words(device)}")


def _codecs() -> Finding:
    from pipeline.media.codecs import codecs

    found = codecs()
    value, remedy = f"{found.version}: {', '.join(found.present)}", ""
    value += f"; decode: cuda: {found.card or 'can be asked for'}"
    if found.outdated:
        value += "; a file or camera that means harm may use holes that FFmpeg 9 has closed"
        remedy = "PyAV 19 or newer, for Python 3.12 or newer: rm -r .venv; make venv"
    if found.absent:
        value += f"; cannot decode {', '.join(found.absent)}"
        remedy = "an av wheel from the package index carries them all"
    return Finding("codecs", not found.absent, value, remedy)


def _weights() -> Finding:
    """Official files are fetched when they are asked for; the demo's are always there."""
    from operators.weights.cache import default_cache_dir
    from operators.weights.catalogue import BY_HAND, CATALOGUE

    cache = default_cache_dir()
    paths = sorted({cache / file.file_name for file in CATALOGUE})
    cached = [f"{path.name} {size_text(path.stat().st_size)}" for path in paths if path.is_file()]
    remedy = "" if cached else "dinostream weights fetch dinov2_vits14, or --weights demo"
    return Finding("weights", None, f"in {cache}: {', '.join(cached) or 'none'}; {BY_HAND}", remedy)


def _disk() -> Finding:
    from operators.weights.cache import default_cache_dir

    told = [f"{_free(default_cache_dir())} for weights", f"{_free(Path.cwd())} for results"]
    return Finding("disk", None, ", ".join(told))


def _spill(folder: Path | None) -> Finding:
    from pipeline.sinks.spill.folder import kept_here

    found = kept_here(folder)
    remedy = "a run with that sink sends it before anything else" if any(found.values()) else ""
    value = "; ".join(f"in {one}: {_kept(kept)}" for one, kept in found.items())
    return Finding("spill", None, value, remedy)


def _kept(kept: dict[str, int] | None) -> str:
    if kept is None:
        return "not known, this user cannot look there"
    return ", ".join(f"{size_text(size)} for {sink}" for sink, size in kept.items()) or "nothing"


def _free(folder: Path) -> str:
    there = next(one for one in (folder, *folder.parents) if one.exists())
    return f"{size_text(shutil.disk_usage(there).free)} free in {folder}"


def size_text(size_bytes: float) -> str:
    """In GiB or MiB, for a person."""
    unit = "GiB" if size_bytes >= 1 << 30 else "MiB"
    return f"{size_bytes / (1 << 30 if unit == 'GiB' else 1 << 20):.1f} {unit}"


def _capacity() -> Finding:
    """What a machine can take is measured, not guessed from its data sheet."""
    told = "frames per second are not guessed: dinostream bench replay measures them here"
    return Finding("capacity", None, told)


def _triton() -> Finding:
    remedy = "make venv (Linux only); without it attention runs torch SDPA"
    return distribution("triton", remedy)


def _compiler() -> Finding:
    found = next((path for name in ("cc", "gcc", "clang") if (path := shutil.which(name))), None)
    remedy = "" if found else "apt-get install gcc; Triton builds its launchers with it"
    return Finding("c compiler", found is not None, found or "none", remedy)


def _outside(family: Family) -> Finding:
    """The library of models that a user brings; nothing else needs it."""
    found = distribution("transformers", f"pip install '.[{family.extra}]'")
    use = f"for {family.purpose} {family.option}, with {family.title} weights of your own"
    return Finding(
        family.extra, found.present or None, f"transformers {found.value}, {use}", found.remedy
    )


def _java() -> Finding:
    said = _said(["java", "-version"])
    version = re.search(r'version "(?:1\.)?(\d+)', said)
    enough = version is not None and int(version[1]) >= 17
    remedy = "" if enough else "apt-get install openjdk-17-jre-headless (Kafka's tests only)"
    return Finding("java", enough, said.splitlines()[0] if said else "absent", remedy)


def _maven() -> Finding:
    path = shutil.which("mvn")
    remedy = "" if path else "apt-get install maven (Kafka's tests only)"
    return Finding("maven", path is not None, path or "absent", remedy)


def _rtsp_server() -> Finding:
    script = 'import gi; gi.require_version("GstRtspServer", "1.0")\n'
    script += "from gi.repository import GstRtspServer; print('there')"
    there = "there" in _said(["/usr/bin/python3", "-c", script])
    value = "GStreamer's, for tests" if there else "absent (tests of live streams only)"
    return Finding("rtsp server", there, value, "" if there else RTSP_SERVER)


_REQUIRED: dict[str, Callable[[], Finding]] = {
    "layout": _layout,
    "torch": _torch,
    "attention": _attention,
    "backend": _backend,
    "codecs": _codecs,
    "kafka client": lambda: distributions(
        "kafka client", "kafka-python", "crc32c", "lz4", "zstandard"
    ),
    "ray": lambda: distributions("ray", "ray"),
}
_OPTIONAL: dict[str, Callable[[], Finding]] = {
    "gpu": _gpu,
    "weights": _weights,
    "disk": _disk,
    "capacity": _capacity,
    "triton": _triton,
    "c compiler": _compiler,
    "java": _java,
    "maven": _maven,
    "rtsp server": _rtsp_server,
    **{family.extra: partial(_outside, family) for family in FAMILIES},
}


def _said(command: Sequence[str]) -> str:
    """What a program prints, "" where it cannot run."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_PROBE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (done.stdout + done.stderr).strip() if done.returncode == 0 else ""

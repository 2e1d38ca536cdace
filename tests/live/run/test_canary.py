"""A password in a camera's address is seen by that camera, and by nothing and nobody else."""

import base64
import os
import signal
from pathlib import Path
from urllib.parse import quote

import pytest

PASSWORD = "kanarie /vogel@7"
FORMS = (
    PASSWORD,
    quote(PASSWORD, safe=""),
    quote(PASSWORD),
    "kanarie",
    base64.b64encode(f"viewer:{PASSWORD}".encode()).decode(),
)


def leaked(data):
    """The forms of the password that some output holds."""
    return [form for form in FORMS if form.encode() in data]


def test_no_password_anywhere(camera, live_run, silent_port, refused_port, stalling):
    check(camera, live_run, silent_port, refused_port, stalling)


@pytest.mark.slow
def test_no_password_anywhere_on_ray(
    camera, live_run, silent_port, refused_port, stalling, short_folder
):
    """Not even when a decode actor dies, which is told, and it replaced."""

    def kill_and_interrupt(run):
        for pid, line in run.processes().items():
            if "DecodeActor" in line:
                os.kill(pid, signal.SIGKILL)
        run.until(lambda: run.told("open").count("started") == 2)
        logs = [path for path in short_folder.rglob("*") if path.is_file()]
        assert logs  # now: Ray's session goes with its job
        assert [path for path in logs if leaked(path.read_bytes())] == []
        run.ctrl_c()

    cameras = (camera, live_run, silent_port, refused_port, stalling)
    few = ("open", "wrong", "refused", "srt")  # a stream's trouble takes the same way from them all
    environ = {"RAY_TMPDIR": str(short_folder)}
    run = check(*cameras, names=few, runtime="ray", finish=kill_and_interrupt, **environ)
    run.until(lambda: not run.processes())
    assert run.told("open") == ["started", "crashed", "reconnected", "started", "ended"]
    assert "Traceback" not in run.stderr
    told = [line for line in run.stderr.splitlines() if " open: crashed: " in line]
    assert len(told) == 1, "what an actor logs is said here, and said once"
    assert "WARNING pipeline.engine.lane (engine 1): open: crashed: its decode actor" in told[0]


def terminate(run):
    run.signal(signal.SIGTERM)


def check(
    camera,
    live_run,
    silent_port,
    refused_port,
    stalling,
    names=None,
    runtime="inline",
    finish=terminate,
    **environ,
):
    """Every way to fail with a password in the address, or some, and one to succeed."""
    user = "viewer:${GATE_PASSWORD}@"
    open_gate, other = camera(password=PASSWORD), camera(password="another")
    urls = {
        "open": open_gate.url(userinfo=user),
        "wrong": other.url(userinfo=user),
        "absent": open_gate.url("/attic", userinfo=user),
        "mute": f"rtsp://{user}127.0.0.1:{silent_port}/cam",
        "refused": f"rtsp://{user}127.0.0.1:{refused_port}/cam",
        "nowhere": f"rtsp://{user}camera.invalid/cam",
        "stalls": f"http://{user}127.0.0.1:{stalling.port}/live.ts?token=${{GATE_PASSWORD}}",
        "httpless": f"http://{user}127.0.0.1:{open_gate.port}/cam",
        "srt": f"srt://127.0.0.1:{refused_port}?passphrase=${{GATE_PASSWORD}}",
    }
    urls = {name: urls[name] for name in names or urls}
    run = live_run(
        {
            "streams": {name: {"url": url} for name, url in urls.items()},
            "operators": {"embedding": {}},
            "runtime": runtime,
            "stall_s": 4.0,
        },
        "--debug",
        GATE_PASSWORD=quote(PASSWORD, safe=""),
        **environ,
    )
    lines = set()

    def all_failed():
        lines.update(run.processes().values())
        failed = all("disconnected" in run.told(name) for name in urls if name != "open")
        return failed and ("stalls" not in urls or "reconnected" in run.told("stalls"))

    run.until(all_failed)
    run.until(lambda: run.count("embedding", "open") > 10)
    finish(run)
    assert run.exit_code() == 0, run.stderr
    assert leaked(" ".join(lines).encode()) == []
    assert any("decode.child" in line for line in lines)
    written = [path for path in Path(run.folder).rglob("*") if path.is_file()]
    assert {"stdout", "stderr", "results.db"} <= {path.name for path in written}
    assert [path.name for path in written if leaked(path.read_bytes())] == []
    assert "disconnected" not in run.told("open")
    details = {name: run.events(name)[0].get("detail", "") for name in urls}
    words = {"wrong": "401", "absent": "404", "refused": "refused", "mute": "no answer"}
    for name in urls.keys() & words:
        assert words[name] in details[name]
    return run

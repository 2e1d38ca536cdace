"""`dinostream run` as a real process, with everything it says, writes and leaves behind."""

import contextlib
import fcntl
import itertools
import json
import os
import shutil
import signal
import sqlite3
import tempfile
import uuid
from pathlib import Path

import pytest

from pipeline.configuration.document import to_document
from tests.warm_start import WarmCommand

ROOT = Path(__file__).parents[3]
OPERATOR = Path(__file__).with_name("held.py")
MARK = "DINOSTREAM_TEST_RUN"


class Run:
    """`dinostream run` with everything it says and writes."""

    def __init__(self, folder, config, *arguments, options=(), environ, eventually):
        self.folder, self.database = folder, folder / "results.db"
        self._eventually = eventually
        values = {"model": "dinov2_vitti14", "weights": "random", "short_side": 56}
        values |= {"runtime": "inline", "sink": f"sqlite:{self.database}", "threads": 1}
        values |= {"max_age_s": 3600.0}  # a machine that is busy otherwise is no slow engine
        self._values = values | config
        self.configure()
        self._mark = uuid.uuid4().hex
        self.process = WarmCommand(
            [*arguments, "run", "live.yaml", *options],
            cwd=folder,
            environment={
                **os.environ,
                "PYTHONPATH": f"{ROOT}:{folder}",
                MARK: self._mark,
                **environ,
            },
            stdout=folder / "stdout",
            stderr=folder / "stderr",
        )

    def configure(self, **changes):
        """Put its configuration in its place, as an editor does."""
        self._values |= changes
        (self.folder / "live.yaml.new").write_text(to_document(self._values))
        (self.folder / "live.yaml.new").replace(self.folder / "live.yaml")

    @property
    def stdout(self):
        return (self.folder / "stdout").read_text()

    @property
    def stderr(self):
        return (self.folder / "stderr").read_text()

    def signal(self, number):
        self.process.send_signal(number)

    def ctrl_c(self):
        """What a terminal does: SIGINT to the whole foreground group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def exit_code(self):
        self.until(lambda: self.process.poll() is not None)
        return self.process.returncode

    def until(self, fact):
        return self._eventually(fact, about=lambda: f"{self.processes()}, stderr:\n{self.stderr}")

    def processes(self):
        """Everything it started that still runs, itself included: pid -> command line."""
        found = {} if self.process.poll() is not None else {self.process.pid: "dinostream run"}
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):  # gone, or not ours
                if f"{MARK}={self._mark}".encode() in (process / "environ").read_bytes():
                    command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    found[int(process.name)] = command
        return found

    def decoders(self):
        return [pid for pid, line in self.processes().items() if "decode.child" in line]

    def records(self, topic, stream):
        """(attributes, value) in order of publishing."""
        query = "SELECT headers, value FROM records WHERE topic=? AND key=? ORDER BY offset"
        rows = self._rows(query, topic, stream)
        return [(json.loads(headers), value) for headers, value in rows]

    def count(self, topic, stream):
        """How many there are; cheap enough to be asked again and again."""
        return len(self._rows("SELECT 1 FROM records WHERE topic=? AND key=?", topic, stream))

    def _rows(self, query, *values):
        if not self.database.exists():
            return []
        with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as db:
            try:
                return db.execute(query, values).fetchall()
            except sqlite3.OperationalError:  # no table yet
                return []

    def events(self, stream):
        return [json.loads(value) for _, value in self.records("events", stream)]

    def told(self, stream):
        """Kinds of events, in order; what is told again and again, once."""
        kinds = [event["kind"] for event in self.events(stream)]
        return [kind for kind, _ in itertools.groupby(kinds)]

    def close(self):
        for pid in self.processes():
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def short_folder():
    """A folder for Ray, whose sockets' paths must be short."""
    with tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture
def live_run(tmp_path, eventually):
    """Starts `dinostream run`; whatever is left of it is killed in the end."""
    runs = []

    def start(config, *arguments, options=(), **environ):
        state = str(tmp_path / "state")
        environ = {"OMP_NUM_THREADS": "1", "XDG_STATE_HOME": state, **environ}
        more = {"options": options, "environ": environ, "eventually": eventually}
        runs.append(Run(tmp_path, config, *arguments, **more))
        return runs[-1]

    yield start
    for run in runs:
        run.close()


class GateLock:
    """Holds up the operator `held:Held`."""

    def __init__(self, folder):
        self.folder = folder
        shutil.copy(OPERATOR, folder)
        self._lock = (folder / "lock").open("a")

    def hold(self):
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def release(self):
        fcntl.flock(self._lock, fcntl.LOCK_UN)

    def waited_for(self):
        """The operator has asked for the lock and did not get it."""
        asked, got = (self.folder / name for name in ("asked", "got"))
        return asked.stat().st_size > got.stat().st_size

    def close(self):
        self._lock.close()


@pytest.fixture
def gate_lock(tmp_path):
    lock = GateLock(tmp_path)
    yield lock
    lock.close()

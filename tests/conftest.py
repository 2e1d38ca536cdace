"""What tests of every package share: real clips that lie beside a checkout, a real Kafka broker."""

from __future__ import annotations

import fcntl
import gc
import itertools
import os
import random
import re
import shutil
import signal
import socket
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import pipeline.secrets
from benchmarks.broker_trial.node import Node
from tests.browser import Browser, Tab, chromium

if TYPE_CHECKING:
    from benchmarks.broker_trial.brokers import Brokers

# Test processes share the cores: threads that spin while they wait would take them from those that
# work. OpenMP reads this when torch is first imported, which is after this line.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

SHARED = Path(os.environ.get("DINOSTREAM_SHARED", Path(__file__).parents[2] / "shared"))
MEDIA = SHARED / "media"
SLOW_ROOMS = {
    Path(__file__).parent / room
    for room in (
        "benchmarks",
        "live",
        "pipeline/bench",
        "pipeline/calibrate",
        "pipeline/demo",
        "pipeline/end_to_end",
        "pipeline/runtime",
        "pipeline/sinks/kafka",
        "pipeline/view/browser",
    )
}
FAILED = pytest.StashKey[bool]()


def pytest_configure() -> None:
    """Let Ctrl-C reach what tests start: a shell ignores it for its background jobs, and a process
    that was born ignoring a signal goes on doing so."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    gc.disable()  # until all is imported and collected, which stays


def pytest_collection_finish() -> None:
    """Keep modules and tests out of every later garbage collection: an eighth of the inner loop."""
    gc.freeze()
    gc.enable()


def pytest_unconfigure() -> None:
    """A process that ends takes what is frozen for leaks."""
    gc.unfreeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where whole processes are at work, every test is slow."""
    slow = {path: not SLOW_ROOMS.isdisjoint(path.parents) for path in {one.path for one in items}}
    for item in items:
        if slow[item.path]:
            item.add_marker("slow")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Workers send what a test logged as UTF-8, which names of files in a log need not be."""
    report = yield
    item.stash[FAILED] = report.failed
    report.sections = [
        (name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections
    ]
    return report


@pytest.fixture(autouse=True)
def _what_it_met_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets are remembered by the process, and one test's must not be hidden in another's text:
    a token of sixteen x's was masked in a name of three hundred."""
    known = {begin: set(forms) for begin, forms in pipeline.secrets._known.items()}
    monkeypatch.setattr(pipeline.secrets, "_known", known)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder with `media` and `tools`; DINOSTREAM_SHARED names it."""
    if not SHARED.is_dir():
        pytest.skip(f"nothing shared at {SHARED}; DINOSTREAM_SHARED names the folder")
    return SHARED


@pytest.fixture(scope="session")
def shared_media() -> Path:
    """Folder with `videos` and `corrupt`, real clips; DINOSTREAM_SHARED names its parent."""
    if not MEDIA.is_dir():
        pytest.skip(
            f"no real clips at {MEDIA}; DINOSTREAM_SHARED names the folder that holds media"
        )
    return MEDIA


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`clip` is each real video, `broken_clip` each broken one."""
    for name, folder in (("clip", "videos"), ("broken_clip", "corrupt")):
        if name in metafunc.fixturenames:
            files = sorted((MEDIA / folder).glob("*"))
            absent = pytest.param(None, marks=pytest.mark.skip(f"no real clips at {MEDIA}"))
            names = [path.name for path in files] or ["none"]
            # Session scope runs the tests of one clip after each other: what one decoded is cached.
            metafunc.parametrize(name, files or [absent], ids=names, scope="session")


@pytest.fixture(scope="session")
def spare_ports() -> Callable[[int], list[int]]:
    """`spare_ports(3)`: so many in a row, of this worker alone, for what will listen on them later.

    Any that is free now would not do: it lies where outgoing connections get theirs from, and a
    neighbour's may have it by then.
    """
    first = 12_000 + 1000 * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 8)
    room = itertools.cycle(range(first, first + 1000))
    for _ in range(random.randrange(1000)):  # another run's workers have the same
        next(room)

    def take(count: int) -> list[int]:
        ports = [next(room) for _ in range(count)]
        while not all(map(_is_free, ports)) or ports[-1] - ports[0] != count - 1:
            ports = [*ports[1:], next(room)]
        return ports

    return take


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.fixture(scope="session")
def kafka_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A broker for all tests of a run, in all workers: the first starts it, the last stops it.

    Use a topic prefix of your own (`kafka_uri`), and leave the broker as it is.
    """
    _require_kafka()
    base = tmp_path_factory.getbasetemp()
    root = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    broker = Node(root / "kafka")
    with _users(root, +1):
        broker.start()
    yield broker
    with _users(root, -1) as left:
        if not left:
            broker.stop()


@pytest.fixture
def kafka_uri(kafka_broker: Node, request: pytest.FixtureRequest) -> str:
    """A sink of this test's own on the shared broker."""
    prefix = f"{request.node.name[:60]}.{os.getpid()}".translate(str.maketrans("[]/: ", "-----"))
    return f"{kafka_broker.uri}?topic_prefix={prefix}"


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[Node]:
    """A broker that a test may freeze, kill and start again; not started yet."""
    with _mortal_broker(tmp_path / "kafka") as broker:
        yield broker


@pytest.fixture(scope="module")
def cold_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """One for all tests of a module, which start it as they want it."""
    with _mortal_broker(tmp_path_factory.mktemp("cold") / "kafka") as broker:
        yield broker


@pytest.fixture(scope="module")
def mortal_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """The same for all tests of a module, each of which leaves it alive; started."""
    with _mortal_broker(tmp_path_factory.mktemp("mortal") / "kafka") as broker:
        broker.start()
        yield broker


@pytest.fixture
def three_brokers(tmp_path: Path, spare_ports: Callable[[int], list[int]]) -> Iterator[Brokers]:
    """A cluster of three, not started yet."""
    _require_kafka()
    from benchmarks.broker_trial.brokers import NODES, Brokers  # and Kafka's client with them

    brokers = Brokers(tmp_path, spare_ports(2 * NODES))
    yield brokers
    brokers.end()
    gc.collect()


@contextmanager
def _mortal_broker(folder: Path) -> Iterator[Node]:
    _require_kafka()
    broker = Node(folder)
    yield broker
    broker.end()
    gc.collect()  # what clients leave is warned of here, and not in some later test


@pytest.fixture(scope="session")
def _browser() -> Iterator[Browser]:
    browser = Browser(_require_browser())
    yield browser
    browser.close()


@pytest.fixture
def look(_browser: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[..., Tab]]:
    """`look(url)`: a window of a real browser there. What it should not have done fails the test,
    and of a test that fails a picture and a trace are kept."""
    tabs: list[Tab] = []
    with _browser.held(), ExitStack() as stack:

        def made(url: str, **options: Any) -> Tab:
            tabs.append(stack.enter_context(_browser.tab(url, **options)))
            return tabs[-1]

        yield made
        faults = [fault for tab in tabs for fault in tab.unexcused()]
        if faults or request.node.stash.get(FAILED, False):
            for number, tab in enumerate(tabs):
                tab.keep(re.sub(r"[^\w.-]+", "-", f"{request.node.name}-{number}"))
        assert faults == []


def _require_browser() -> str:
    """Where it is. Without it: a failure where a browser is required, else a skip."""
    path = chromium()
    missing = [] if path else ["Chromium (Debian: apt-get install chromium fonts-dejavu-core)"]
    if not find_spec("playwright"):
        missing.append("Playwright (pip install playwright axe-playwright-python)")
    if missing:
        reason = f"no browser without {' and '.join(missing)}"
        (pytest.fail if os.environ.get("REQUIRE_BROWSER") == "1" else pytest.skip)(reason)
    return path


def _require_kafka() -> None:
    """Without Java and Maven: a failure where a broker is required, else a skip."""
    missing = [tool for tool in ("java", "mvn") if not shutil.which(tool)]
    if missing:
        reason = f"no real Kafka broker without {' and '.join(missing)}"
        (pytest.fail if os.environ.get("REQUIRE_KAFKA") == "1" else pytest.skip)(reason)


@contextmanager
def _users(root: Path, change: int) -> Iterator[int]:
    """How many workers use the broker, from now on; others wait while the block runs."""
    with (root / "kafka.lock").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        left = int(file.read() or 0) + change
        yield left
        file.seek(0)
        file.truncate()
        file.write(str(left))

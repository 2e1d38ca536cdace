"""What is wrong with the nodes of a cluster: what each said, beside the driver and the others.

Facts in -> findings out, what is wrong first. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pipeline.doctor import size_text
from pipeline.runtime.examination import (
    COMPUTES,
    FILES,
    LAYOUT,
    OPERATORS,
    SINK,
    Examination,
    FoundFile,
)
from pipeline.runtime.node_report import (
    Clock,
    ClusterReport,
    Driver,
    Finding,
    Node,
    NodeReport,
    Seen,
    State,
)
from pipeline.runtime.visitor import CODE, Versions
from pipeline.secrets import mask

WARN_S, WRONG_S = 0.1, 1.0  # of a clock that differs from the driver's
SAME_IMAGE = "install the same on every node, from one image or one constraints.txt"
SAME_KIND = "give the job nodes of one kind: an engine that comes up on another ends it"
SYNCHRONISE = "synchronise its clock (chrony, systemd-timesyncd): records of live streams take it"
CARRY = "give it to the driver, from which it reaches every engine; or put it there on every node"
_ORDER: tuple[State, ...] = ("wrong", "warning", "ok", "told")


@dataclass(frozen=True, slots=True)
class _Usual:
    """What nodes that engines may come to are compared with."""

    nodes: Collection[str]
    computes: str
    files: Mapping[str, str]  # key -> sha256
    carried: Collection[str]  # keys of those that come from the driver


def judged(seen: Sequence[Seen], driver: Driver) -> ClusterReport:
    """What all of it comes to."""
    usual = _usual(seen, driver)
    nodes = [NodeReport(one.node, _sorted(_findings(one, driver, usual))) for one in seen]
    nodes.sort(key=lambda report: _ORDER.index(report.worst))
    return ClusterReport(_sorted(_of_driver(driver)), nodes)


def other_code(versions: Versions, driver: Driver) -> bool:
    """Whether a node has another dinostream, whose word of itself would be of no use."""
    return versions[CODE] != driver.versions[CODE]


def _usual(seen: Sequence[Seen], driver: Driver) -> _Usual:
    nodes = _computing([one.node for one in seen], driver)
    looked = [one.examination for one in seen if one.examination and one.node.id in nodes]
    files = {key: file.sha256 for key, file in (driver.files or {}).items()}
    return _Usual(
        nodes,
        _most_common(one.computes for one in looked),
        {
            key: sha256 or _most_common(one.files[key].sha256 for one in looked if one.files)
            for key, sha256 in files.items()
        },
        {key for key, sha256 in files.items() if sha256},
    )


def _computing(nodes: Sequence[Node], driver: Driver) -> set[str]:
    """Where engines go: to GPUs where there are some, else where CPUs are, else anywhere."""
    gpus = {node.id for node in nodes if node.gpus} if driver.engines_on_gpus else set()
    return gpus or {node.id for node in nodes if node.cpus} or {node.id for node in nodes}


def _most_common(values: Iterable[str | None]) -> str:
    known = Counter(value for value in values if value)
    return known.most_common(1)[0][0] if known else ""


def _sorted(findings: Iterable[Finding]) -> list[Finding]:
    """The worst first; nodes know no secret by its value, so none is masked before this."""
    masked = [replace(one, value=mask(one.value)) for one in findings]
    return sorted(masked, key=lambda one: _ORDER.index(one.state))


def _of_driver(driver: Driver) -> Iterator[Finding]:
    yield Finding("versions", "told", _text(driver.versions))
    for key, file in (driver.files or {}).items():
        told = f"sha256 {file.sha256[:12]}" if file.sha256 else "not here; engines need their own"
        yield Finding(key, "told", f"{file.path}: {told}")
    if driver.sink_trouble:
        yield Finding("sink", "wrong", driver.sink_trouble)
    elif driver.sink:
        yield Finding("sink", "ok", driver.sink)


def _findings(seen: Seen, driver: Driver, usual: _Usual) -> Iterator[Finding]:
    if seen.failure:
        log = "its own logs say more: raylet.err and worker-*.err below /tmp/ray/session_latest"
        yield Finding("answer", "wrong", seen.failure, log)
    if seen.versions:
        yield _versions(seen.versions, driver)
    if seen.clock:
        yield _clock(seen.clock)
    if seen.examination:
        yield from _examined(seen.node, seen.examination, driver, usual)


def _versions(versions: Versions, driver: Driver) -> Finding:
    differing = [
        f"{name} {versions[name] or 'absent'}, the driver has {ours or 'none'}"
        for name, ours in driver.versions.items()
        if _public(versions[name]) != _public(ours)
    ]
    if not differing:
        return Finding("versions", "ok", _text(versions))
    if other_code(versions, driver):
        differing.append("nothing else was looked at, for its dinostream is not the driver's")
    return Finding("versions", "wrong", "; ".join(differing), SAME_IMAGE)


def _text(versions: Versions) -> str:
    return ", ".join(f"{name} {version or 'absent'}" for name, version in versions.items())


def _public(version: str | None) -> str | None:
    """Without what tells torch's builds for CPUs and GPUs apart, of which a driver has either."""
    return version and version.partition("+")[0]


def _clock(clock: Clock) -> Finding:
    way = "ahead of" if clock.ahead_s >= 0 else "behind"
    value = f"{_duration(clock.ahead_s)} {way} the driver's, within {_duration(clock.uncertain_s)}"
    if clock.wrong_s >= WRONG_S:
        return Finding("clock", "wrong", value, SYNCHRONISE)
    if clock.wrong_s >= WARN_S:
        return Finding("clock", "warning", value, SYNCHRONISE)
    return Finding("clock", "ok" if clock.uncertain_s < WARN_S else "told", value)


def _duration(seconds: float) -> str:
    return f"{abs(seconds) * 1e3:.1f} ms" if abs(seconds) < 1 else f"{abs(seconds):.3f} s"


def _examined(node: Node, found: Examination, driver: Driver, usual: _Usual) -> Iterator[Finding]:
    wrong = found.trouble.get(LAYOUT)
    yield Finding("layout", "wrong" if wrong else "ok", wrong or found.folder)
    yield _machine(node, found)
    yield _computes(node, found, usual)
    if driver.files is None:
        return
    if node.id in usual.nodes:
        if OPERATORS in found.trouble:
            yield Finding("operators", "wrong", found.trouble[OPERATORS])
        yield from _files(found, usual)
    yield _sink(found)


def _machine(node: Node, found: Examination) -> Finding:
    machine, shared = found.machine, found.shared_memory_bytes
    memory = size_text(machine.memory_bytes) if machine.memory_bytes else "memory unknown"
    shm = f"/dev/shm {size_text(shared)}" if shared is not None else "no /dev/shm"
    value = f"{machine.cores} cores, {memory}, {shm}; {machine.cpu}"
    if (shared or 0) < node.object_store_bytes:
        wanted = size_text(node.object_store_bytes)
        remedy = f"{wanted} of it (--shm-size, shm_size), else Ray keeps chunks of frames on disk"
        return Finding("machine", "warning", value, remedy)
    return Finding("machine", "told", value)


def _computes(node: Node, found: Examination, usual: _Usual) -> Finding:
    value = ", ".join([found.computes, *found.gpus])
    if COMPUTES in found.trouble:
        return Finding("computes", "wrong", found.trouble[COMPUTES], SAME_IMAGE)
    if node.gpus and not found.gpus:
        gpus = f"Ray lends {node.gpus:g} GPUs here and torch can use none: {value}"
        return Finding("computes", "wrong", gpus, "NVIDIA's driver, and a torch with CUDA")
    if node.id not in usual.nodes:
        return Finding("computes", "told", f"no engine comes here: {value}")
    if found.computes != usual.computes:
        otherwise = f"{value}; most nodes compute by {usual.computes}"
        return Finding("computes", "wrong", otherwise, SAME_KIND)
    return Finding("computes", "ok", value)


def _files(found: Examination, usual: _Usual) -> Iterator[Finding]:
    if FILES in found.trouble:
        yield Finding("weights", "wrong", found.trouble[FILES])
    for key, file in found.files.items():
        yield _file(key, file, usual)


def _file(key: str, file: FoundFile, usual: _Usual) -> Finding:
    """An engine takes the driver's; an official one as it lies in its own cache, where it does."""
    official = file.official
    wanted = (official.sha256 if official else None) or usual.files[key]
    if key in usual.carried and not (official and file.sha256):
        return Finding(key, "ok", f"comes from the driver: sha256 {usual.files[key][:12]}")
    if file.sha256 is None:
        if official is None:
            return Finding(key, "wrong", f"{file.path}: no such file", CARRY)
        head = f" --head {official.purpose}={official.head}" if official.head else ""
        remedy = f"an engine fetches it; before that: dinostream weights fetch {official.model}"
        return Finding(key, "warning", f"{file.path}: not there yet", f"{remedy}{head}")
    if file.sha256 != wanted:
        differs = f"{file.path}: sha256 {file.sha256}, elsewhere {wanted}"
        return Finding(key, "wrong", differs, "delete it there" if official else CARRY)
    return Finding(key, "ok", f"{file.path}: sha256 {file.sha256[:12]}")


def _sink(found: Examination) -> Finding:
    if SINK in found.trouble:
        remedy = "its own network: name resolution, firewall, the broker's advertised.listeners"
        return Finding("sink", "wrong", found.trouble[SINK], remedy)
    return Finding("sink", "ok" if found.sink else "told", found.sink or "with the driver")

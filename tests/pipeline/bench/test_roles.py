"""Who of a job's processes is what, and what they took between two looks."""

from __future__ import annotations

from pipeline.bench.roles import cpu_by_role, memory_by_role, role_of, roles_of, store_bytes
from pipeline.bench.tree import Usage

BEFORE = {1: Usage("python -m x", 1.0, 10, 1), 2: Usage("ray::NullEngineActor.run", 2.0, 20, 2)}
AFTER = {
    1: Usage("python -m x", 1.5, 11, 1),
    2: Usage("ray::NullEngineActor", 4.0, 21, 2),
    3: Usage("ray::NullDecodeActor.exchange", 0.25, 30, 3),
    4: Usage("ray::NullDecodeActor", 0.5, 30, 3),
    5: Usage("/x/ray/core/src/ray/raylet/raylet --raylet_socket_name=y", 1.0, 5, 700),
}


def test_what_a_command_line_says() -> None:
    assert role_of("ray::SinkActor.commit") == "sink"
    assert role_of("python -P -m pipeline.bench.switchboard 5") == "cameras"
    assert role_of("/x/gcs_server --raylet_name=z") == role_of("ray::IDLE") == "ray"


def test_the_first_process_is_the_driver_or_all_of_an_inline_run() -> None:
    assert roles_of(AFTER, 1, "ray")[1] == "driver"
    assert roles_of(AFTER, 1, "inline")[1] == "engine"


def test_sums_by_role() -> None:
    roles = roles_of(AFTER, 1, "ray")
    spent = {"driver": 0.5, "engine": 2.0, "decode": 0.75, "store": 1.0}
    assert cpu_by_role(BEFORE, AFTER, roles) == spent
    assert memory_by_role(AFTER, roles) == {"driver": 11, "engine": 21, "decode": 60, "store": 5}
    assert store_bytes(AFTER, roles) == 700

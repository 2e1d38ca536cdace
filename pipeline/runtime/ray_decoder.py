"""The actor that decodes: a thin shell over DecodeHost, and how an engine starts some."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import count

import ray
from ray.actor import ActorHandle

from pipeline.decode.descriptors import allow_many_descriptors
from pipeline.decode.host import DecodeHost
from pipeline.doctor import check_layout
from pipeline.logs import set_up_kept_logging
from pipeline.runtime.ray_nodes import Nodes
from pipeline.runtime.ray_room import Ask, Need, decoder_options
from pipeline.stream.chunk import Chunk
from pipeline.stream.spec import StreamSpec


class DecodeActor:
    """Hosts the decoders of some streams."""

    def __init__(self, name: str = "decoder", level: str = "info") -> None:
        """
        Args:
            name: of this actor, in logs.
            level: that it logs from.
        """
        self._logs = set_up_kept_logging(level, name)
        check_layout()
        allow_many_descriptors()
        self._host = self._new_host()

    def _new_host(self) -> DecodeHost:
        return DecodeHost()

    def open(self, spec: StreamSpec) -> None:
        self._host.open(spec)

    def exchange(self, wanted: Sequence[str], timeout_s: float) -> Chunk:
        """Ask for the next chunks of `wanted`; give what has arrived of any stream by then."""
        for stream in wanted:
            self._host.request(stream)
        chunks = self._host.wait(timeout_s)
        entries = tuple(entry for chunk in chunks for entry in chunk.entries)
        return Chunk(entries, time.monotonic(), self._logs.take())

    def stop(self, stream: str) -> None:
        self._host.stop(stream)


def decoders(
    kind: type[DecodeActor], need: Need, engine: Ask, name: str, level: str, *, wait: bool
) -> Callable[[], ActorHandle]:
    """Starts decode actors of the engine that this is. Each has a number of its own, be it another
    one's successor."""
    here, nodes = ray.get_runtime_context().get_node_id(), Nodes()
    if engine.apart:
        nodes.begin()
    # Made once: Ray tells the head of every new one, which may be away when a decoder is lost.
    new = ray.remote(kind)
    number = count(1)

    def start() -> ActorHandle:
        options = decoder_options(need, engine, here, nodes.now, wait=wait)
        return new.options(**options).remote(f"{name} decoder {next(number)}", level)

    return start

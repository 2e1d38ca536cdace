"""Ray's actors for frames that nobody decodes and no model sees; all else of them is the real one.

The engine's module loads torch, which no decode actor needs: hence imports inside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.bench.rack import Rack
from pipeline.decode.host import DecodeHost
from pipeline.runtime.ray_decoder import DecodeActor
from pipeline.runtime.ray_engine_actor import EngineActor

if TYPE_CHECKING:
    from pipeline.engine.assembly import Assembly


class NullDecodeActor(DecodeActor):
    """Its decode processes are a rack's."""

    def _new_host(self) -> DecodeHost:
        self._rack = Rack()
        return DecodeHost(launch=self._rack.launch)


class NullEngineActor(EngineActor):
    """Computes nothing."""

    decode_actor = NullDecodeActor

    def _build(self) -> Assembly:
        from pipeline.bench.null_model import null_assembly

        return null_assembly(self._config)

"""What another thread sees of a run in this process."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from operators.errors import UsageError
from pipeline.configuration.config import Config, StreamConfig
from pipeline.configuration.resolve import resolve
from pipeline.configuration.streams import stream_spec
from pipeline.engine.assembly import assemble
from pipeline.engine.tally import Tally
from pipeline.runtime.inline import InlineRun


def test_a_tally_that_was_read_does_not_change() -> None:
    run = InlineRun(Config(), [], fresh=False, tell=lambda identity: None)
    assert run.tally == Tally()
    counted = Tally()
    run._shard = SimpleNamespace(tally=counted)  # type: ignore[assignment]
    before = run.tally
    counted.frames += 5
    counted.shares["a"] = 0.5
    counted.records["depth"] += 1
    assert before == Tally()
    assert run.tally == counted


def test_a_stream_on_which_nothing_runs_ends_no_run_however_early_it_comes(tmp_path) -> None:
    values = {"model": "dinov2_vitti14", "weights": "demo", "short_side": 56}
    values |= {"operators": {"embedding": {}, "classify": {}}, "runtime": "inline"}
    config = resolve(None, values | {"sink": f"sqlite:{tmp_path / 'results.db'}"})
    own = StreamConfig(url="synthetic:world?seed=1&seconds=1", operators=("classify",))
    headless = stream_spec(config, "headless", own, live=True)

    def build(config):
        run.check(headless)
        with pytest.raises(UsageError, match="not at work yet"):
            run.add([headless])
        return assemble(config)

    def tell(identity):
        told.append(identity)

    told: list[object] = []
    run = InlineRun(config, [], fresh=False, tell=tell, build=build)
    assert run.run().outcomes == []
    assert len(told) == 1
    for refuse in (run.check, lambda spec: run.add([spec])):
        with pytest.raises(UsageError, match="none of classify runs without a head"):
            refuse(headless)

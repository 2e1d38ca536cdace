"""`dinostream eval`: how good a head is on data with truths, with intervals and pictures."""

from __future__ import annotations

import importlib

import click

_MODULES = {
    "segmentation": "pipeline.cli.eval_maps",
    "depth": "pipeline.cli.eval_maps",
    "detect": "pipeline.cli.eval_maps",
    "action": "pipeline.cli.eval_vectors",
    "classify": "pipeline.cli.eval_vectors",
    "anomaly": "pipeline.cli.eval_anomaly",
    "retrieval": "pipeline.cli.eval_retrieval",
    "compare": "pipeline.cli.eval_compare",
}


class EvalGroup(click.Group):
    """Imports a task's module when it is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _MODULES:
            return None
        found: click.Command = getattr(importlib.import_module(_MODULES[cmd_name]), cmd_name)
        return found


@click.group(
    "eval",
    cls=EvalGroup,
    epilog="Example: dinostream eval depth --head depth.safetensors --images held-out "
    "--depth maps --out results/eval",
)
def command() -> None:
    """Measure a head on data that it was not trained on."""

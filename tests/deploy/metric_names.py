"""Every sample that a job's /metrics may hold, read off the code that declares them."""

import ast
import re
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "pipeline" / "control" / "metrics.py"
SUFFIXES = {"Counter": ("_total",), "Histogram": ("_bucket", "_sum", "_count"), "": ("",)}
ADDED = {"instance", "job", "le"}  # by Prometheus itself


@cache
def declared():
    """Name of a sample -> its labels."""
    samples = {}
    for call in ast.walk(ast.parse(SOURCE.read_text())):
        if not (
            isinstance(call, ast.Call) and call.args and isinstance(call.args[0], ast.Constant)
        ):
            continue
        name = call.args[0].value
        if not (isinstance(name, str) and name.startswith("dinostream_")):
            continue
        kind = next(kind for kind in SUFFIXES if kind in ast.unparse(call.func))
        labels = {
            label
            for keyword in call.keywords
            if keyword.arg == "labels"
            for label in ast.literal_eval(keyword.value)
        }
        samples |= {name + suffix: labels for suffix in SUFFIXES[kind]}
    return samples


def named(expression):
    """Samples of ours that an expression of PromQL names -> labels that it asks them for."""
    asked = {}
    for name, matchers in re.findall(r"(dinostream_\w+)(?:\{([^}]*)\})?", expression):
        asked.setdefault(name, set()).update(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers))
    return asked


def strangers(expression):
    """What an expression names and no job will ever tell."""
    known = declared()
    found = {name for name in named(expression) if name not in known}
    for name, labels in named(expression).items():
        found |= labels - ADDED - known.get(name, set())
    for labels in re.findall(r"\b(?:by|on|without|ignoring)\s*\(([^)]*)\)", expression):
        all_labels = ADDED.union(*known.values())
        found |= {one.strip() for one in labels.split(",")} - all_labels
    return found

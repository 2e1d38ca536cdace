"""Holds our backbone and heads to upstream's own code on upstream's own files.

    python -m benchmarks.verify_official [CLIP...] [--model dinov2_vits14] [--page docs/official.md]

Needs the internet: official files (several hundred MB), upstream's code through torch.hub. Clips
in, three rendered ones if none -> a page of differences out; exit code 1 if one is too large.
"""

import argparse
import platform
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from operators.backbones.architectures import ARCHITECTURES, architecture
from operators.backbones.backbone import Backbone
from operators.backbones.loaded import LoadedBackbone
from operators.backbones.preprocess import normalise
from operators.frames import Features, FrameBatch
from operators.registry import build_operator
from operators.weights.load import load_backbone
from pipeline.configuration.resolve import resolve
from pipeline.configuration.streams import stream_specs
from pipeline.decode.once import decoded
from pipeline.stream.chunk import Frames

UPSTREAM = "facebookresearch/dinov2:b8931f7bf91576930313be2c6d6af376033b35f0"
RENDERED = [f"synthetic:room?seed={seed}&seconds=2&fps=5&size=640x360" for seed in (1, 2, 3)]
FRAMES_PER_CLIP = 4
MAP_SCALE = 4

Hub = Callable[..., Any]
"""`hub(entry, **options)` -> upstream's model with its own weights."""
Numbers = Callable[[FrameBatch], NDArray[np.float32]]
"""What a model computes of a batch."""


@dataclass(frozen=True, slots=True)
class Check:
    """One head beside upstream's entry for it; no operator: the backbone's own class token."""

    entry: str
    allowed: float
    operator: str = ""
    head: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check gave: the largest difference between any two numbers."""

    name: str
    sha256: str
    numbers: int
    largest: float
    allowed: float

    @property
    def agrees(self) -> bool:
        """Also false where something is no number."""
        return self.largest <= self.allowed


def checks(model: str) -> list[Check]:
    """Everything that upstream's hub offers for a model; depth in metres, the rest as it is."""
    found = [Check("", 1e-3)]
    for layers, number in ((1, ""), (4, "4")):
        head = f"imagenet-linear{number}"
        found.append(Check("_lc", 1e-3, "classify", head, {"layers": layers}))
    if ARCHITECTURES[model].registers:
        return found
    for domain in ("nyu", "kitti"):
        weights = {"weights": domain.upper()}
        for layers, number in ((1, ""), (4, "4")):
            options = weights | {"layers": layers}
            found.append(Check("_ld", 1e-2, "depth", f"{domain}-linear{number}", options))
        found.append(Check("_dd", 1e-2, "depth", f"{domain}-dpt", weights))
    return found


def frames(sources: Sequence[str], short_side: int) -> Iterator[FrameBatch]:
    """The first frames of every clip, as a replay would see them."""
    config = resolve(None, {"sources": list(sources), "short_side": short_side})
    for spec in stream_specs(config, live=False):
        for entry in decoded(spec):
            if isinstance(entry, Frames):
                few = slice(FRAMES_PER_CLIP)
                yield FrameBatch(entry.infos[few], entry.pixels[few])
                break
        else:
            raise SystemExit(f"{spec.url}: holds no frame that can be decoded")


@contextmanager
def ours(
    check: Check, loaded: LoadedBackbone, cache_dir: Path | None
) -> Iterator[tuple[str, Numbers]]:
    """The sha256 of the weights checked, and what computes their numbers of a batch."""
    if not check.operator:
        with closing(Backbone(loaded, batch_size=FRAMES_PER_CLIP)) as backbone:
            yield loaded.sha256, lambda batch: backbone(batch).cls[: len(batch.infos)].numpy()
        return
    settings = {"map_scale": MAP_SCALE} if check.operator == "depth" else {}
    operator: Any = build_operator(
        check.operator,
        settings,
        architecture=loaded.model.architecture,
        backbone_sha256=loaded.sha256,
        head=check.head,
        cache_dir=cache_dir,
    )
    read: Callable[[Features, slice], Tensor] = getattr(operator, "metres", None) or operator.logits
    with closing(Backbone(loaded, blocks=operator.layers, batch_size=FRAMES_PER_CLIP)) as backbone:

        def numbers(batch: FrameBatch) -> NDArray[np.float32]:
            features = backbone(batch)
            rows = [slice(row, row + 1) for row in range(len(batch.infos))]  # as a CPU computes
            return torch.cat([read(features, row) for row in rows]).numpy()

        yield operator.head_sha256, numbers


def theirs(check: Check, model: str, hub: Hub) -> Numbers:
    """What upstream computes of a batch, at the size that we publish."""
    upstream = hub(f"{model}{check.entry}", **check.options).eval()
    if check.entry == "_ld":  # at this commit the range of linear heads is fixed to KITTI's
        upstream.decode_head.max_depth = 10.0 if check.head.startswith("nyu") else 80.0

    @torch.inference_mode()
    def numbers(batch: FrameBatch) -> NDArray[np.float32]:
        pixels = normalise(torch.from_numpy(batch.pixels.copy()), torch.float32)
        if check.operator != "depth":
            return upstream(pixels).numpy()
        size = [side // 14 * MAP_SCALE for side in pixels.shape[2:]]
        return upstream.encode_decode(pixels, None, size=size)[:, 0].numpy()

    return numbers


def compare(
    check: Check, sha256: str, pairs: Sequence[tuple[NDArray[np.float32], NDArray[np.float32]]]
) -> Finding:
    """The largest difference over all batches; infinite where something is no number.

    Raises:
        ValueError: the two do not have the same shape.
    """
    largest = 0.0
    for own, other in pairs:
        if own.shape != other.shape:
            raise ValueError(f"{check.head}: ours is {own.shape}, upstream's {other.shape}")
        gap = float(np.abs(own.astype(np.float64) - other).max())
        largest = max(largest, gap if np.isfinite(gap) else np.inf)
    name = f"{check.operator} {check.head}" if check.operator else "backbone, class token"
    numbers = sum(own.size for own, _ in pairs)
    return Finding(name, sha256, numbers, largest, check.allowed)


def page(model: str, sources: Sequence[str], findings: Sequence[Finding]) -> str:
    """docs/official.md."""
    rows = [
        f"| {one.name} | `{one.sha256[:12]}` | {one.numbers} | {one.largest:.1e} | {one.allowed:g} "
        f"| {'yes' if one.agrees else '**no**'} |"
        for one in findings
    ]
    clips = "\n".join(f"- `{Path(source).name}`" for source in sources)
    return f"""# Official weights, checked

Written by `make verify-official` on {datetime.now(UTC):%Y-%m-%d}, torch {torch.__version__},
{platform.machine()}, float32 on CPU. Ours beside upstream's code (`{UPSTREAM}`) through
torch.hub, on the same official files and the same pixels, `{model}`. Depth in metres, the rest in
the numbers that the head gives.

| what | sha256 of its weights | numbers | largest difference | allowed | agrees |
|---|---|---|---|---|---|
{chr(10).join(rows)}

Clips:

{clips}

torch.hub offers no segmentation heads and no Depth Anything V2; those are held to upstream's code
on seeded weights alone (tests/operators/data/head_goldens.md).
"""


def verify(
    model: str, sources: Sequence[str], hub: Hub, *, short_side: int, cache_dir: Path | None = None
) -> list[Finding]:
    """Every check of a model on every clip."""
    batches = list(frames(sources, short_side))
    loaded = load_backbone(architecture(model), "auto", cache_dir=cache_dir)
    findings = []
    for check in checks(model):
        other = theirs(check, model, hub)
        with ours(check, loaded, cache_dir) as (sha256, own):
            pairs = [(own(batch), other(batch)) for batch in batches]
        findings.append(compare(check, sha256, pairs))
        print(f"{findings[-1].name}: {findings[-1].largest:.1e}", flush=True)
    return findings


def upstream_hub(entry: str, **options: Any) -> Any:
    """Upstream's model by torch.hub, with its official weights."""
    return torch.hub.load(UPSTREAM, entry, trust_repo=True, skip_validation=True, **options)


def main() -> int:
    """Check, write the page, say whether all agree."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("clips", nargs="*", default=RENDERED)
    parser.add_argument("--model", default="dinov2_vits14", choices=sorted(ARCHITECTURES))
    parser.add_argument("--short-side", type=int, default=224)
    parser.add_argument("--page", type=Path, default=Path("docs/official.md"))
    said = parser.parse_args()
    findings = verify(said.model, said.clips, upstream_hub, short_side=said.short_side)
    said.page.write_text(page(said.model, said.clips, findings))
    print(f"written: {said.page}")
    return 0 if all(finding.agrees for finding in findings) else 1


if __name__ == "__main__":
    sys.exit(main())

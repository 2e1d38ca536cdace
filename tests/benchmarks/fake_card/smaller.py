"""What the parts of `benchmarks/gpu.sh` measure, made so small that a CPU has it in seconds."""

import importlib
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import ModuleType
from typing import Any


def made(name: str) -> ModuleType:
    """The module of a part, made smaller; its `main` does the part."""
    return {
        "kernels.bench": _kernels,
        "operators.bench": _backbone,
        "operators.bench.training_ladder": _ladder,
        "benchmarks.tune_attention": _tiles,
        "benchmarks.dpt_heads": _heads,
        "benchmarks.nvdec": _decoding,
    }[name]()


def _kernels() -> ModuleType:
    from kernels.bench import attention, attention_gate, backward, backward_gate, fused_race

    _draw_less(attention_gate, attention)
    attention.WORKLOADS = attention.WORKLOADS[:2]
    backward_gate.GATE_PACKS = backward_gate.GATE_PACKS[:1]
    backward.WORKLOADS = tuple(
        replace(one, lengths=(17, 17, 5), n_heads=2) for one in backward.WORKLOADS[:2]
    )
    every = fused_race.contests
    fused_race.contests = lambda dtype, device: [
        replace(contest, gate_shapes=contest.gate_shapes[:1], shapes=contest.gate_shapes[:1])
        for contest in every(dtype, device)
    ]
    return importlib.import_module("kernels.bench.__main__")


def _backbone() -> ModuleType:
    if "dinov2_vits14" not in sys.argv:  # slow to import, so it is there in one part of the four
        sys.modules["transformers"] = None
    from operators.backbones.architectures import ARCHITECTURES
    from operators.bench import arithmetic, backbone

    for name in ("dinov2_vits14", "dinov2_vitb14", "dinov2_vitl14", "dinov2_vitg14"):
        ARCHITECTURES[name] = replace(ARCHITECTURES[name], width=128, heads=2, depth=2)
    backbone.ON_GPU = ((28, 2), (28, 9))  # with and without compiled peers
    arithmetic._SIDE["cuda"] = 128
    return importlib.import_module("operators.bench.__main__")


def _ladder() -> ModuleType:
    from operators.backbones.architectures import ARCHITECTURES
    from operators.bench import training_ladder, training_student

    ARCHITECTURES["dinov2_vitl14"] = replace(
        ARCHITECTURES["dinov2_vitl14"], width=128, heads=2, depth=2
    )
    whole = training_student.Climb
    training_ladder.Climb = lambda **told: whole(
        **told | {"pictures": 1, "small": 1}, large_px=56, small_px=28
    )
    return training_ladder


def _tiles() -> ModuleType:
    from benchmarks import tune_attention
    from kernels.bench import attention_gate

    _draw_less(attention_gate)
    tune_attention.run_ahead = _in_this_process
    tune_attention.SHAPES = tune_attention.SHAPES[:2]
    tune_attention.CLASSES = tuple((most, ((2, 21, 2),)) for most, _ in tune_attention.CLASSES)
    return tune_attention


def _heads() -> ModuleType:
    from benchmarks import dpt_heads
    from operators.frames import Features

    Features.on_host = False  # so they go in slices
    dpt_heads.SIZES = ((28, 2),)
    return dpt_heads


def _decoding() -> ModuleType:
    """In software; streams are threads, because processes would ask for the card that is not."""
    import av

    from benchmarks import nvdec
    from pipeline.media import card

    card._opened = lambda codec: av.CodecContext.create(codec, "r")
    nvdec.ProcessPoolExecutor = lambda streams, mp_context, **more: ThreadPoolExecutor(
        streams, **more
    )
    nvdec.SIZE_HW, nvdec.FRAMES, nvdec.MOST_STREAMS = (180, 320), 50, 2
    return nvdec


def _draw_less(*modules: Any) -> None:
    """Projections of a few images, tokens and heads, whatever is asked for."""
    whole = modules[0].draw

    def draw(n_batch: int, n_tokens: int, n_heads: int, *more: Any) -> Any:
        return whole(min(n_batch, 3), min(n_tokens, 21), min(n_heads, 2), *more)

    for module in modules:
        module.draw = draw
    modules[0].run_ahead = _in_this_process


def _in_this_process(run: object, cases: object) -> int:
    """Nothing is done ahead: other processes would draw as much as ever."""
    return 0

"""A batch through a DPT decoder: in slices that are alike, within the memory that is stated."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn.functional import conv2d, conv_transpose2d, linear
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from operators.backbones.architectures import ARCHITECTURES, Architecture
from operators.backbones.precision import Precision
from operators.depth import dpt_rows
from operators.depth.dpt import Dpt
from operators.depth.dpt_layouts import DptLayout, depth_anything_dpt, dinov2_dpt
from operators.depth.dpt_rows import SLICE_BYTES, decoded, slice_rows
from operators.frames import Features, FrameInfo

SMALL = ARCHITECTURES["dinov2_vits14"]
EXACT = Precision.FLOAT32
LARGE = ARCHITECTURES["dinov2_vitl14"]
FAMILIES = [
    pytest.param(dinov2_dpt, SMALL, True, id="dinov2-s"),
    pytest.param(depth_anything_dpt, SMALL, False, id="depth-anything-s"),
    pytest.param(depth_anything_dpt, LARGE, False, id="depth-anything-l"),
]


def decoder(
    layout: Callable[[Architecture], DptLayout], arch: Architecture, readout: bool, seed: int = 0
) -> Dpt:
    """With weights under which every layer's numbers stay of one size."""
    draw = torch.Generator().manual_seed(seed)
    tensors = {}
    for name, place in layout(arch).items():
        fan_in = torch.Size(place.shape[1:]).numel()
        tensors[name] = torch.randn(place.shape, generator=draw) * fan_in**-0.5
    return Dpt(tensors, readout=readout, patch=arch.patch)


class Live(TorchDispatchMode):
    """The most bytes that what is computed has held at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.most = 0
        self._known: weakref.WeakSet[Any] = weakref.WeakSet()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        for one in tree_leaves((args, kwargs or {})):
            if isinstance(one, Tensor):
                self._known.add(one.untyped_storage())
        for one in tree_leaves(out):
            if isinstance(one, Tensor) and one.untyped_storage() not in self._known:
                self._count(one.untyped_storage())
        return out

    def _count(self, storage: torch.UntypedStorage) -> None:
        size = storage.nbytes()
        self._known.add(storage)
        self.now += size
        self.most = max(self.most, self.now)
        weakref.finalize(storage, self._free, size)

    def _free(self, size: int) -> None:
        self.now -= size


@dataclass(frozen=True, slots=True)
class OnCard(Features):
    """Features that say that they lie on a GPU."""

    @property
    def on_host(self) -> bool:
        return False


def batch(
    arch: Architecture, infos: Sequence[FrameInfo], rows: int, grid: tuple[int, int] = (3, 5)
) -> OnCard:
    """Rows that depend on their own number alone; the last ones are padding, another each time."""
    patches, cls = torch.empty(rows, *grid, arch.width), torch.empty(rows, arch.width)
    for row in range(rows):
        padding = 1000 * len(infos) if row >= len(infos) else 0
        draw = torch.Generator().manual_seed(row + padding)
        patches[row] = torch.randn(*grid, arch.width, generator=draw)
        cls[row] = torch.randn(arch.width, generator=draw)
    return OnCard(tuple(infos), cls, patches)


class Tf32(TorchFunctionMode):
    """A GPU's products in TF32: what is multiplied keeps ten bits behind the first."""

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        given = list(args)
        if func in (conv2d, conv_transpose2d, linear, torch.addmm):
            first = int(func is torch.addmm)
            given[first : first + 2] = map(self._rounded, given[first : first + 2])
        return func(*given, **(kwargs or {}))

    def _rounded(self, numbers: Tensor) -> Tensor:
        bits = numbers.contiguous().view(torch.int32)
        return ((bits + 0x0FFF + (bits >> 13 & 1)) & ~0x1FFF).view(torch.float32)


@pytest.mark.parametrize(("layout", "arch", "readout"), FAMILIES)
@pytest.mark.parametrize("grid", [(16, 16), (17, 29)], ids=str)
@pytest.mark.parametrize("precision", [EXACT, Precision.BFLOAT16], ids=str)
def test_frames_take_the_memory_that_is_said(
    layout: Callable[[Architecture], DptLayout],
    arch: Architecture,
    readout: bool,
    grid: tuple[int, int],
    precision: Precision,
) -> None:
    dpt, rows = decoder(layout, arch, readout), 3
    with FakeTensorMode(allow_non_fake_inputs=True), torch.inference_mode():
        read = [(torch.empty(rows, *grid, arch.width), torch.empty(rows, arch.width))] * 4
        dpt(read, precision)  # its weights are rounded the first time
        with Live() as live:
            dpt(read, precision)
    said = rows * dpt.row_bytes(grid, precision)
    assert 0.7 * said < live.most <= said


@pytest.mark.parametrize(
    ("batch_size", "row_bytes", "want"),
    [
        (64, SLICE_BYTES // 64, 64),
        (64, SLICE_BYTES // 63, 32),  # two alike, not 63 and one
        (64, SLICE_BYTES // 14, 13),
        (64, SLICE_BYTES, 1),
        (64, 3 * SLICE_BYTES, 1),
        (61, SLICE_BYTES // 16, 16),
        (1, 1, 1),
    ],
)
def test_slices_are_few_and_alike(batch_size: int, row_bytes: int, want: int) -> None:
    assert slice_rows(batch_size, row_bytes) == want


def test_a_batch_at_518_pixels_is_many_slices() -> None:
    """All of it would take 18 GB."""
    dpt = decoder(dinov2_dpt, SMALL, readout=True)
    assert 64 * dpt.row_bytes((37, 37)) > 18e9
    exact, rounded = (
        slice_rows(64, dpt.row_bytes((37, 37), precision))
        for precision in (EXACT, Precision.BFLOAT16)
    )
    assert 1 < exact < rounded < 64
    assert exact * dpt.row_bytes((37, 37)) <= SLICE_BYTES


@pytest.mark.parametrize("frames", range(1, 8))
def test_every_slice_has_one_shape_and_every_frame_its_map(
    frames: int,
    frame: Callable[..., FrameInfo],
    tiny: Architecture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []

    class Echo(Dpt):
        def __init__(self) -> None:
            pass

        def row_bytes(self, grid: Sequence[int], precision: Precision = EXACT) -> int:
            return 1

        def __call__(
            self, read: Sequence[tuple[Tensor, Tensor]], precision: Precision = EXACT
        ) -> Tensor:
            (patches, _), *_ = read
            asked.append(len(patches))
            return patches[..., 0]

    monkeypatch.setattr(dpt_rows, "SLICE_BYTES", 3)
    features = batch(tiny, [frame(number) for number in range(frames)], rows=7)
    got = decoded(
        Echo(), lambda rows: [(features.patches[rows], features.cls[rows])], features, slice(0, 7)
    )
    assert asked == [3] * -(-frames // 3)
    assert torch.equal(got, features.patches[:frames, ..., 0])


@torch.inference_mode()
def test_a_frames_bits_depend_on_no_mate(
    frame: Callable[..., FrameInfo], tiny: Architecture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Computed here, in slices as a GPU has them: of three, of which the last reaches back."""
    dpt = decoder(dinov2_dpt, tiny, readout=True)
    monkeypatch.setattr(dpt_rows, "SLICE_BYTES", 3 * dpt.row_bytes((3, 5)))

    def maps(frames: int) -> Tensor:
        features = batch(tiny, [frame(number) for number in range(frames)], rows=7)

        def read(rows: slice) -> list[tuple[Tensor, Tensor]]:
            return [(features.patches[rows], features.cls[rows])] * 4

        return decoded(dpt, read, features, slice(0, 7))

    every = maps(7)
    for frames in (1, 4, 6):
        assert torch.equal(maps(frames), every[:frames])


@pytest.mark.parametrize(("layout", "arch", "readout"), FAMILIES)
@torch.inference_mode()
def test_what_rounding_costs(
    layout: Callable[[Architecture], DptLayout], arch: Architecture, readout: bool
) -> None:
    """As a GPU's matrix units round, which no card was asked for: about an eighth of bfloat16."""
    dpt, draw = decoder(layout, arch, readout), torch.Generator().manual_seed(1)
    read = [
        (torch.randn(2, 4, 6, arch.width, generator=draw), torch.randn(2, arch.width))
        for _ in range(4)
    ]
    want = dpt(read)
    with Tf32():
        tf32 = dpt(read, Precision.TF32)
    bfloat16 = dpt(read, Precision.BFLOAT16)
    assert tf32.dtype == bfloat16.dtype == torch.float32
    assert 0.0005 < off(tf32, want) < 0.004
    assert 0.005 < off(bfloat16, want) < 0.03
    assert off(tf32, want) < off(bfloat16, want) / 4


def off(got: Tensor, want: Tensor) -> float:
    """The RMS error by the spread: the largest error would grow with the size of the map."""
    return ((got - want).norm() / want.std() / want.numel() ** 0.5).item()


class Switched(TorchFunctionMode):
    """Whether each convolution may be in TF32, by its results' channels."""

    def __init__(self) -> None:
        super().__init__()
        self.tf32: list[tuple[int, bool]] = []

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        if func is conv2d:
            self.tf32.append((len(args[1]), torch.backends.cudnn.allow_tf32))
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("precision", Precision)
def test_the_last_product_is_exact(precision: Precision, tiny: Architecture) -> None:
    dpt, card = decoder(dinov2_dpt, tiny, readout=True), torch.device("cuda", 0)
    with FakeTensorMode(allow_non_fake_inputs=True):
        dpt.load(card)
        patches = torch.empty(2, 4, 6, tiny.width, device=card)
        with Switched() as switched:
            dpt([(patches, patches[:, 0, 0])] * 4, precision)
    *others, last = switched.tf32
    assert last == (1, False)
    assert {tf32 for _, tf32 in others} == {precision is Precision.TF32}


@pytest.mark.parametrize("rounds", [True, False], ids=["gpu", "cpu"])
@torch.inference_mode()
def test_only_a_gpu_rounds(
    rounds: bool, frame: Callable[..., FrameInfo], tiny: Architecture
) -> None:
    """A CPU's backbone may: that is said of linear heads alone."""
    dpt, own = decoder(dinov2_dpt, tiny, readout=True), batch(tiny, [frame(0)], rows=1)
    kind = OnCard if rounds else Features
    features = kind(own.infos, own.cls, own.patches, precision=Precision.BFLOAT16)
    read = [(own.patches, own.cls)] * 4
    got = decoded(dpt, lambda rows: read, features, slice(0, 1))
    assert torch.equal(got, dpt(read, Precision.BFLOAT16 if rounds else EXACT))


@pytest.mark.parametrize(("layout", "arch", "readout"), FAMILIES)
@torch.inference_mode()
def test_together_they_are_what_each_is_alone(
    layout: Callable[[Architecture], DptLayout], arch: Architecture, readout: bool
) -> None:
    dpt, draw = decoder(layout, arch, readout), torch.Generator().manual_seed(1)
    read = [
        (
            torch.randn(3, 3, 5, arch.width, generator=draw),
            torch.randn(3, arch.width, generator=draw),
        )
        for _ in range(4)
    ]
    together = dpt(read)
    for row in range(3):
        alone = dpt([(patches[row : row + 1], cls[row : row + 1]) for patches, cls in read])
        assert off(together[row], alone[0]) < 1e-5

"""Two processes, each with half of everything, against one that has all: real ones, over gloo."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from functools import partial
from itertools import islice
from types import SimpleNamespace

import pytest
import torch
import torch.distributed as dist
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import DTensor

from operators.backbones.architectures import Architecture
from operators.backbones.vit import VisionTransformer
from operators.pretrain.crops import Crops
from operators.pretrain.feature_distillation import FeatureDistillation, FeatureStudent
from operators.pretrain.learner import HeadShape, Learner, fresh_tensors
from operators.pretrain.processes import ALONE
from operators.pretrain.recipe import Recipe
from operators.pretrain.self_distillation import SelfDistillation
from operators.pretrain.sharded import Sharded
from operators.pretrain.training import Diverged, Training

# A register, and one row too many of some parameters for two equal shards.
ARCH = Architecture("tiny", width=32, depth=2, heads=1, grid=4, registers=1)
SHAPE = HeadShape(prototypes=65, hidden=64, bottleneck=33)
PICTURES, STEPS, BREAK = 8, 5, 3
COUNT = 2

pytestmark = pytest.mark.slow


def batch(step, part, pictures=PICTURES):
    draw = torch.Generator().manual_seed(step)

    def crops(count, side):
        shape = (count, pictures, 3, side, side)
        return torch.randint(256, shape, generator=draw, dtype=torch.uint8)[:, part]

    return Crops(crops(2, 56), crops(2, 28))


def training(processes, *, distilled=False, dtype=torch.float32, **more):
    plan = Recipe(STEPS, PICTURES, rate_warmup=0.0, clip_norm=0.3, **{"koleo_weight": 0.0} | more)
    draw = torch.Generator().manual_seed(0)
    student = FeatureStudent(ARCH, ARCH.width, draw) if distilled else Learner(ARCH, SHAPE, draw)
    student.backbone.load_state_dict(fresh_tensors(ARCH, 0, layer_scale=0.1))
    if distilled:
        teacher = VisionTransformer(ARCH).requires_grad_(False)
        teacher.load_state_dict(fresh_tensors(ARCH, 1, layer_scale=0.1))
        objective = FeatureDistillation(teacher, processes=processes)
    else:
        objective = SelfDistillation(plan, SHAPE.prototypes, processes=processes)
    batches = partial(batch, part=processes.part(PICTURES))
    return Training(student, objective, batches, plan, dtype=dtype, processes=processes)


def run(own, folder, name, processes, steps=STEPS):
    """So many; the file of the last, and beside it what no file has."""
    losses = []
    for step in islice(own.run(), steps):
        losses.append(step.plain())
        if own.step == BREAK:
            own.save(folder / f"{name}-{BREAK}.pt")
    own.save(folder / f"{name}.pt")
    parameters = own.student.named_parameters()
    gradients = processes.whole({key: one.grad for key, one in parameters if one.grad is not None})
    if processes.rank == 0:
        torch.save({"losses": losses, "gradients": gradients}, folder / f"{name}-beside.pt")


KINDS = {
    "sinkhorn": {},
    "centred": {"targets": "centred"},
    "distilled": {"distilled": True},
    "bfloat16": {"dtype": torch.bfloat16},
}


def steps_of(kind):
    return STEPS if kind == "sinkhorn" else 2


def rank(folder, number):
    """What one of the processes does: all that is looked at below, in one start."""
    torch.set_num_threads(1)
    store = dist.FileStore(str(folder / "store"), COUNT)
    limit = timedelta(seconds=20)
    dist.init_process_group("gloo", store=store, rank=number, world_size=COUNT, timeout=limit)
    processes = Sharded(init_device_mesh("cpu", (COUNT,)))
    for kind, more in KINDS.items():
        run(training(processes, **more), folder, kind, processes, steps_of(kind))
    for name, file in (("from-one", "one-sinkhorn-3.pt"), ("from-two", f"sinkhorn-{BREAK}.pt")):
        own = training(processes)
        own.resume(folder / file)
        run(own, folder, name, processes)
    said = SimpleNamespace(dropped=dropped(processes), kept=kept(processes))
    said.diverged = diverged(processes)
    dist.destroy_process_group()
    return said


def kept(processes):
    """Elements that this process keeps, of student, average and moments."""
    own = training(processes)
    next(own.run())
    moments = [one["exp_avg"] for one in own._optimiser.state.values()]
    sets = list(own.student.parameters()), list(own.average.parameters()), moments
    assert all(isinstance(one, DTensor) for some in sets for one in some)
    return [sum(one.to_local().numel() for one in some) for some in sets]


def dropped(processes):
    """Which pictures a branch of this process leaves out, in two steps."""
    draws = [processes.own(torch.Generator().manual_seed(step)) for step in (0, 1)]
    return [torch.randperm(100, generator=draw).tolist() for draw in draws]


def diverged(processes):
    """What is said where one process alone has no number."""
    own = training(processes, koleo_weight=torch.nan if processes.rank else 0.0)
    before = {name: one.to_local().clone() for name, one in own.average.state_dict().items()}
    with pytest.raises(Diverged) as error:
        next(own.run())
    assert all(
        torch.equal(one.to_local(), before[name]) for name, one in own.average.state_dict().items()
    )
    return str(error.value)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("sharded")


@pytest.fixture(scope="module")
def two(folder):
    """What both processes said; their files are in the folder."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    for kind, more in KINDS.items():
        run(training(ALONE, **more), folder, f"one-{kind}", ALONE, steps_of(kind))
    with ProcessPoolExecutor(COUNT, multiprocessing.get_context("spawn")) as pool:
        said = list(pool.map(partial(rank, folder), range(COUNT)))
    torch.set_num_threads(threads)
    return said


def apart(one, other):
    """The largest difference of two states of the same layout."""
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        return max((apart(own, other[name]) for name, own in one.items()), default=0.0)
    if isinstance(one, list):
        return max((apart(*both) for both in zip(one, other, strict=True)), default=0.0)
    if isinstance(one, torch.Tensor):
        assert one.shape == other.shape
        return float((one - other).abs().max())
    if isinstance(one, float):
        return abs(one - other)
    assert one == other
    return 0.0


@pytest.mark.parametrize("kind", ["sinkhorn", "centred", "distilled"])
def test_two_processes_learn_what_one_does(two, folder, kind):
    for ending in ("", "-beside"):
        mine, theirs = (torch.load(folder / f"{name}{ending}.pt") for name in (f"one-{kind}", kind))
        assert apart(mine, theirs) < 1e-6


def test_two_go_on_from_what_one_saved(two, folder):
    one, other = (torch.load(folder / f"{name}.pt") for name in ("one-sinkhorn", "from-one"))
    assert apart(one, other) < 1e-6


def test_one_goes_on_from_what_two_saved(two, folder):
    own = training(ALONE)
    own.resume(folder / f"sinkhorn-{BREAK}.pt")
    run(own, folder, "alone-from-two", ALONE)
    one, other = (torch.load(folder / f"{name}.pt") for name in ("one-sinkhorn", "alone-from-two"))
    assert apart(one, other) < 1e-6


def test_two_go_on_bit_for_bit_from_what_two_saved(two, folder):
    one, other = (torch.load(folder / f"{name}.pt") for name in ("sinkhorn", "from-two"))
    assert apart(one, other) == 0


def test_narrow_products_are_those_of_one_process_but_for_rounding(two, folder):
    one, other = (
        torch.load(folder / f"{name}-beside.pt")["losses"] for name in ("one-bfloat16", "bfloat16")
    )
    assert apart(one, other) < 0.02
    assert torch.load(folder / "bfloat16.pt")["student"]["backbone.norm.weight"].dtype is (
        torch.float32
    )


def test_each_keeps_a_half_of_weights_average_and_moments(two):
    whole = sum(one.numel() for one in training(ALONE).student.parameters())
    for of_first, of_second in zip(two[0].kept, two[1].kept, strict=True):
        assert of_first + of_second == whole
        assert of_second > 0.4 * whole


def test_what_is_left_out_is_each_ones_own_and_another_with_every_step(two):
    drawn = [tuple(order) for one in two for order in one.dropped]
    assert len(set(drawn)) == 4


def test_all_end_where_the_losses_of_one_are_no_numbers(two):
    assert "step 0: the losses are" in two[0].diverged
    assert two[0].diverged == two[1].diverged

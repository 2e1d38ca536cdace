import math

import pytest
import torch
from torch.nn import functional as F

from operators.backbones.architectures import Architecture
from operators.errors import UsageError
from operators.pretrain.crops import Crops
from operators.pretrain.health import Health
from operators.pretrain.koleo import koleo
from operators.pretrain.learner import HeadShape, Learner, fresh_tensors
from operators.pretrain.recipe import Recipe
from operators.pretrain.self_distillation import SelfDistillation
from operators.pretrain.training import Diverged, Training

ARCH = Architecture("tiny", width=32, depth=2, heads=1, grid=4)
SHAPE = HeadShape(prototypes=64, hidden=64, bottleneck=32)
PICTURES = 8


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def eight_pictures(step):
    """The same eight, each time with other noise."""
    base = torch.rand(PICTURES, 3, 4, 4, generator=torch.Generator().manual_seed(5))
    draw = torch.Generator().manual_seed(step)

    def crops(count, side):
        whole = F.interpolate(base, size=(side, side), mode="bilinear")
        noise = torch.randn(count, PICTURES, 3, side, side, generator=draw)
        return (whole + 0.05 * noise).clamp(0, 1).mul(255).to(torch.uint8)

    return Crops(crops(2, 56), crops(2, 28))


def training(recipe, batches=eight_pictures, **more):
    student = Learner(ARCH, SHAPE, torch.Generator().manual_seed(0))
    student.backbone.load_state_dict(fresh_tensors(ARCH, 0, layer_scale=0.1))
    return Training(student, SelfDistillation(recipe, SHAPE.prototypes), batches, recipe, **more)


def recipe(steps=150, **more):
    given = {"rate": 2e-2, "momentum": 0.9, "temperature": (0.04, 0.04)} | more
    return Recipe(steps=steps, batch=PICTURES, **given)


@pytest.mark.slow
def test_eight_pictures_are_learnt_down_to_the_entropy_of_their_targets():
    own = training(recipe())
    steps = list(own.run())
    first, last = steps[0], steps[-1]
    health = Health.of(last.class_tokens, last.targets)
    dino = {
        name: float(one.losses["dino_global"] + one.losses["dino_local"])
        for name, one in (("first", first), ("last", last))
    }
    assert dino["first"] > 0.95 * math.log(SHAPE.prototypes)
    assert dino["last"] < health.target_entropy + 0.05
    assert dino["last"] < 0.8 * math.log(SHAPE.prototypes)
    assert float(last.losses["ibot"]) < float(first.losses["ibot"])
    assert health.alarms() == []
    # Each picture's other crop is the nearest of all.
    crops = eight_pictures(10**6)
    own.average.requires_grad_(False)
    one, other = (
        F.normalize(own.average.backbone.packed([crop.float() / 255])[0][:, 0], dim=1)
        for crop in crops.globals
    )
    assert ((one @ other.T).argmax(1) == torch.arange(PICTURES)).all()


@pytest.mark.slow
def test_koleo_spreads_class_tokens():
    """All else alike; without it, what eight pictures look like to the student stays narrower."""
    ends = {}
    for weight in (0.0, 0.3):
        last = list(training(recipe(60, koleo_weight=weight)).run())[-1]
        ends[weight] = (
            float(koleo(last.class_tokens)),
            Health.of(last.class_tokens, last.targets).effective_rank,
        )
    assert ends[0.3][0] < ends[0.0][0] - 0.5
    assert ends[0.3][1] > ends[0.0][1] + 1


@pytest.mark.slow
def test_without_what_spreads_targets_a_collapse_is_told():
    own = training(recipe(koleo_weight=0.0, temperature=(0.1, 0.1), momentum=0.5))

    def plain(scores, temperature):
        return (scores / temperature).softmax(dim=1)

    own._objective._class_targets = own._objective._patch_targets = plain
    last = list(own.run())[-1]
    assert Health.of(last.class_tokens, last.targets).alarms()


@pytest.mark.parametrize("targets", ["sinkhorn", "centred"])
def test_what_was_stopped_goes_on_bit_for_bit(tmp_path, targets):
    plan = recipe(6, drop=0.3, targets=targets)
    whole = training(plan)
    undisturbed = [step.plain() for step in whole.run()]
    first = training(plan)
    run = first.run()
    begun = [next(run).plain() for _ in range(4)]
    first.save(tmp_path / "checkpoint.pt")
    next(run)  # is done once more
    second = training(plan)
    second.resume(tmp_path / "checkpoint.pt")
    assert begun + [step.plain() for step in second.run()] == undisturbed
    for of in ("student", "average"):
        one, other = getattr(whole, of).state_dict(), getattr(second, of).state_dict()
        assert all(torch.equal(one[name], other[name]) for name in one)


def test_the_average_follows_and_is_never_trained():
    own = training(recipe(2, rate_warmup=0.0))
    before = {name: one.clone() for name, one in own.average.state_dict().items()}
    steps = own.run()
    next(steps)
    momentum = own.recipe.momenta.at(0)
    for name, one in own.average.state_dict().items():
        wanted = momentum * before[name] + (1 - momentum) * own.student.state_dict()[name]
        torch.testing.assert_close(one, wanted)
    assert all(one.grad is None for one in own.average.parameters())


def test_prototypes_rest_first_and_rates_follow_the_recipe():
    own = training(recipe(10, frozen_prototypes=0.3, rate_warmup=0.2))
    head = own.student.dino_head
    before = head.last_layer.weight_v.detach().clone()
    layer = head.mlp[0].weight.detach().clone()
    steps = own.run()
    for _ in range(3):
        next(steps)
    assert torch.equal(head.last_layer.weight_v, before)
    assert not torch.equal(head.mlp[0].weight, layer)
    next(steps)
    assert not torch.equal(head.last_layer.weight_v, before)


def test_numbers_that_are_none_end_it_and_change_nothing():
    own = training(recipe(3))
    own.student.backbone.norm.weight.data[0] = torch.nan
    before = {name: one.clone() for name, one in own.average.state_dict().items()}
    with pytest.raises(Diverged, match=r"step 0: the losses are .*lower rate"):
        next(own.run())
    assert all(torch.equal(one, before[name]) for name, one in own.average.state_dict().items())
    assert own.step == 0


def test_a_gradient_that_is_no_number_ends_it_before_it_does_harm():
    own = training(recipe(3))
    own.student.backbone.mask_token.register_hook(lambda gradient: gradient * torch.nan)
    before = {name: one.clone() for name, one in own.student.state_dict().items()}
    with pytest.raises(Diverged, match="a gradient is no number"):
        next(own.run())
    for of in (own.student, own.average):
        assert all(torch.equal(one, before[name]) for name, one in of.state_dict().items())


def test_a_batch_of_one_picture_is_refused():
    with pytest.raises(UsageError, match="2 pictures in a batch"):
        Recipe(steps=1, batch=1)

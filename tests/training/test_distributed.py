"""Two processes that train together, against one at the same global batch."""

from functools import partial

import pytest
import torch
from torch import nn

from qat.convert.calibrate import calibrate
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.scheme import Method, Scheme, TensorSpec
from qat.training.batch_norm import release, synchronise
from qat.training.errors import TrainingError
from qat.training.fit import fit
from qat.training.loaders import DealtBatches, RankBatches
from qat.training.qat import QATClassifier
from qat.training.repeatable import batch_seed
from qat.training.specs import FitSpec, OptimizerSpec
from tests.ranks import on_ranks
from tests.training.watching import spec

SIZES = [13, 13, 13, 5]  # no batch divides by two
CLASSES = 3


def data():
    images = torch.randn(44, 1, 6, 6, generator=torch.Generator().manual_seed(1))
    template = torch.randn(36, CLASSES, generator=torch.Generator().manual_seed(2))
    return images, (images.flatten(1) @ template).argmax(dim=1)


def batches(sizes, epoch):
    images, labels = data()
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(epoch))
    return [(images[part], labels[part]) for part in order[: sum(sizes)].split(sizes)]


def network(act):
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 4, 3),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Conv2d(4, 6, 3),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(6 * 4, CLASSES),
    )
    images, _ = data()
    scheme = Scheme(
        weight=TensorSpec(bits=4, granularity="channel", quantizer=Method("lsq")),
        act=TensorSpec(bits=4, quantizer=Method(act)),
    )
    qnet = quantize(net, make_plan(net, scheme, images[:8]))
    calibrate(qnet, [images])
    return qnet


def trained(folder, devices, act="lsq", sizes=SIZES, module=None, **values):
    module = module or QATClassifier(
        network(act), OptimizerSpec(lr=0.05, momentum=0.9, step_lr=0.01)
    )
    settings: FitSpec = spec(**{"max_epochs": 1, "devices": devices, **values})
    images, labels = data()
    val = [(images[:20], labels[:20]), (images[20:30], labels[20:30]), (images[30:], labels[30:])]
    result = fit(module, partial(batches, sizes), val, settings, folder, seed=5)
    return module.net, result


class TestTwoProcesses:
    @pytest.mark.slow
    @pytest.mark.parametrize("act", ["lsq", "minmax"])
    def test_an_epoch_equals_one_process(self, tmp_path, act):
        before = network(act).state_dict()
        one, expected = trained(tmp_path / "one", 1, act, keep="best")
        two, result = trained(tmp_path / "two", 2, act, keep="best")
        found = two.state_dict()
        for key, value in one.state_dict().items():
            torch.testing.assert_close(found[key], value, rtol=0, atol=1e-5, msg=key)
        assert result.val_top1 == pytest.approx(expected.val_top1)
        assert any((found[k] - before[k]).abs().max() > 1e-3 for k in found if k.endswith("step"))
        assert [type(m) for m in one.modules()] == [type(m) for m in two.modules()]
        assert sorted(p.name for p in (tmp_path / "two").iterdir()) == ["best.ckpt", "last.ckpt"]

    @pytest.mark.slow
    def test_it_goes_on_where_it_was_left(self, tmp_path):
        straight, _ = trained(tmp_path / "a", 2, max_epochs=2)
        trained(tmp_path / "b", 2, max_epochs=1)
        resumed, result = trained(tmp_path / "b", 2, max_epochs=2)
        assert result.resumed_from == 1
        for key, value in straight.state_dict().items():
            assert torch.equal(resumed.state_dict()[key], value), key

    @pytest.mark.slow
    def test_a_batch_too_small_to_share_is_refused_in_one_line(self, tmp_path):
        with pytest.raises(ValueError, match=r"^a batch of 1 images cannot be shared.*batch_size"):
            trained(tmp_path, 2, sizes=[6, 1])

    @pytest.mark.slow
    def test_a_failure_on_a_rank_is_told_in_one_line(self, tmp_path):
        module = QATClassifier(network("lsq"), OptimizerSpec(lr=0.05))
        with torch.no_grad():
            module.net[0].weight[0, 0, 0, 0] = torch.nan
        with pytest.raises(TrainingError, match=r"^training loss is nan in epoch 0, batch 0.*$"):
            trained(tmp_path, 2, module=module)


def normalised(rank, ranks):
    """Outputs, input gradients, weight gradients and state of a batch norm over both ranks."""
    norm, x, weight = norm_case()
    synchronise(norm)
    part = slice(0, 3) if rank == 0 else slice(3, None)
    own = x[part].clone().requires_grad_()
    out = norm(own)
    (out * weight[part]).sum().backward()
    evaluated = norm.eval()(own).detach()
    release(norm)
    assert "forward" not in vars(norm)
    grads = {"x": own.grad, "weight": norm.weight.grad, "bias": norm.bias.grad}
    return {"out": out.detach(), "eval": evaluated, **grads, "state": norm.state_dict()}


def norm_case():
    generator = torch.Generator().manual_seed(4)
    norm = nn.BatchNorm2d(4).double()
    with torch.no_grad():
        norm.weight.uniform_(0.5, 2, generator=generator)
    x, weight = torch.randn(2, 8, 4, 3, 3, dtype=torch.float64, generator=generator)
    return norm, x * 3 + 1, weight


@pytest.mark.slow
def test_batch_norm_over_ranks_is_torchs_over_the_whole_batch(tmp_path):
    both = on_ranks(normalised, tmp_path)
    norm, x, weight = norm_case()
    x.requires_grad_()
    out = norm(x)
    (out * weight).sum().backward()
    for key, value in {"out": out.detach(), "x": x.grad, "eval": norm.eval()(x).detach()}.items():
        torch.testing.assert_close(torch.cat([found[key] for found in both]), value)
    for key in ("weight", "bias"):
        torch.testing.assert_close(both[0][key] + both[1][key], getattr(norm, key).grad)
    for found in both:
        torch.testing.assert_close(dict(found["state"]), dict(norm.state_dict()))


class TestParts:
    @pytest.fixture
    def second_of_two(self, monkeypatch):
        monkeypatch.setattr("qat.training.loaders.rank", lambda: 1)
        monkeypatch.setattr("qat.training.loaders.world_size", lambda: 2)

    def test_every_other_image_weighted_by_its_share(self, second_of_two):
        images, labels = torch.arange(5), torch.arange(5) + 10
        ((own, own_labels, weight),) = RankBatches([(images, labels)])
        assert (own.tolist(), own_labels.tolist(), weight) == ([1, 3], [11, 13], 4 / 5)

    def test_validation_batches_are_dealt_whole(self, second_of_two):
        dealt = DealtBatches(["a", "b", "c"])
        assert (list(dealt), len(dealt)) == (["b"], 1)

    def test_of_too_few_each_rank_sees_all(self, second_of_two):
        dealt = DealtBatches(["a"])
        assert (list(dealt), len(dealt)) == (["a"], 1)

    def test_ranks_drop_differently_and_the_first_as_one_process(self):
        assert batch_seed(0, 1, 2, 0) == batch_seed(0, 1, 2) != batch_seed(0, 1, 2, 1)


def test_compiling_for_several_devices_is_refused():
    with pytest.raises(ValueError, match=r"trainer\.compile=model.*trainer\.devices=2.*none"):
        FitSpec(devices=2, compile="model")

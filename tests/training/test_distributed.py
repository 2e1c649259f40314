"""Two processes that train together, against one at the same global batch."""

from functools import partial

import pytest
import torch
from torch import nn
from torch.multiprocessing import ProcessExitedException, ProcessRaisedException

from qat.convert.calibrate import calibrate
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.scheme import Method, Scheme, TensorSpec
from qat.training.distributed import make_strategy, rank_error
from qat.training.errors import TrainingError, TrainingInterrupted
from qat.training.fit import fit
from qat.training.qat import QATClassifier
from qat.training.specs import FitSpec, OptimizerSpec
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
        state = two.state_dict()
        for key, value in one.state_dict().items():
            torch.testing.assert_close(state[key], value, rtol=0, atol=1e-5, msg=key)
        assert result.val_top1 == pytest.approx(expected.val_top1)
        assert any((state[k] - before[k]).abs().max() > 1e-3 for k in state if k.endswith("step"))
        assert [type(m) for m in one.modules()] == [type(m) for m in two.modules()]
        assert sorted(p.name for p in (tmp_path / "two").iterdir()) == ["best.ckpt", "last.ckpt"]

    @pytest.mark.slow
    def test_nothing_is_printed_that_a_user_cannot_act_on(self, tmp_path, capfd):
        trained(tmp_path, 2)
        assert capfd.readouterr().err == ""

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
        with pytest.raises(ValueError, match=r"^a batch of 1 image cannot be shared.*batch_size"):
            trained(tmp_path, 2, sizes=[6, 1])

    @pytest.mark.slow
    def test_a_failure_on_a_rank_is_told_in_one_line(self, tmp_path):
        module = QATClassifier(network("lsq"), OptimizerSpec(lr=0.05))
        with torch.no_grad():
            module.net[0].weight[0, 0, 0, 0] = torch.nan
        with pytest.raises(TrainingError, match=r"^training loss is nan in epoch 0, batch 0.*$"):
            trained(tmp_path, 2, module=module)


def test_compiling_for_several_devices_is_refused():
    with pytest.raises(ValueError, match=r"trainer\.compile=model.*trainer\.devices=2.*none"):
        FitSpec(devices=2, compile="model")


def test_one_process_needs_no_strategy():
    assert make_strategy(1, torch.device("cpu")) == "auto"


RAISED = "-- Process 1 terminated with the following error:\nTraceback ...\n"


@pytest.mark.parametrize(
    ("line", "kind", "message"),
    [
        ("ValueError: too small", ValueError, "too small"),
        ("qat.base.errors.InputError: set it: to 1", ValueError, "set it: to 1"),
        ("qat.training.errors.TrainingError: loss is nan", TrainingError, "loss is nan"),
        ("RuntimeError: broken", TrainingError, "RuntimeError: broken"),
    ],
)
def test_an_error_of_a_rank_is_the_error_of_one_process(line, kind, message):
    error = rank_error(ProcessRaisedException(RAISED + line, 1, 100))
    assert isinstance(error, kind)
    assert str(error) == message


def test_a_terminated_rank_is_an_interruption_and_a_killed_one_an_error():
    ended = {
        name: rank_error(ProcessExitedException("killed", 0, 100, -15, signal_name=name))
        for name in ("SIGTERM", "SIGKILL")
    }
    assert isinstance(ended["SIGTERM"], TrainingInterrupted)
    assert isinstance(ended["SIGKILL"], TrainingError)

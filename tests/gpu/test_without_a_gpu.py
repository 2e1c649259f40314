"""What a GPU would refuse, found without one: tensors that have a device but no values.

Tensors of the ``meta`` device and torch's fake tensors of a GPU compute shapes, dtypes and devices.
To read a value of one, or to compute with tensors of two devices, is an error.
"""

import pytest
import torch
from torch._subclasses import FakeTensorMode
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from qat.convert.calibrate import set_phase
from qat.core.checks import Pending
from qat.data import preprocess, transfer
from qat.data.augment import Augment
from qat.data.preprocess import Preprocess
from qat.layers.walk import quantizers
from qat.training.optimizers import float_groups, make_optimizer, quantizer_groups
from qat.training.specs import OptimizerSpec
from qat.training.step import loss_and_logits
from tests.gpu.conftest import SHAPE, calibrated

NETWORKS = [(m, p) for m in ("lsq", "minmax") for p in ("academic", "integer")]


class CopiesNothing(TorchDispatchMode):
    """Raises on a copy from the CPU to the device that waits for the device."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        devices = {each.device.type for each in args if isinstance(each, torch.Tensor)}
        if kwargs.get("device") is not None:
            devices.add(torch.device(kwargs["device"]).type)
        waits = not kwargs.get("non_blocking", False)
        if "copy" in str(function) and len(devices) > 1 and waits:
            raise AssertionError(f"{function} copies between {devices}")
        return function(*args, **kwargs)


class MakesNothing(TorchFunctionMode):
    """Raises where numbers of Python become a tensor of the device, which is such a copy."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        on_device = torch.device(kwargs.get("device") or "cpu").type != "cpu"
        if function in (torch.tensor, torch.as_tensor) and on_device:
            assert isinstance(args[0], torch.Tensor), f"a tensor is made of {args[0]}"
        return function(*args, **kwargs)


@pytest.mark.parametrize(("method", "placement"), NETWORKS)
def test_a_training_step_waits_for_nothing(method, placement):
    net = calibrated(method, placement)[0].to("meta").train()
    images, labels = torch.empty(8, *SHAPE), torch.zeros(8, dtype=torch.int64)
    images, labels = images.to("meta"), labels.to("meta")
    spec = OptimizerSpec("sgd", momentum=0.9, weight_decay=1e-4)
    optimizer = make_optimizer([*float_groups(net, spec), *quantizer_groups(net, spec)], spec)

    def step():
        optimizer.zero_grad()
        loss, _ = loss_and_logits(net, images, labels)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        return loss

    with Pending().collecting():
        step()  # the first one may copy constants to the device, where they stay
        with CopiesNothing(), MakesNothing():
            loss = step()
    assert loss.device.type == "meta"
    assert {p.grad.device.type for p in net.parameters() if p.requires_grad} == {"meta"}


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(("method", "placement"), NETWORKS)
def test_all_tensors_of_a_forward_pass_are_on_the_device(method, placement, training):
    net = calibrated(method, placement)[0].train(training)
    with Pending().collecting(), FakeTensorMode(), torch.set_grad_enabled(training):
        fake_cuda(net)
        for _ in range(2):
            assert net(torch.empty(8, *SHAPE, device="cuda")).device.type == "cuda"
        with MakesNothing(), CopiesNothing():
            net(torch.empty(8, *SHAPE, device="cuda"))


def test_to_observe_a_batch_waits_for_nothing():
    net = calibrated("minmax")[0].eval()
    with Pending().collecting(), FakeTensorMode(), torch.no_grad():
        fake_cuda(net)
        set_phase(net, "observe")
        lows = [q.observer.low for _, slot, q in quantizers(net) if slot != "weight"]
        before = [low._version for low in lows]
        with MakesNothing(), CopiesNothing():
            net(torch.empty(8, *SHAPE, device="cuda"))
    assert {low.device.type for low in lows} == {"cuda"}
    assert all(low._version > count for low, count in zip(lows, before, strict=True))


def test_crops_and_normalisation_are_computed_on_the_device(monkeypatch):
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda x: x)  # needs a GPU
    preprocess._per_channel.cache_clear()
    values = Preprocess(mean=(0.5,) * 3, std=(0.25,) * 3)
    with FakeTensorMode():
        images = torch.empty(8, *SHAPE, dtype=torch.uint8, device="cuda")
        values.normalise(images)  # copies mean and std to the device
        with MakesNothing(), CopiesNothing():
            indices = transfer.to_device(torch.arange(8), "cuda:0")
            augmented = Augment(pad=2)(images.index_select(0, indices), seed=1)
            batch = values.normalise(augmented)
    preprocess._per_channel.cache_clear()
    assert (batch.device.type, batch.dtype, batch.shape) == ("cuda", torch.float32, (8, *SHAPE))


def fake_cuda(net):
    """Replace every tensor of a network by a fake one of a GPU."""
    for module in net.modules():
        for name, parameter in module._parameters.items():
            if parameter is not None:
                fake = torch.empty(parameter.shape, dtype=parameter.dtype, device="cuda")
                module._parameters[name] = torch.nn.Parameter(fake, parameter.requires_grad)
        for name, buffer in module._buffers.items():
            if buffer is not None:
                module._buffers[name] = torch.empty(buffer.shape, dtype=buffer.dtype, device="cuda")
    for _, _, quantizer in quantizers(net):
        if quantizer.least_scale is not None:
            like = quantizer.least_scale
            quantizer.least_scale = torch.empty(like.shape, dtype=like.dtype, device="cuda")

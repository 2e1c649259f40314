"""Tests that need an NVIDIA GPU; their code runs here on the CPU as well.

``make test-gpu`` runs those of the GPU. Without one, each is skipped and listed by its name.
"""

import copy
import sys
import warnings
from contextlib import contextmanager
from functools import lru_cache

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from qat.convert.calibrate import calibrate
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core import checks
from qat.core.scheme import Method, Scheme, TensorSpec

CUDA = pytest.param("cuda", marks=pytest.mark.gpu)
SHAPE = (3, 8, 8)


def there(request):
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip(f"{request.node.name}: no CUDA device")
    return torch.device(request.param)


@pytest.fixture(params=["cpu", CUDA])
def device(request):
    return there(request)


@pytest.fixture(params=[pytest.param("cpu", marks=pytest.mark.slow), CUDA])
def slow_device(request):
    """For tests of some minutes."""
    return there(request)


@pytest.fixture(autouse=True)
def always_one_thread(one_thread):
    pass


@pytest.fixture
def as_on_a_gpu(monkeypatch):
    """Take the ways that are for a GPU on the CPU too."""
    real = checks.is_immediate
    for module in [m for name, m in sys.modules.items() if name.startswith("qat.")]:
        if getattr(module, "is_immediate", None) is real:
            monkeypatch.setattr(module, "is_immediate", lambda device: False)


class ReadsNothing(TorchDispatchMode):
    """Raises where Python reads a value of a tensor, for which it would wait for a GPU."""

    READS = ("aten._local_scalar_dense", "aten.nonzero", "aten.equal", "aten.is_nonzero")

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if str(function).rpartition(".")[0] in self.READS:
            raise AssertionError(f"{function} waits for the device")
        return function(*args, **(kwargs or {}))


@contextmanager
def no_waiting(device):
    """Inside the block, to wait for the device is an error."""
    if device.type != "cuda":
        with ReadsNothing():
            yield
        return
    try:
        with warnings.catch_warnings():  # torch says that this mode is a prototype
            warnings.simplefilter("ignore")
            torch.cuda.set_sync_debug_mode("error")
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


def float_net():
    torch.manual_seed(0)
    return nn.Sequential(
        *(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU()),
        *(nn.Conv2d(8, 8, 3, stride=2, groups=8), nn.BatchNorm2d(8), nn.ReLU()),
        *(nn.Flatten(), nn.Linear(8 * 9, 10)),
    )


def images_and_labels(count=16):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(count, *SHAPE, generator=generator), torch.arange(count) % 10


def calibrated(method="lsq", placement="academic", bits=4):
    """A quantized network on the CPU, and the images it was calibrated on."""
    net, images = _calibrated(method, placement, bits)
    return copy.deepcopy(net), images


@lru_cache
def _calibrated(method, placement, bits):
    images, _ = images_and_labels()
    own = Method(method)
    scheme = Scheme(
        weight=TensorSpec(bits=bits, granularity="channel", quantizer=own),
        act=TensorSpec(bits=bits, quantizer=own),
        placement=placement,
    )
    net = float_net()
    qnet = quantize(net, make_plan(net, scheme, images[:8]), keep_norms=True)
    calibrate(qnet, [images])
    return qnet, images

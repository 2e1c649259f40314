"""Networks and training steps that benchmarks time: float and quantized, in a memory format."""

import copy
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from qat.convert.calibrate import calibrate
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.kernels import set_kernel
from qat.core.scheme import Method, Scheme, TensorSpec
from qat.models.build import build_model
from qat.models.names import BUILTIN
from qat.quantizers.declared import DECLARED
from qat.training.optimizers import float_groups, make_optimizer, quantizer_groups
from qat.training.specs import OptimizerSpec
from qat.training.step import TrainingStep, make_step

Step = Callable[[], object]
FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
PRECISIONS = ("32-true", "bf16-mixed")
CLASSES = 10
OPTIMIZER = OptimizerSpec(name="sgd", lr=0.01, momentum=0.9, weight_decay=1e-4, step_lr=0.001)
CALIBRATION_IMAGES = 32


@dataclass(frozen=True)
class Case:
    """What is trained, on which images, where.

    Args:
        model: Built in, or of torchvision.
        batch: Images of a step.
        size: Height and width of the images.
        channels: Of the images.
        bits: Of weights and activations; the first and the last layer have 8.
        method: Quantizer of weights and activations; LSQ where it does not quantize one of them.
        device: ``cpu`` or ``cuda``.
        precision: ``32-true`` or ``bf16-mixed``.
    """

    model: str = "resnet20"
    batch: int = 128
    size: int = 32
    channels: int = 3
    bits: int = 4
    method: str = "lsq"
    device: str = "cpu"
    precision: str = "32-true"

    def images(self) -> tuple[Tensor, Tensor]:
        """Random images and labels on the device, the same at every call."""
        shape = (self.batch, self.channels, self.size, self.size)
        images = torch.randn(shape, generator=torch.Generator().manual_seed(0))
        return images.to(self.device), (torch.arange(self.batch) % CLASSES).to(self.device)

    def float_network(self) -> nn.Module:
        """Initial weights of a fixed seed, on the device."""
        source = "builtin" if self.model in BUILTIN else "torchvision"
        net = build_model(
            source,
            self.model,
            classes=CLASSES,
            in_channels=self.channels,
            image_size=self.size,
        )
        return net.to(self.device)

    def quantized(self, net: nn.Module) -> nn.Module:
        """``net`` converted and calibrated on the first images."""
        images = self.images()[0][:CALIBRATION_IMAGES]
        qnet = quantize(net, make_plan(net, scheme_of(self.method, self.bits), images[:8]))
        calibrate(qnet, [images])
        return qnet

    def autocast(self) -> AbstractContextManager[object]:
        """Around forward pass and loss, as the precision needs it."""
        if self.precision == "32-true":
            return nullcontext()
        return torch.autocast(self.device, dtype=torch.bfloat16)


def scheme_of(method: str, bits: int) -> Scheme:
    """Per-channel weights, per-tensor activations, first and last layer 8 bit.

    Args:
        method: Of each slot that it declares; the other slot has LSQ.
        bits: Of weights and activations.
    """
    return Scheme(weight=_spec_in("weight", method, bits), act=_spec_in("act", method, bits))


def _spec_in(slot: str, method: str, bits: int) -> TensorSpec:
    declared = DECLARED[method]
    if slot not in declared.slots:
        method, declared = "lsq", DECLARED["lsq"]
    channel = slot == "weight" and "channel" in declared.granularities
    return TensorSpec(
        format=declared.formats[0],
        bits=bits if bits in declared.bits else declared.bits[0],
        granularity="channel" if channel else declared.granularities[0],
        symmetric=True in declared.symmetric,
        scale=declared.scales[0],
        quantizer=Method(method),
    )


def in_format(net: nn.Module, memory_format: str) -> nn.Module:
    """A copy of ``net`` in that format, in training mode.

    Args:
        net: Is not changed.
        memory_format: ``contiguous`` or ``channels_last``.
    """
    return copy.deepcopy(net).to(memory_format=FORMATS[memory_format]).train()


class TrainingUpdate:
    """Forward pass, loss, backward pass and the optimizer's update of one network.

    Args:
        case: Of the network.
        net: Is trained in place.
        kernel: ``eager`` or ``compiled``, of the fake quantizers.
        compile: ``none`` or ``model``, as ``trainer.compile``.
    """

    def __init__(self, case: Case, net: nn.Module, kernel: str, compile: str = "none") -> None:
        groups = float_groups(net, OPTIMIZER) + quantizer_groups(net, OPTIMIZER)
        self.case, self.net, self.kernel = case, net, kernel
        self.optimizer = make_optimizer(groups, OPTIMIZER)
        set_kernel(kernel)
        self.loss_of: TrainingStep = make_step(compile, case.device, net)

    def __call__(self, images: Tensor, labels: Tensor) -> None:
        """One update; on a GPU it ends when the GPU has done it."""
        set_kernel(self.kernel)
        self.optimizer.zero_grad()
        with self.case.autocast():
            loss, _ = self.loss_of(self.net, images, labels, 0.0)
        loss.backward()
        self.optimizer.step()
        if self.case.device == "cuda":
            torch.cuda.synchronize()


def training_step(
    case: Case, net: nn.Module, memory_format: str, kernel: str, compile: str = "none"
) -> Step:
    """An update on images that are already there, as a callable without arguments.

    Args:
        case: Of the network.
        net: In that format; is trained in place.
        memory_format: Of the images.
        kernel: ``eager`` or ``compiled``.
        compile: ``none`` or ``model``.
    """
    images, labels = case.images()
    images = images.contiguous(memory_format=FORMATS[memory_format])
    update = TrainingUpdate(case, net, kernel, compile)
    return lambda: update(images, labels)

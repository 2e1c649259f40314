"""AIMET: a quantization simulation of 8 bits, encodings from one pass, then trained."""

from aimet_torch.nn import QuantizationMixin
from aimet_torch.quantsim import QuantizationSimModel
from torch import Tensor, nn

from bench.peers._step import report
from qat.models.resnet_cifar import OptionAShortcut

QuantizationMixin.ignore(OptionAShortcut)  # it has no parameters, and AIMET does not know it


def quantsim(net: nn.Module, images: Tensor) -> nn.Module:
    """Weights and outputs of modules, the defaults of its configuration."""
    sim = QuantizationSimModel(
        net.eval(), dummy_input=images[:8], default_output_bw=8, default_param_bw=8
    )
    sim.compute_encodings(lambda model: model(images))
    return sim.model.train()


if __name__ == "__main__":
    report("aimet", "aimet-torch", {"quantsim": quantsim})

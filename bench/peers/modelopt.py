"""nvidia-modelopt: its INT8 default, ranges from one calibration pass and then fixed."""

import modelopt.torch.quantization as mtq
from torch import Tensor, nn

from bench.peers._step import report


def int8_default(net: nn.Module, images: Tensor) -> nn.Module:
    """Weights per channel, inputs of layers per tensor."""
    return mtq.quantize(net, mtq.INT8_DEFAULT_CFG, lambda n: n(images)).train()


if __name__ == "__main__":
    report("modelopt", "nvidia-modelopt", {"int8_default": int8_default})

"""torchao: quantization-aware training of an exported graph (PT2E), quantizer of x86."""

import torch
import torchao.quantization.pt2e as pt2e
from torch import Tensor, nn
from torchao.quantization.pt2e.quantize_pt2e import prepare_qat_pt2e
from torchao.quantization.pt2e.quantizer.x86_inductor_quantizer import (
    X86InductorQuantizer,
    get_default_x86_inductor_quantization_config,
)

from bench.peers._step import report


def pt2e_x86(net: nn.Module, images: Tensor) -> nn.Module:
    """The default of that quantizer: weights per channel, activations per tensor."""
    graph = torch.export.export(net, (images,)).module()
    quantizer = X86InductorQuantizer()
    quantizer.set_global(get_default_x86_inductor_quantization_config(is_qat=True))
    prepared = prepare_qat_pt2e(graph, quantizer)
    pt2e.move_exported_model_to_train(prepared)
    return prepared


if __name__ == "__main__":
    report("torchao", "torchao", {"pt2e_x86": pt2e_x86})

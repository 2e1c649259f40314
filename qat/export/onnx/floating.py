"""Float networks as ONNX files, in float32 and float16: the reference for quantized ones.

They are written by torch's exporter, which folds batch norm into the layer before it.
https://docs.pytorch.org/docs/stable/onnx_export.html
"""

import onnx
import onnx_ir
import torch
from onnxscript.optimizer import fold_constants, remove_unused_nodes
from torch import Tensor, nn

from qat.core.evaluation_mode import evaluating
from qat.core.network_tensors import cpu_copy
from qat.export.errors import ExportError
from qat.export.onnx.file import BATCH, INPUT, OPSET, OUTPUT, PRODUCER
from qat.export.onnx.layer_names import name_by_layers

_FEWEST = 2  # with a single image, torch.export would fix the batch size to 1


def float_onnx(net: nn.Module, example: Tensor, fold: bool = True) -> onnx.ModelProto:
    """The ONNX model of a float network.

    Args:
        net: Any network that torch.export supports; it is not changed.
        example: Preprocessed images; the model takes any number of images.
        fold: Fold batch norm into layers; otherwise every parameter keeps its name and value.

    Raises:
        ExportError: If torch cannot export the network.
    """
    own = cpu_copy(net)
    images = example.detach().cpu()
    images = images.repeat(_FEWEST, 1, 1, 1) if len(images) < _FEWEST else images
    try:
        with evaluating(own):
            exported = torch.onnx.export(
                own,
                (images,),
                opset_version=OPSET,
                input_names=[INPUT],
                output_names=[OUTPUT],
                dynamic_shapes=({0: torch.export.Dim(BATCH)},),
                optimize=fold,
                verbose=False,
            )
    except Exception as error:  # torch has no common class for export errors
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ExportError(f"torch cannot export {type(net).__name__} to ONNX: {reason}") from error
    assert exported is not None
    if not fold:
        fold_constants(exported.model)  # nodes that compute shapes refer to the weights
        remove_unused_nodes(exported.model)
    model = exported.model_proto
    model.producer_name = PRODUCER
    name_by_layers(model.graph)
    _forget_sources(model)
    onnx.checker.check_model(model, full_check=True)
    return model


def half_onnx(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same network with weights and arithmetic in float16; images and logits stay float32.

    Runtimes without float16 kernels cast to float32 and back: then only the file is smaller.
    """
    # Imported here: the package is large, and few exports need it.
    from onnxruntime.transformers.float16 import convert_float_to_float16

    own = onnx.ModelProto()
    own.CopyFrom(model)
    unsorted = onnx_ir.from_proto(convert_float_to_float16(own, keep_io_types=True))
    unsorted.graph.sort()
    half: onnx.ModelProto = onnx_ir.to_proto(unsorted)
    onnx.checker.check_model(half, full_check=True)
    return half


def _forget_sources(model: onnx.ModelProto) -> None:
    """Remove the stack traces that torch adds to every node: they contain paths of the machine."""
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.initializer, *graph.input, *graph.output):
        part.ClearField("metadata_props")
    graph.ClearField("value_info")

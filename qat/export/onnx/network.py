"""Any network as an ONNX file: of whole integers, of dynamic ranges, or float."""

import warnings
from collections.abc import Mapping
from pathlib import Path

import onnx
from torch import Tensor, fx, nn

from qat.convert.clipped import ClippedSignsWarning, watching_signs
from qat.export.onnx.dynamic import dynamic_onnx
from qat.export.onnx.file import save_onnx
from qat.export.onnx.floating import float_onnx
from qat.export.onnx.qdq import to_onnx
from qat.export.parity.network import Exported
from qat.export.program import Program
from qat.export.read import read_with_names
from qat.layers.walk import twins
from qat.quantizers.dynamic import is_dynamic


def export_onnx(net: nn.Module, path: Path | str, example: Tensor) -> Exported:
    """Write a network as an ONNX file, whole or not at all.

    In placement ``integer`` a network becomes QuantizeLinear and DequantizeLinear on stored
    integers, with dynamic ranges DynamicQuantizeLinear and integer products; a network without
    quantizers stays float.

    Args:
        net: Float, or quantized and calibrated.
        path: The file.
        example: A few preprocessed images.

    Returns:
        The file with what it takes to hold it against the simulation.

    Warns:
        ClippedSignsWarning: If the images show unsigned codes negative values; the layer is named.

    Raises:
        ExportError: If the network has no such form: of placement ``academic``, not calibrated, a
            method whose levels are not evenly spaced; or torch cannot export it.
        UnsupportedOperationError: If an operation has no integer form; its line is named.
        OSError: If the file cannot be written; an older one stays.
    """
    path = Path(path)
    model, program, stored = _model(net, example)
    save_onnx(model, path)
    return Exported(path, net) if program is None else Exported(path, net, program, stored)


def check_export(net: nn.Module, example: Tensor) -> None:
    """Make the ONNX model of a network and drop it; raises what :func:`export_onnx` raises."""
    _model(net, example)


def _model(
    net: nn.Module, example: Tensor
) -> tuple[onnx.ModelProto, Program | None, Mapping[fx.Node, str]]:
    """The model and, of one of whole integers, its program and the names of stored tensors."""
    layers = [twin for _, twin in twins(net)]
    if any(is_dynamic(twin.input_quantizer) for twin in layers):
        return dynamic_onnx(net, example), None, {}
    if not layers:
        return float_onnx(net, example), None, {}
    with watching_signs(net) as clipped:
        program, stored = read_with_names(net, example)
    for clip in clipped:
        warnings.warn(str(clip), ClippedSignsWarning, stacklevel=3)
    return to_onnx(program), program, stored

"""Any network as an ONNX file: integer, with dynamic ranges, or float."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import onnx
from torch import Tensor, fx, nn

from qat.convert.clipped import ClippedSignsWarning, watching_signs
from qat.core.formats import LOW_BIT_FORMATS
from qat.export.errors import ExportError
from qat.export.onnx.dynamic import dynamic_onnx
from qat.export.onnx.file import save_onnx
from qat.export.onnx.floating import float_onnx
from qat.export.onnx.qdq import to_onnx
from qat.export.parity.network import Exported
from qat.export.program import Program
from qat.export.read import read_with_names
from qat.layers.twin import QuantTwin
from qat.layers.walk import twins
from qat.quantizers.dynamic import is_dynamic


def export_onnx(net: nn.Module, path: Path | str, example: Tensor) -> Exported:
    """Write a network as an ONNX file, atomically.

    A network in placement ``integer`` becomes QuantizeLinear and DequantizeLinear with stored
    integers; a network with dynamic ranges becomes DynamicQuantizeLinear and integer products; a
    network without quantizers stays float.

    Args:
        net: Float, or quantized and calibrated.
        path: File to write or to replace.
        example: A few preprocessed images.

    Returns:
        The file, and what is needed to compare it with the simulation.

    Warns:
        ClippedSignsWarning: If a tensor with unsigned codes has negative values for these images;
            the warning names the layer.

    Raises:
        ExportError: If the network cannot be exported: placement ``academic``, not calibrated,
            quantization levels that are not evenly spaced, or a limit of torch's exporter.
        UnsupportedOperationError: If an operation has no integer form; the message has its line.
        OSError: If the file cannot be written; an older file is kept.

    Example:
        >>> import tempfile, torch, qat
        >>> net, images = nn.Sequential(nn.Linear(4, 2)).eval(), torch.ones(2, 4)
        >>> plan = qat.make_plan(net, qat.Scheme(placement="integer"), images)
        >>> qnet = qat.quantize(net, plan, images)
        >>> qat.calibrate(qnet, [images])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     exported = export_onnx(qnet, Path(folder) / "net.onnx", images)
        ...     [node.op_type for node in onnx.load(exported.file).graph.node][-3:]
        ['QuantizeLinear', 'DequantizeLinear', 'Identity']
    """
    path = Path(path)
    model, program, stored = _model(net, example)
    save_onnx(model, path)
    return Exported(path, net) if program is None else Exported(path, net, program, stored)


def check_export(net: nn.Module, example: Tensor) -> None:
    """Build the ONNX model of a network without writing it, to see whether export works.

    Args:
        net: Float, or quantized and calibrated.
        example: A few preprocessed images.

    Raises:
        ExportError: As :func:`export_onnx`.
        UnsupportedOperationError: As :func:`export_onnx`.
    """
    _model(net, example)


def _model(
    net: nn.Module, example: Tensor
) -> tuple[onnx.ModelProto, Program | None, Mapping[fx.Node, str]]:
    """The model; for an integer network also its program and the names of stored tensors."""
    layers = [twin for _, twin in twins(net)]
    _check_formats(layers)
    if any(is_dynamic(twin.input_quantizer) for twin in layers):
        return dynamic_onnx(net, example), None, {}
    if not layers:
        return float_onnx(net, example), None, {}
    with watching_signs(net) as clipped:
        program, stored = read_with_names(net, example)
    for clip in clipped:
        warnings.warn(str(clip), ClippedSignsWarning, stacklevel=3)
    return to_onnx(program), program, stored


def _check_formats(layers: Sequence[QuantTwin]) -> None:
    """Refuse low-bit floats, which no operator of an integer network has."""
    for twin in layers:
        for slot in ("weight", "act"):
            spec = getattr(twin.plan, slot)
            if spec.format in LOW_BIT_FORMATS and not spec.is_off:
                raise ExportError(
                    f"{twin.plan.name} has {slot} format {spec.format}, and an integer file has "
                    f"integers only: set scheme.{slot}.format=int, or save the packed file"
                )

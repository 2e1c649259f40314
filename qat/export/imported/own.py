"""An ONNX file that this project exported: its plan is in the file, and its names are those of it.

The widths of weights and the free zero points are in the plan; the file stores 3 bits as 4.
"""

from collections.abc import Mapping

import onnx
from onnx import TensorProto
from torch import Tensor, nn

from qat.base.errors import InputError
from qat.base.reading import parse_json
from qat.convert.swap import check_layers
from qat.core.held_plan import HeldPlan, HeldRange
from qat.core.plan import Plan
from qat.core.scheme import TensorSpec
from qat.export.imported.encoding import check_scales
from qat.export.imported.onnx_file import constants, values_of
from qat.export.imported.onnx_graph import read_graph
from qat.export.imported.weights import StoredWeight, weight_remarks
from qat.export.program import OFFSET

_CURE = "export the run again (qat export RUN_DIR --to onnx)"


def own_plan(model: onnx.ModelProto) -> Plan | None:
    """The plan that an exported file has; None for a file of another program.

    Raises:
        InputError: If the file has a plan that cannot be read.
    """
    texts = [entry.value for entry in model.metadata_props if entry.key == "plan"]
    if not texts:
        return None
    try:
        plan = Plan.from_dict(parse_json(texts[0].encode("utf-8")))
    except (InputError, AttributeError) as error:
        raise InputError(f"its plan cannot be read ({error}): {_CURE}") from error
    return plan if plan.tensors else None


def own_ranges(model: onnx.ModelProto, plan: Plan, net: nn.Module) -> HeldPlan:
    """The ranges of an exported file.

    Args:
        model: The file.
        plan: Its plan.
        net: The float network that the plan is for.

    Raises:
        InputError: If the file belongs to another network, or lacks a scale.
        UnknownNameError: If the network lacks a layer of the plan.
    """
    check_layers(net, plan)
    tensors = constants(model.graph)
    ranges = {}
    for name, layer in plan.layers.items():
        _check_outputs(name, net, tensors)
        ranges[f"{name}.weight"] = _range(f"{name}/weight_", layer.weight, tensors, 0)
    for name, tensor in plan.tensors.items():
        if tensor.shares is None:
            shift = OFFSET if tensor.spec.signed else 0
            ranges[f"{name}.tensor"] = _range(f"{name}/", tensor.spec, tensors, shift)
    return HeldPlan(plan, ranges)


def own_remarks(model: onnx.ModelProto, net: nn.Module, example: Tensor) -> tuple[str, ...]:
    """One line if the weights of an exported file are not those of a network, or none.

    Args:
        model: The file; batch norm is folded in it.
        net: The float network, with the layers of the file.
        example: Preprocessed images.
    """
    layers = {f"{name}/weight": name for name, _ in net.named_modules()}
    stored = {
        layers[key]: StoredWeight(weight.values, weight.encoding.scale)
        for key, weight in read_graph(model.graph).weights.items()
        if key in layers and weight.values is not None
    }
    return weight_remarks(stored, net, example, folds=True)


def _range(
    prefix: str, spec: TensorSpec, tensors: Mapping[str, TensorProto], shift: int
) -> HeldRange:
    scale, zeros = (_numbers(f"{prefix}{part}", tensors) for part in ("scale", "zero_point"))
    try:
        check_scales(scale)
    except InputError as error:
        raise InputError(f"{prefix}scale {error}: {_CURE}") from error
    zeros = zeros * len(scale) if len(zeros) == 1 else zeros
    held = HeldRange(tuple(scale), tuple(int(zero) - shift for zero in zeros))
    grid = spec.grid()
    if any(not grid.qmin <= zero <= grid.qmax for zero in held.zero_point):
        raise InputError(
            f"{prefix}zero_point is outside the codes {grid.qmin} to {grid.qmax} of its plan: "
            f"{_CURE}"
        )
    return held


def _numbers(name: str, tensors: Mapping[str, TensorProto]) -> list[float]:
    if name not in tensors:
        raise InputError(f"it has a plan and no {name!r}: {_CURE}")
    return [float(value) for value in values_of(name, tensors).reshape(-1)]


def _check_outputs(name: str, net: nn.Module, tensors: Mapping[str, TensorProto]) -> None:
    """Compare the number of scales with the channels of the network's layer."""
    scales = tensors.get(f"{name}/weight_scale")
    own = getattr(net.get_submodule(name), "weight", None)
    count = 1 if scales is None or not scales.dims else scales.dims[0]
    if own is not None and count not in (1, own.shape[0]):
        raise InputError(
            f"layer {name!r} has {count} output channels in the file and {own.shape[0]} in the "
            "network: choose the network of the file (model=NAME)"
        )

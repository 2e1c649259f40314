"""A plan with wider codes, for trainings that lower the width step by step."""

from dataclasses import replace

from qat.core.plan import LayerPlan, Plan
from qat.core.scheme import TensorSpec


def at_least(plan: Plan, bits: int) -> Plan:
    """A copy in which no tensor on an integer grid has fewer bits.

    Tensors with more bits, in a float format, or not quantized stay as they are.

    Args:
        plan: The plan.
        bits: Smallest width of a code.

    Example:
        >>> layer = LayerPlan("fc", "Linear", TensorSpec(bits=2), TensorSpec(bits=8))
        >>> raised = at_least(Plan({"fc": layer}), 4).layers["fc"]
        >>> raised.weight.bits, raised.act.bits
        (4, 8)
    """
    layers = {name: _raised_layer(layer, bits) for name, layer in plan.layers.items()}
    tensors = {
        name: replace(tensor, spec=raised_spec(tensor.spec, bits))
        for name, tensor in plan.tensors.items()
    }
    return replace(plan, layers=layers, tensors=tensors)


def raised_spec(spec: TensorSpec, bits: int) -> TensorSpec:
    """The spec with at least so many bits, if it has an integer grid.

    Args:
        spec: Of a tensor.
        bits: Smallest width.

    Example:
        >>> raised_spec(TensorSpec(bits=3), 4).bits, raised_spec(TensorSpec(bits=32), 4).bits
        (4, 32)
    """
    has_fewer = spec.format == "int" and not spec.is_off and spec.bits < bits
    return spec.but(bits=bits) if has_fewer else spec


def _raised_layer(layer: LayerPlan, bits: int) -> LayerPlan:
    output = None if layer.output is None else raised_spec(layer.output, bits)
    weight, act = raised_spec(layer.weight, bits), raised_spec(layer.act, bits)
    return replace(layer, weight=weight, act=act, output=output)

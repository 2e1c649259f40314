"""A check that a float network has an integer form, before any long computation.

The check refuses every operation that the export would refuse, and names its layer and its line.
"""

from torch import Tensor, fx, nn

from qat.graph.attributes import attributes, pool_kind
from qat.graph.operations import LAYERS, Operation, refusal
from qat.graph.points import Placement
from qat.graph.trace import where
from qat.graph.values import run_values
from qat.layers.registry import twin_of


def check_integer_form(traced: fx.GraphModule, placement: Placement, example: Tensor) -> None:
    """Check every operation of a traced float network.

    Args:
        traced: The network.
        placement: The places of its quantizers.
        example: Preprocessed images, which decide the sizes that the network computes.

    Raises:
        UnsupportedOperationError: If an operation has no integer form; the message names its
            line.
    """
    values = run_values(traced, example)
    for operation in placement.operations.values():
        if operation.kind in ("input", "output"):
            continue
        module = None
        if operation.node.op == "call_module":
            module = traced.get_submodule(str(operation.node.target))
        if module is not None and operation.kind in LAYERS:
            _check_layer(operation, module)
        if operation.kind != "adaptive_avg_pool" or pool_kind(operation, values) == "avg_pool":
            attributes(operation, module, values)


def _check_layer(operation: Operation, layer: nn.Module) -> None:
    name = f"{type(layer).__name__} {operation.name!r} at {where(operation.node)}"
    if operation.kind == "norm":
        if getattr(layer, "running_var", None) is None:
            raise refusal(f"{name} keeps no running statistics, so it cannot be folded")
    elif twin_of(layer) is None:
        raise refusal(
            f"{name} computes its weight again at each call (as weight_norm does), so it has no "
            "integer weight unless the parametrization is removed"
        )

"""An independent count of a plan's costs, for tests of budgets."""

from collections.abc import Sequence

from torch import Tensor, nn

from qat.allocate.costs import Latency, LiveTensors
from qat.core.plan import Plan
from qat.cost.macs import layer_costs, total_bops


def spent_by(
    net: nn.Module,
    plan: Plan,
    example: Tensor,
    latency: Latency | None = None,
    steps: Sequence[LiveTensors] = (),
) -> dict[str, float]:
    """Costs of a plan, counted from the network and the plan and not by :class:`NetworkCosts`.

    Args:
        net: The float network.
        plan: With the chosen widths.
        example: A batch that the network accepts.
        latency: Measured times; None leaves ``latency_ms`` out.
        steps: Lifetimes of activations; without them ``peak_activation_bytes`` is left out.

    Returns:
        Name of the cost → value.
    """
    layers = layer_costs(net, plan, example)
    weights = sum(layer.weights for layer in layers)
    spent = {
        "weight_bytes": float(sum(layer.weight_bytes for layer in layers)),
        "average_weight_bits": sum(c.weights * c.weight_bits for c in layers) / weights,
        "bops": float(total_bops(layers)),
    }
    widths = {layer.name: layer for layer in layers}
    if latency is not None:
        pairs = ((n, widths[n].weight_bits, widths[n].act_bits) for n in latency)
        spent["latency_ms"] = sum(latency[name][weight, act] for name, weight, act in pairs)
    alive = [
        step.fixed_bits + sum(n * widths[name].act_bits for name, n in step.elements.items())
        for step in steps
    ]
    return spent | ({"peak_activation_bytes": max(alive) / 8} if alive else {})

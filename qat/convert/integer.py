"""Conversion of a float network to a network that an integer runtime computes.

Jacob et al. 2018, arXiv:1712.05877, section 3: batch norm is folded into the layer before it, a
quantizer follows every tensor that is stored, biases have integer codes. A batch norm that cannot
be folded becomes a depthwise convolution with a kernel of one pixel.
"""

from collections import Counter
from dataclasses import replace

from torch import fx, nn

from qat.base.errors import UnknownNameError
from qat.convert.modules import make_twin, replace_module
from qat.core.plan import LayerPlan, Plan
from qat.graph.operations import LAYERS
from qat.graph.points import Placement, place
from qat.graph.rewrite import free_name
from qat.graph.trace import check_training, trace
from qat.layers.norm import scale_and_shift
from qat.layers.tensor import QuantTensor
from qat.layers.walk import tensors, twins
from qat.quantizers.base import Quantizer

PLAN = "plan"
"""Key of the plan in the graph's ``meta``."""
TENSORS = "tensors"
"""Submodule of the quantizers between layers; underscores follow if the name is taken."""


def quantize_integer(net: nn.Module, plan: Plan, *, keep_norms: bool = False) -> fx.GraphModule:
    """Return the quantized network of an integer plan, as a graph.

    Args:
        net: The float network of the plan; it is not changed.
        plan: A plan in placement ``integer``.
        keep_norms: Fold batch norm at each use, for training, instead of once.

    Raises:
        KeyError: If the plan belongs to another network.
        TraceError: If the network cannot be traced, or, with ``keep_norms``, its ``forward``
            computes something else in training.
    """
    if keep_norms:
        check_training(net)
    traced = trace(net)
    placement = place(traced)
    _check(plan, placement)
    for name, layer in plan.layers.items():
        _swap(traced, name, layer, placement.norms.get(name), keep_norms)
    quantizers = _insert(traced, placement, plan)
    for operation in placement.operations.values():
        if operation.kind in LAYERS and operation.name not in placement.norms.values():
            twin = traced.get_submodule(str(operation.node.target))
            twin.source = (quantizers[placement.leader(operation.inputs[0])],)  # type: ignore[assignment]
    traced.graph.eliminate_dead_code()
    _expect_unions(traced)
    traced.recompile()
    traced.delete_all_unused_submodules()
    for operation in placement.operations.values():
        if operation.name in placement.norms.values():  # its layer has it now
            traced.delete_submodule(str(operation.node.target))
    traced.meta[PLAN] = plan
    return traced


def fold_norms(qnet: nn.Module) -> None:
    """Fold batch norm into weights and biases for good, in place, at the end of training.

    Only a network in placement ``integer`` that was quantized with ``keep_norms=True`` has batch
    norms to fold; others do not change.

    Example:
        >>> import qat, torch
        >>> layers = nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 2)
        >>> net = nn.Sequential(*layers)
        >>> images = torch.rand(4, 1, 2, 2)
        >>> plan = qat.make_plan(net, qat.Scheme(placement="integer"), images)
        >>> qnet = qat.quantize(net, plan, keep_norms=True)
        >>> type(qnet.get_submodule("0").norm).__name__
        'BatchNorm2d'
        >>> qat.fold_norms(qnet)
        >>> qnet.get_submodule("0").norm is None
        True
    """
    for _, twin in twins(qnet):
        twin.fold()
        twin.fit_bias()


def _swap(
    traced: fx.GraphModule, name: str, plan: LayerPlan, norm_name: str | None, keep_norms: bool
) -> None:
    layer = traced.get_submodule(name)
    if isinstance(layer, nn.BatchNorm2d):
        layer = _pointwise(layer)
    # A quantizer between layers has rounded the input already.
    twin = make_twin(layer, replace(plan, act=plan.act.but(format="float")))
    twin.plan = plan
    if norm_name is not None:
        twin.norm = traced.get_submodule(norm_name)
        if not keep_norms:
            twin.fold()
    replace_module(traced, name, twin)


def _pointwise(norm: nn.BatchNorm2d) -> nn.Conv2d:
    """Return the depthwise convolution that equals a batch norm with fixed statistics."""
    channels = norm.num_features
    scale, shift = scale_and_shift(norm)
    layer = nn.Conv2d(channels, channels, 1, groups=channels, device="meta")
    layer.weight = nn.Parameter(scale.detach().reshape(-1, 1, 1, 1))
    layer.bias = nn.Parameter(shift.detach())
    return layer.train(norm.training)


def _insert(traced: fx.GraphModule, placement: Placement, plan: Plan) -> dict[str, QuantTensor]:
    """Insert the quantizers into the graph and remove the folded norms."""
    folder, modules = free_name(traced, TENSORS), nn.Module()
    traced.add_module(folder, modules)
    modules_by_tensor: dict[str, QuantTensor] = {}
    paths: dict[str, str] = {}
    device = next(traced.parameters()).device
    for name, tensor in plan.tensors.items():
        if tensor.shares is None:
            modules_by_tensor[name] = QuantTensor(tensor).train(traced.training).to(device)
            module_name = free_name(modules, name.replace(".", "_").replace(":", "_"))
            modules.add_module(module_name, modules_by_tensor[name])
            paths[name] = f"{folder}.{module_name}"
    for operation in placement.operations.values():
        if operation.name in placement.norms.values():
            operation.node.replace_all_uses_with(operation.inputs[0])
    for name, point in placement.points.items():
        node = point.node
        if point.members[-1] in placement.norms.values():
            node = next(o.inputs[0] for o in placement.operations.values() if o.node is node)
        with traced.graph.inserting_after(node):
            rounded = traced.graph.call_module(paths[placement.shares[name]])
        node.replace_all_uses_with(rounded)
        rounded.args = (node,)
    return modules_by_tensor


def _expect_unions(traced: fx.GraphModule) -> None:
    """Set for each observer how many tensors of a forward pass share its scale."""
    uses = Counter(str(node.target) for node in traced.graph.nodes if node.op == "call_module")
    for path, tensor in tensors(traced):
        if isinstance(tensor.quantizer, Quantizer):
            tensor.quantizer.observer.expect(uses[path])


def _check(plan: Plan, placement: Placement) -> None:
    if plan.tensors.keys() != placement.points.keys():
        unknown = sorted(plan.tensors.keys() ^ placement.points.keys())
        raise UnknownNameError(
            f"the plan belongs to another network: tensors differ, such as {', '.join(unknown[:5])}"
        )

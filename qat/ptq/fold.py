"""Fold batch norm into the layer before it, in the float network.

The sums are those of conversion, :mod:`qat.layers.norm` (Krishnamoorthi 2018, arXiv:1806.08342,
section 3.2). In placement ``academic`` a network keeps its batch norms unless this step folds them.
In placement ``integer`` conversion folds them in any case; the step then changes no number beyond
float rounding, and gives later steps the folded weights and the statistics of each layer's output.

A batch norm normalises its input, so that its output has mean beta and standard deviation |gamma|
for each channel, over the training data. Later steps need these statistics without data
(Nagel et al. 2019, arXiv:1906.04721, section 4.2).

Cites: krishnamoorthi2018whitepaper, nagel2019datafree.
"""

from collections import Counter

import torch
from torch import fx, nn

from qat.base.errors import InputError
from qat.convert.modules import replace_module
from qat.graph.trace import trace
from qat.layers.norm import folded
from qat.layers.registry import twin_of
from qat.ptq.step import FloatStep
from qat.ptq.work import ChannelStatistics, FloatWork

_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


class Fold(FloatStep):
    """Fold every batch norm whose input is the output of one layer; others stay."""

    @torch.no_grad()
    def change(self, work: FloatWork) -> None:
        """Replace each such batch norm by an identity, and note the statistics of its layer.

        Raises:
            InputError: If a batch norm has no running statistics.
            TraceError: If the network cannot be traced; the message names the line.
        """
        for layer_name, norm_name in norms_behind_layers(work.net).items():
            layer, norm = (work.net.get_submodule(name) for name in (layer_name, norm_name))
            assert isinstance(layer.weight, nn.Parameter)
            assert isinstance(norm, _NORMS)
            weight, bias = folded(layer.weight, layer.bias, norm)  # type: ignore[arg-type]
            _check_finite(norm_name, weight)
            layer.weight = nn.Parameter(weight.detach())
            layer.bias = nn.Parameter(bias.detach())
            replace_module(work.net, norm_name, nn.Identity().eval())
            work.statistics[layer_name] = _statistics(norm)


def norms_behind_layers(net: nn.Module) -> dict[str, str]:
    """Layer → batch norm that alone reads its output, of pairs that are called once.

    Args:
        net: A float network; it is not changed.

    Raises:
        TraceError: If the network cannot be traced; the message names the line.

    Example:
        >>> net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.BatchNorm2d(4))
        >>> norms_behind_layers(net)
        {'0': '1'}
    """
    traced = trace(net)
    nodes = [node for node in traced.graph.nodes if node.op == "call_module"]
    calls = Counter(str(node.target) for node in nodes)
    pairs = {}
    for node in nodes:
        layer, norm = _source(node), str(node.target)
        if layer is None or not isinstance(net.get_submodule(norm), _NORMS):
            continue
        name = str(layer.target)
        known = layer.op == "call_module" and twin_of(net.get_submodule(name)) is not None
        if known and len(layer.users) == calls[name] == calls[norm] == 1:
            pairs[name] = norm
    return pairs


def _source(node: fx.Node) -> fx.Node | None:
    return node.args[0] if node.args and isinstance(node.args[0], fx.Node) else None


def _statistics(norm: nn.BatchNorm1d | nn.BatchNorm2d) -> ChannelStatistics:
    like = norm.running_var
    assert like is not None
    mean = torch.zeros_like(like) if norm.bias is None else norm.bias.detach().clone()
    std = torch.ones_like(like) if norm.weight is None else norm.weight.detach().abs()
    return ChannelStatistics(mean, std)


def _check_finite(name: str, weight: torch.Tensor) -> None:
    if not bool(torch.isfinite(weight).all()):
        raise InputError(
            f"batch norm {name!r} cannot be folded: its statistics give weights that are NaN or "
            "infinite; train or load the float network again"
        )

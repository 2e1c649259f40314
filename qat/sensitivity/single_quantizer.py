"""A network whose quantizers can be put in place one at a time.

The *host* is the converted network without its quantizers: it computes the same as the float one
(in placement ``integer`` with folded batch norm). Beside it is a calibrated quantizer for every
slot and width. All of them are calibrated on the float network's activations, as in ordinary
calibration, so that a network converted later by a plan gets exactly the same ranges.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from qat.convert.calibrate import calibrate, calibrate_from, collected, statistics_keys
from qat.convert.swap import quantize
from qat.core.plan import Plan
from qat.layers.twin import QuantTwin
from qat.layers.walk import SLOTS, tensors, twins
from qat.sensitivity.widths import FLOAT_BITS, Slot, at_width, slots_of


@dataclass(frozen=True)
class Site:
    """The place of a slot's quantizer in a network.

    Attributes:
        path: Module path of the layer, or of the tensor between layers.
        attribute: Name of the attribute of that module.
    """

    path: str
    attribute: str


@dataclass(frozen=True)
class Fitted:
    """Host and quantizers.

    Attributes:
        host: The network, every quantizer an identity, in evaluation mode.
        sites: Slot → place of its quantizer. In placement ``integer`` a tensor that several
            layers read is listed only under the first of them.
        quantizers: ``(layer, slot, bits)`` → calibrated quantizer; none for float.
    """

    host: nn.Module
    sites: dict[Slot, Site]
    quantizers: dict[tuple[str, str, int], nn.Module]

    @contextmanager
    def placed(self, net: nn.Module, slot: Slot, bits: int) -> Iterator[None]:
        """Put one quantizer into its place during the block.

        Args:
            net: The host, or a copy of it.
            slot: ``(layer, weight | act)``.
            bits: Width; at 32 nothing is quantized.
        """
        site = self.sites[slot]
        module = net.get_submodule(site.path)
        before = getattr(module, site.attribute)
        float_width = bits == FLOAT_BITS
        quantizer = nn.Identity() if float_width else self.quantizers[*slot, bits]
        setattr(module, site.attribute, quantizer)
        try:
            yield
        finally:
            setattr(module, site.attribute, before)


def fit_quantizers(
    net: nn.Module, plan: Plan, widths: Sequence[int], batches: Iterable[Any]
) -> Fitted:
    """Calibrate a quantizer for every slot of a plan at every width.

    Args:
        net: The float network.
        plan: Its layers, methods and layouts; its widths do not matter.
        widths: Candidates.
        batches: Calibration images, or tuples that begin with them; the network runs over them
            once for each width at most.
    """
    kept = list(batches)
    narrow = [bits for bits in widths if bits != FLOAT_BITS] or [8]
    shared: tuple[dict[str, Any], dict[str, Tensor]] = ({}, {})
    quantizers: dict[tuple[str, str, int], nn.Module] = {}
    for bits in narrow:
        qnet = quantize(net, at_width(plan, bits))
        keys = statistics_keys(qnet)
        if keys is not None and (not keys or keys == shared[0]):
            calibrate_from(qnet, shared[1])
        else:
            calibrate(qnet, kept)
            shared = (keys, collected(qnet)) if keys else shared
        sites = _sites(qnet, plan)
        for slot, site in sites.items():
            quantizer = getattr(qnet.get_submodule(site.path), site.attribute)
            quantizers[*slot, bits] = quantizer.eval()
    return Fitted(_emptied(qnet).eval(), sites, quantizers)


def _sites(qnet: nn.Module, plan: Plan) -> dict[Slot, Site]:
    paths = {tensor: path for path, tensor in tensors(qnet)}
    layers: dict[str, QuantTwin] = dict(twins(qnet))
    sites: dict[Slot, Site] = {}
    for name, slot in slots_of(plan):
        twin = layers[name]
        site = Site(name, SLOTS[slot])
        if slot == "act" and twin.source:
            site = Site(paths[twin.source[0]], "quantizer")
        if site not in sites.values():
            sites[name, slot] = site
    return sites


def _emptied(qnet: nn.Module) -> nn.Module:
    """The same network with the identity for every quantizer."""
    for _, twin in twins(qnet):
        for attribute in SLOTS.values():
            setattr(twin, attribute, nn.Identity())
    for _, tensor in tensors(qnet):
        tensor.quantizer = nn.Identity()
    return qnet

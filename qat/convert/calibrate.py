"""The phases of a quantized network: observe, quantize, off."""

import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from qat.base.allowed import one_of
from qat.base.errors import InputError
from qat.base.progress import Track
from qat.convert.clipped import ClippedSignsWarning, watching_signs
from qat.convert.going_around import every_layer_called
from qat.core.evaluation_mode import evaluating
from qat.core.processes import alone
from qat.layers.walk import quantizers, twins
from qat.observers.base import Observer
from qat.quantizers.base import PHASES, Quantizer
from qat.quantizers.cast import CastQuantizer

USES = "uses"
"""Beside an observer's own statistics: how many tensors of a forward it saw."""


def set_phase(net: nn.Module, phase: str) -> None:
    """Switch every quantizer of a network to ``observe``, ``quantize`` or ``off``.

    Raises:
        ValueError: If the phase is none of these.
    """
    one_of("phase", phase, PHASES)
    for module in net.modules():
        if isinstance(module, Quantizer | CastQuantizer):
            module.set_phase(phase)


def freeze_observers(net: nn.Module, frozen: bool = True) -> None:
    """Hold all ranges as they are while the network goes on training; or let them follow again."""
    for _, _, quantizer in quantizers(net):
        quantizer.frozen = frozen


@torch.no_grad()
def calibrate(
    net: nn.Module,
    batches: Iterable[Any],
    track: Track | None = None,
    at_once: int | None = None,
) -> None:
    """Fix every range from data, in evaluation mode; ends in phase ``quantize``.

    Activations are observed as the float network has them; each weight is observed once. What was
    observed before is forgotten. Tensors that share a scale (branches of a concatenation, inputs
    of a layer that is called twice) are observed as the union that they are in each batch.

    Args:
        net: A quantized network.
        batches: Image tensors, or tuples that begin with one, on the network's device.
        track: Wraps the batches to show progress.
        at_once: Most images in one forward: a larger batch goes through in parts, and observers
            take their union for the batch. None for whole batches.

    Warns:
        ClippedSignsWarning: If unsigned codes meet negative values; layer and share are named.

    Raises:
        ValueError: If there are no batches, or values are NaN or infinite; the layer is named.
        GoneAroundError: If a planned layer is never called; it is named.
    """
    _start_observing(net)
    acts = [quantizer for _, slot, quantizer in quantizers(net) if slot != "weight"]
    with watching_signs(net) as clipped:
        with evaluating(net), every_layer_called(net):
            count = 0
            for batch in track(batches) if track else batches:
                _observe(net, acts, batch if isinstance(batch, Tensor) else batch[0], at_once)
                count += 1
            if not count:
                raise InputError("calibration got no batches: set calibrate.images to 1 or more")
        _observe_weights(net)
        set_phase(net, "quantize")
        fit_biases(net)
    for clip in clipped:
        warnings.warn(str(clip), ClippedSignsWarning, stacklevel=3)


def _observe(
    net: nn.Module, acts: Iterable[Quantizer], images: Tensor, at_once: int | None
) -> None:
    """One batch, in as many forwards as it takes."""
    parts = [images] if at_once is None else images.split(at_once)
    for quantizer in acts if len(parts) > 1 else ():
        quantizer.observer.expect(None)
    for part in parts:
        net(part)
    for quantizer in acts:
        quantizer.close_batch(len(parts))


def fit_biases(net: nn.Module) -> None:
    """Raise the weight scale of every channel whose bias would not fit 32 bits.

    A training does so at every step; this is for what follows a change of weights or ranges.
    """
    for _, twin in twins(net):
        twin.fit_bias()


def saturated_biases(net: nn.Module) -> dict[str, int]:
    """Layer → how many elements of its bias do not fit 32 bits and are clamped; none is left out.

    After :func:`fit_biases` there are none but of quantizers whose scale cannot be raised.
    """
    found = {name: twin.saturated_biases() for name, twin in twins(net)}
    return {name: count for name, count in found.items() if count}


def statistics_keys(net: nn.Module) -> dict[str, dict[str, Any]] | None:
    """What the activations' statistics depend on beside the float network and the batches.

    Not on widths or symmetry: so networks quantized in different ways may share them.

    Returns:
        ``layer.slot`` → key; None if an observer's statistics cannot be shared.
    """
    found = {}
    for place, observer in _activation_observers(net):
        key = observer.statistics_key()
        if key is None:
            return None
        found[place] = key
    return found


def collected(net: nn.Module) -> dict[str, Tensor]:
    """What the activations' observers saw when the network was calibrated.

    Returns:
        ``layer.slot/name`` → tensor.
    """
    return {
        f"{place}/{name}": value
        for place, observer in _activation_observers(net)
        for name, value in {**observer.statistics(), USES: _whole(observer.uses)}.items()
    }


@torch.no_grad()
def calibrate_from(net: nn.Module, statistics: Mapping[str, Tensor]) -> None:
    """Calibrate by what another network's observers saw, see :func:`collected`.

    Ranges equal those of :func:`calibrate` on the same batches, bit for bit, if
    :func:`statistics_keys` are equal.
    """
    _start_observing(net)
    for place, observer in _activation_observers(net):
        mine = f"{place}/"
        own = {k.removeprefix(mine): v for k, v in statistics.items() if k.startswith(mine)}
        observer.expect(int(own.pop(USES, torch.tensor(1))))
        if own:
            observer.load_statistics(own)
    _observe_weights(net)
    set_phase(net, "quantize")
    fit_biases(net)


def _start_observing(net: nn.Module) -> None:
    for _, slot, quantizer in quantizers(net):
        quantizer.observer.reset()
        quantizer.observer.expect(1 if slot == "weight" else None)
    set_phase(net, "observe")
    for _, slot, quantizer in quantizers(net):
        if slot == "weight":
            quantizer.set_phase("off")


def _whole(uses: int | None) -> Tensor:
    return torch.tensor(1 if uses is None else uses)


def _activation_observers(net: nn.Module) -> Iterator[tuple[str, Observer]]:
    for name, slot, quantizer in quantizers(net):
        if slot != "weight":
            yield f"{name}.{slot}", quantizer.observer


def _observe_weights(net: nn.Module) -> None:
    with alone():  # every rank has the whole of each weight
        for _, twin in twins(net):
            if isinstance(twin.weight_quantizer, Quantizer):
                twin.weight_quantizer.set_phase("observe")
                twin.weight_quantizer(twin.folded()[0])

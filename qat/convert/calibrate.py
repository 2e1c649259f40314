"""Calibration: the ranges of a quantized network from data, and its phases.

The phases are ``observe``, ``quantize`` and ``off``.
"""

import warnings
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from qat.base.allowed import one_of
from qat.base.errors import InputError
from qat.base.progress import Track
from qat.convert.clipped import ClippedSignsWarning, watching_signs
from qat.convert.going_around import every_layer_called
from qat.core.checks import Pending
from qat.core.evaluation_mode import evaluating
from qat.core.processes import alone
from qat.layers.walk import quantizers, twins
from qat.observers.base import Observer
from qat.observers.statistics import Collector
from qat.quantizers.base import PHASES, Quantizer
from qat.quantizers.cast import CastQuantizer

USES = "uses"
"""Key beside an observer's own statistics: how many tensors it saw in each forward pass."""


def set_phase(net: nn.Module, phase: str) -> None:
    """Set the phase of every quantizer of a network.

    Args:
        net: A quantized network.
        phase: ``observe`` collects ranges and passes values unchanged, ``quantize`` rounds,
            ``off`` passes values unchanged.

    Raises:
        ValueError: If the phase is none of these.

    Example:
        >>> from qat.convert.rules import make_plan
        >>> from qat.convert.swap import quantize
        >>> from qat.core.scheme import Scheme
        >>> net, images = nn.Sequential(nn.Linear(2, 3)), torch.ones(4, 2)
        >>> qnet = quantize(net, make_plan(net, Scheme(), images))
        >>> set_phase(qnet, "off")  # computes as the float network
        >>> torch.equal(qnet(images), net(images))
        True
    """
    one_of("phase", phase, PHASES)
    for module in net.modules():
        if isinstance(module, Quantizer | CastQuantizer):
            module.set_phase(phase)


def freeze_observers(net: nn.Module, frozen: bool = True, held: Collection[Quantizer] = ()) -> None:
    """Fix all ranges while a network is trained, or release them.

    Learned steps and clips are parameters, and are still trained.

    Args:
        net: A quantized network.
        frozen: True keeps the ranges as they are; false lets them follow the data again.
        held: Quantizers whose ranges stay as they are in any case.

    Example:
        >>> from qat.convert.rules import make_plan
        >>> from qat.convert.swap import quantize
        >>> from qat.core.scheme import Scheme
        >>> net, images = nn.Sequential(nn.Linear(2, 3)), torch.ones(4, 2)
        >>> qnet = quantize(net, make_plan(net, Scheme(), images))
        >>> calibrate(qnet, [images])
        >>> scale = qnet[0].input_quantizer.qparams().scale.clone()
        >>> freeze_observers(qnet)
        >>> _ = qnet.train()(1000 * images)
        >>> torch.equal(qnet[0].input_quantizer.qparams().scale, scale)
        True
    """
    for _, _, quantizer in quantizers(net):
        quantizer.frozen = frozen or quantizer in held


def set_progress(net: nn.Module, share: float) -> None:
    """Tell all quantizers how far a training is; ``parq`` and methods like it depend on it.

    Call it before each optimizer step.

    Args:
        net: A quantized network.
        share: Share of the optimizer steps that are done, 0 to 1.

    Raises:
        ValueError: If the share is not 0 to 1.

    Example:
        >>> from qat.convert.rules import make_plan
        >>> from qat.convert.swap import quantize
        >>> from qat.core.scheme import Scheme
        >>> net, images = nn.Sequential(nn.Linear(2, 3)), torch.ones(4, 2)
        >>> qnet = quantize(net, make_plan(net, Scheme(), images))
        >>> for step in range(10):
        ...     set_progress(qnet, step / 10)
    """
    if not 0 <= share <= 1:
        raise InputError(f"share must be 0 to 1, got {share}: steps that are done / all steps")
    for _, _, quantizer in quantizers(net):
        quantizer.set_progress(share)


def calibrate(
    net: nn.Module,
    batches: Iterable[Any],
    track: Track | None = None,
    at_once: int | None = None,
) -> None:
    """Set every range from data, in evaluation mode; the network ends in phase ``quantize``.

    Activations are observed with the values of the float network, each weight is observed once.
    Earlier observations are discarded. Tensors that share a scale (branches of a concatenation,
    inputs of a layer that is called twice) count as one tensor in each batch.

    Args:
        net: A quantized network.
        batches: Image tensors, or tuples that begin with one, on the network's device.
        track: Wraps the batches to show progress; None shows none.
        at_once: Largest number of images in one forward pass. A larger batch is split, and its
            parts count as one batch. None for whole batches.

    Warns:
        ClippedSignsWarning: If unsigned codes meet negative values; the message names the layer
            and the share of such values.

    Raises:
        ValueError: If there are no batches, or values are NaN or infinite (the message names the
            layer).
        GoneAroundError: If a planned layer is never called; the message names it.

    Example:
        >>> from qat.convert.rules import make_plan
        >>> from qat.convert.swap import quantize
        >>> from qat.core.scheme import Scheme
        >>> net, images = nn.Sequential(nn.Linear(2, 3)), torch.ones(4, 2)
        >>> qnet = quantize(net, make_plan(net, Scheme(), images))
        >>> calibrate(qnet, [images])
        >>> round(float(qnet[0].input_quantizer.qparams().scale) * 255, 6)
        1.0
    """
    _calibrated(net, batches, track, at_once, complete=False)


def collect(
    net: nn.Module,
    batches: Iterable[Any],
    track: Track | None = None,
    at_once: int | None = None,
    complete: bool = False,
) -> dict[str, Tensor]:
    """Calibrate a network as :func:`calibrate` does, and return the statistics of its activations.

    Args:
        net: A quantized network.
        batches: See :func:`calibrate`.
        track: See :func:`calibrate`.
        at_once: See :func:`calibrate`.
        complete: Collect what every observer needs, not only the network's own ones. The ranges
            are the same, bit for bit.

    Returns:
        ``layer.slot/name`` → tensor, which :func:`calibrate_from` reads.

    Raises:
        ValueError: See :func:`calibrate`.
        GoneAroundError: See :func:`calibrate`.
    """
    return _calibrated(net, batches, track, at_once, complete)


@torch.no_grad()
def _calibrated(
    net: nn.Module,
    batches: Iterable[Any],
    track: Track | None,
    at_once: int | None,
    complete: bool,
) -> dict[str, Tensor]:
    _start_observing(net)
    acts = [quantizer for _, slot, quantizer in quantizers(net) if slot != "weight"]
    pending = Pending()
    with pending.collecting(), watching_signs(net) as clipped:
        with evaluating(net), every_layer_called(net), _collecting(net, complete) as statistics:
            count = 0
            for batch in track(batches) if track else batches:
                _observe(net, acts, batch if isinstance(batch, Tensor) else batch[0], at_once)
                count += 1
            if not count:
                raise InputError("calibration got no batches: set calibrate.images to 1 or more")
            pending.read()
        _load(net, statistics)
        _set_ranges(net, pending)
    for clip in clipped:
        warnings.warn(str(clip), ClippedSignsWarning, stacklevel=4)
    return statistics


@contextmanager
def _collecting(net: nn.Module, complete: bool) -> Iterator[dict[str, Tensor]]:
    """Inside the block, activations are observed by collectors of statistics.

    An observer that shares nothing observes by itself.

    Yields:
        Gets the statistics at the end of the block.
    """
    statistics: dict[str, Tensor] = {}
    own: dict[str, tuple[Quantizer, Observer]] = {}
    collectors: dict[str, Collector] = {}
    for place, quantizer in _activations(net):
        key = quantizer.observer.statistics_key(complete)
        if key is not None:
            own[place] = quantizer, quantizer.observer
            quantizer.observer = collectors[place] = Collector(key["slices"], key["parts"])
            quantizer.observer.expect(None)
    try:
        yield statistics
        for place, collector in collectors.items():
            uses = torch.tensor(collector.uses or 1)
            for name, value in {**collector.statistics(), USES: uses}.items():
                statistics[f"{place}/{name}"] = value
    finally:
        for quantizer, observer in own.values():
            quantizer.observer = observer


def _observe(
    net: nn.Module, acts: Iterable[Quantizer], images: Tensor, at_once: int | None
) -> None:
    """Observe one batch, in one or several forward passes."""
    parts = [images] if at_once is None else images.split(at_once)
    for quantizer in acts if len(parts) > 1 else ():
        quantizer.observer.expect(None)
    for part in parts:
        net(part)
    for quantizer in acts:
        quantizer.close_batch(len(parts))


def _set_ranges(net: nn.Module, pending: Pending) -> None:
    """Take the range of every quantizer from its observer; weights are observed now."""
    _observe_weights(net)
    set_phase(net, "quantize")
    fit_biases(net)
    pending.read()


def fit_biases(net: nn.Module) -> None:
    """Increase the weight scale of every channel whose bias does not fit 32 bits.

    Training does this at every step. Call it after a change of weights or ranges.
    """
    for _, twin in twins(net):
        twin.fit_bias()


def saturated_biases(net: nn.Module) -> dict[str, int]:
    """Count the elements of each bias that do not fit 32 bits and are clamped.

    After :func:`fit_biases` there are none, except with quantizers whose scale cannot be
    increased.

    Returns:
        Layer name → number of clamped elements, without layers that have none.
    """
    counts = {name: twin.saturated_biases() for name, twin in twins(net)}
    return {name: count for name, count in counts.items() if count}


def statistics_keys(net: nn.Module, complete: bool = False) -> dict[str, dict[str, Any]] | None:
    """Return the settings on which the statistics of the activations depend.

    Two quantized versions of one float network whose keys are equal have equal statistics for the
    same batches. Widths and symmetry are not part of the keys.

    Args:
        net: A quantized network.
        complete: Of statistics that serve every observer in place of the network's own ones.

    Returns:
        ``layer.slot`` → key; None if the statistics of an observer cannot be shared.
    """
    keys = {}
    for place, quantizer in _activations(net):
        key = quantizer.observer.statistics_key(complete)
        if key is None:
            return None
        keys[place] = key
    return keys


@torch.no_grad()
def calibrate_from(net: nn.Module, statistics: Mapping[str, Tensor]) -> None:
    """Calibrate a network with the statistics that another network collected.

    If :func:`statistics_keys` of both networks are equal, or the statistics are complete, the
    ranges equal those of :func:`calibrate` on the same batches, bit for bit.

    Args:
        net: A quantized network.
        statistics: Result of :func:`collect` of the other network.
    """
    _start_observing(net)
    _load(net, statistics)
    pending = Pending()
    with pending.collecting():
        _set_ranges(net, pending)


def _load(net: nn.Module, statistics: Mapping[str, Tensor]) -> None:
    """Give each activation's observer its part of the statistics, if they have one."""
    by_place: dict[str, dict[str, Tensor]] = defaultdict(dict)
    for key, value in statistics.items():
        place, _, name = key.rpartition("/")
        by_place[place][name] = value
    for place, quantizer in _activations(net):
        observed = by_place[place]
        if USES in observed:
            quantizer.observer.expect(int(observed.pop(USES)))
        if observed:
            quantizer.observer.load_statistics(observed)


def _start_observing(net: nn.Module) -> None:
    for _, slot, quantizer in quantizers(net):
        quantizer.observer.reset()
        quantizer.observer.expect(1 if slot == "weight" else None)
    set_phase(net, "observe")
    for _, slot, quantizer in quantizers(net):
        if slot == "weight":
            quantizer.set_phase("off")


def _activations(net: nn.Module) -> Iterator[tuple[str, Quantizer]]:
    for name, slot, quantizer in quantizers(net):
        if slot != "weight":
            yield f"{name}.{slot}", quantizer


def _observe_weights(net: nn.Module) -> None:
    with alone():  # every process has all of each weight
        for _, twin in twins(net):
            if isinstance(twin.weight_quantizer, Quantizer):
                twin.weight_quantizer.set_phase("observe")
                twin.weight_quantizer(twin.folded()[0])

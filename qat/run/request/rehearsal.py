"""A rehearsal: the stages of a run on a few images, before any long computation.

The network is evaluated, quantized, calibrated on eight images, run forward and backward once, and
exported. So an error that would appear after hours of training appears at once.
"""

import json
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from qat.base.complaints import one_line
from qat.base.errors import InputError, QatError
from qat.base.plurals import counted
from qat.convert.calibrate import calibrate, set_phase
from qat.convert.held import hold_ranges
from qat.convert.integer import fold_norms
from qat.convert.rules import make_plan
from qat.convert.swap import quantize
from qat.core.plan import Plan
from qat.core.scheme import Method
from qat.data.batches import Batches
from qat.data.bundle import DataBundle
from qat.layers.walk import quantizers
from qat.models.logits import check_logits
from qat.observers.registry import make_observer
from qat.observers.statistics import StatisticsObserver
from qat.run.float_network import FloatNetwork
from qat.run.mixed.request import MixedRequest
from qat.run.prepared import Prepared
from qat.run.request.attention import LIBRARIES, check_attention, check_attention_layers
from qat.run.request.last_batch import check_last_batch, smallest_batch
from qat.training.aids.distillation import check_names
from qat.training.device import check_devices
from qat.training.repeatable import repeatable

_rehearsed: set[str] = set()


def rehearse(prepared: Prepared) -> None:
    """Try every stage of a run; a rehearsal that succeeded in this process is not repeated.

    Raises:
        ValueError: If a stage would fail; it names the layer and line, or the key, and the remedy.
    """
    key = _key(prepared)
    if key in _rehearsed:
        return
    mode, training = prepared.mode, prepared.float_training
    from_library = prepared.network.source in LIBRARIES
    with torch.random.fork_rng(devices=[]):
        net, example = prepared.network.build(), prepared.images.example()
        if prepared.scheme is not None and from_library:
            check_attention_layers(net, prepared.network.name)
        with torch.no_grad():
            check_logits(net.eval()(example), len(example), prepared.data.classes, "evaluation")
        if training is not None:
            _try_training(prepared.data, net, "float.batch_size", training.batch_size)
        if prepared.ptq is not None:
            net = prepared.ptq.changed(net).net
        if prepared.scheme is not None:
            if from_library:
                check_attention(net, example, prepared.network.name)
            held = prepared.held
            plan = make_plan(net, prepared.scheme, example) if held is None else held.plan
            _rehearse_quantized(prepared, plan, net, example)
            if prepared.mixed is not None:
                _rehearse_choice(prepared.mixed, plan, net)
        if mode.exports and prepared.network.source != "builtin":
            from qat.export.onnx.floating import float_onnx  # imports onnx

            float_onnx(net, example)  # the built-in networks are known to export
    _rehearsed.add(key)


def _rehearse_quantized(prepared: Prepared, plan: Plan, net: nn.Module, example: Tensor) -> None:
    mode, training = prepared.mode, prepared.training
    if not plan.layers:
        raise InputError(
            "the scheme leaves every layer float: set scheme.weight.bits or scheme.act.bits, "
            "or mode=float"
        )
    qnet = quantize(net, plan, example, keep_norms=mode.trains)
    if prepared.held is not None:
        hold_ranges(qnet, prepared.held)
    if training is not None:
        if not any(True for _ in quantizers(qnet)):
            raise InputError("mode=qat finds no quantizer to train with: use mode=static for fp16")
        check_devices(training.fit.devices, prepared.device)
        check_names(net, training.distillation.features)
    exported = mode.exports and not mode.is_half
    if not (exported or mode.trains):
        return
    _without_search(qnet)
    calibrate(qnet, [example])
    if training is not None:
        size, fit = training.batch_size, training.fit
        _try_training(
            prepared.data, qnet, "trainer.batch_size", size, fit.devices, fit.fast_dev_run
        )
        set_phase(qnet, "quantize")
        fold_norms(qnet)
    if exported:
        from qat.export.onnx.network import check_export  # imports onnx

        check_export(qnet.eval(), example)


def _rehearse_choice(request: MixedRequest, plan: Plan, net: nn.Module) -> None:
    """Refuse budgets that no choice of widths meets: costs do not depend on the weights."""
    from qat.run.mixed.candidates import candidates_of  # imports scipy

    candidates_of(request, FloatNetwork(net, digest=""), plan)


def _without_search(qnet: nn.Module) -> None:
    """Replace observers that search for a range: here any range serves."""
    for _, _, quantizer in quantizers(qnet):
        if isinstance(quantizer.observer, StatisticsObserver):
            observer = make_observer(Method("minmax"), quantizer.layout.slices)
            quantizer.observer = observer.to(quantizer.calibrated.device)


def _try_training(
    data: DataBundle,
    net: nn.Module,
    key: str,
    batch_size: int,
    devices: int = 1,
    first_only: bool | int = False,
) -> None:
    """Run forward and backward in training mode, on at most as many images as the last batch."""
    images = len(data.training)
    smallest = min(batch_size, images) if first_only else smallest_batch(images, batch_size)
    check_last_batch(key, images, batch_size, smallest, devices)
    count = min(smallest, 2)  # two images show every error that more images would
    batch, labels = Batches(data.training, count, data.preprocess).batch(0)
    was_training, buffers = net.training, {n: b.clone() for n, b in net.named_buffers()}
    try:
        with repeatable(batch.device):
            logits = net.train()(batch)
            check_logits(logits, count, data.classes, "training")
            F.cross_entropy(logits, labels).backward()
    except QatError:
        raise
    except Exception as error:
        if count == 1 and "more than 1 value per channel" in str(error):
            check_last_batch(key, images, batch_size, 0, devices)
        raise InputError(
            f"the network cannot be trained on a batch of {counted(count, 'image')}: "
            f"{one_line(error)}"
        ) from error
    finally:
        net.zero_grad(set_to_none=True)
        net.train(was_training)
        _restore(net, buffers)


def _restore(net: nn.Module, buffers: dict[str, Tensor]) -> None:
    """Restore statistics; buffers that a quantizer has created since stay."""
    with torch.no_grad():
        for name, buffer in net.named_buffers():
            if name in buffers and buffer.shape == buffers[name].shape:
                buffer.copy_(buffers[name])


def _key(prepared: Prepared) -> str:
    """Everything that the outcome of a rehearsal depends on, as JSON."""
    mode = prepared.mode
    trainings = (prepared.float_training, prepared.training)
    parts: dict[str, Any] = {
        "model": [repr(prepared.network), prepared.checkpoint_digest],
        "data": [prepared.data.digest, prepared.data.classes, prepared.settings["data"]],
        "scheme": [repr(prepared.scheme), repr(prepared.held and prepared.held.plan)],
        "held": prepared.settings.get("scheme", {}).get("plan"),
        "ptq": prepared.settings.get("ptq"),
        "mixed": [prepared.settings.get(part) for part in ("sensitivity", "allocate")],
        "does": [mode.name, mode.exports, mode.trains, mode.trains_float],
        "trainings": [
            None
            if each is None
            else [
                *(each.batch_size, each.fit.devices, each.fit.fast_dev_run),
                each.distillation.features,
            ]
            for each in trainings
        ],
    }
    return json.dumps(parts, sort_keys=True, default=str)

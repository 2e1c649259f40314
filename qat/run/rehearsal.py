"""What a run will do, tried on a few images before anything long is computed.

The network is evaluated, quantized, calibrated on eight images, trained on by one step without an
optimizer, and exported: whatever would be refused after hours of training is refused here.
"""

import json
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from qat.base.complaints import one_line
from qat.base.errors import InputError, QatError
from qat.config.checks.deployment import exports
from qat.config.modes import is_half, trains
from qat.config.training_specs import quantized_fit_spec, trains_float
from qat.convert.calibrate import calibrate, set_phase
from qat.convert.integer import fold_norms
from qat.convert.swap import quantize
from qat.core.scheme import Method
from qat.data.batches import Batches
from qat.export.onnx.floating import float_onnx
from qat.export.onnx.network import check_export
from qat.layers.walk import quantizers
from qat.models.logits import check_logits
from qat.observers.mse import MSEObserver
from qat.observers.registry import make_observer
from qat.run.last_batch import check_last_batch, smallest_batch
from qat.training.distributed import check_devices
from qat.training.repeatable import repeatable

if TYPE_CHECKING:
    from qat.run.prepare import Prepared

_rehearsed: set[str] = set()


def rehearse(prepared: "Prepared") -> None:
    """Try every stage of a run; what was tried with the same outcome in this process is not again.

    Raises:
        ValueError: If a stage would fail, naming the layer and line, or the key, and the cure.
    """
    key = _key(prepared)
    if key in _rehearsed:
        return
    config = prepared.config
    with torch.random.fork_rng(devices=[]):
        net, example = prepared.network(), prepared.example()
        with torch.no_grad():
            check_logits(net.eval()(example), len(example), prepared.data.classes, "evaluation")
        if trains_float(config):
            _try_training(prepared, net, "float.batch_size", config.float.batch_size)
        if prepared.scheme is not None:
            _rehearse_quantized(prepared, net, example)
        if exports(config) and config.model.source != "builtin":
            float_onnx(net, example)  # those of the project's own are known to export
    _rehearsed.add(key)


def _rehearse_quantized(prepared: "Prepared", net: nn.Module, example: Tensor) -> None:
    config, plan = prepared.config, prepared.plan(net)
    if not plan.layers:
        raise InputError(
            "the scheme leaves every layer float: set scheme.weight.bits or scheme.act.bits, "
            "or mode=float"
        )
    qnet = quantize(net, plan, keep_norms=trains(config))
    if trains(config):
        if not any(True for _ in quantizers(qnet)):
            raise InputError("mode=qat finds no quantizer to train with: use mode=static for fp16")
        check_devices(config.trainer.devices, prepared.device)
    exported = exports(config) and not is_half(config)
    if not (exported or trains(config)):
        return
    _without_search(qnet)
    calibrate(qnet, [example])
    if trains(config):
        spec = quantized_fit_spec(config)
        size = config.trainer.batch_size
        _try_training(prepared, qnet, "trainer.batch_size", size, spec.devices, spec.fast_dev_run)
        set_phase(qnet, "quantize")
        fold_norms(qnet)
    if exported:
        check_export(qnet.eval(), example)


def _without_search(qnet: nn.Module) -> None:
    """Let extremes give the ranges of which a search would find the best: any range does here."""
    for _, _, quantizer in quantizers(qnet):
        if isinstance(quantizer.observer, MSEObserver):
            quantizer.observer = make_observer(Method("minmax"), quantizer.layout.slices)


def _try_training(
    prepared: "Prepared",
    net: nn.Module,
    key: str,
    batch_size: int,
    devices: int = 1,
    first_only: bool | int = False,
) -> None:
    """A forward and backward pass in training mode, of as few images as an epoch's last batch."""
    images = len(prepared.data.training)
    smallest = min(batch_size, images) if first_only else smallest_batch(images, batch_size)
    check_last_batch(key, images, batch_size, smallest, devices)
    count = min(smallest, 2)  # of more than one image any number does
    batch, labels = Batches(prepared.data.training, count, prepared.data.preprocess).batch(0)
    was_training, buffers = net.training, {n: b.clone() for n, b in net.named_buffers()}
    try:
        with repeatable(prepared.device):
            logits = net.train()(batch)
            check_logits(logits, count, prepared.data.classes, "training")
            F.cross_entropy(logits, labels).backward()
    except QatError:
        raise
    except Exception as error:
        if count == 1 and "more than 1 value per channel" in str(error):
            check_last_batch(key, images, batch_size, 0, devices)
        raise InputError(
            f"the network cannot be trained on a batch of {count} images: {one_line(error)}"
        ) from error
    finally:
        net.zero_grad(set_to_none=True)
        net.train(was_training)
        _restore(net, buffers)


def _restore(net: nn.Module, buffers: dict[str, Tensor]) -> None:
    """Statistics as they were; those that a quantizer made meanwhile stay."""
    with torch.no_grad():
        for name, buffer in net.named_buffers():
            if name in buffers and buffer.shape == buffers[name].shape:
                buffer.copy_(buffers[name])


def _key(prepared: "Prepared") -> str:
    """What the outcome depends on."""
    config = prepared.config
    parts: dict[str, Any] = {
        "model": [str(config.model), prepared.checkpoint_digest],
        "data": [prepared.data.digest, prepared.data.classes, prepared.settings["data"]],
        "scheme": repr(prepared.scheme),
        "device": str(prepared.device),
        "does": [config.mode, exports(config), trains(config), trains_float(config)],
        "batches": [config.float.batch_size, config.trainer.batch_size, config.trainer.devices],
        "dry": config.trainer.fast_dev_run,
    }
    return json.dumps(parts, sort_keys=True, default=str)

"""The figures of a run: accuracies, sizes that were written and read back, costs, torch times."""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from qat.analysis.sqnr import sqnr_db
from qat.base.errors import InputError
from qat.config.schema import MeasureConfig
from qat.core.evaluation_mode import evaluating
from qat.core.network_tensors import own_state
from qat.core.plan import Plan
from qat.cost.macs import layer_costs, total_bops, total_macs
from qat.cost.size import float_file_bytes
from qat.cost.timing import time_forwards
from qat.data.batches import Batches
from qat.data.bundle import DataBundle
from qat.data.labels import is_labelled
from qat.export.packed.network import load_packed, save_packed, theoretical_bytes
from qat.graph.products import UncountedError
from qat.training.evaluate import evaluate

NO_QUANTIZED = "mode=float quantizes nothing"
NO_LABELS = "the test images have no labels"
OF_LABELS = (
    "float_top1",
    "float_top5",
    "float_loss",
    "top1",
    "top5",
    "loss",
    "top1_drop",
    "top1_drop_relative",
)
OF_QUANTIZED = (
    "top1_drop",
    "top1_drop_relative",
    "logit_sqnr_db",
    "packed_bytes",
    "theoretical_bytes",
    "simulated_bytes",
    "compression",
    "peak_activation_bytes",
    "simulated_latency_ms",
)


FLOAT_FIGURES = ("top1", "top5", "loss")
"""What is kept of the float network beside the quantized one, as ``float_top1`` and so on."""
OF_COSTS = ("macs", "bops", "weight_bytes", "average_weight_bits")


def accuracies(logits: Tensor, labels: Tensor, prefix: str = "") -> dict[str, float]:
    """``top1``, ``top5``, ``loss`` under a prefix; nothing of images without labels."""
    if not is_labelled(labels):
        return {}
    metrics = evaluate(nn.Identity(), [(logits, labels)])
    return {f"{prefix}{name}": value for name, value in metrics.items()}


def compared(float_logits: Tensor, logits: Tensor, labels: Tensor) -> dict[str, float]:
    """Accuracies of both networks, the drop, and what became of the logits.

    ``top1_drop`` is float minus quantized, ``top1_drop_relative`` that over float;
    ``float_agreement`` the share of images that both give the same class. Of images without labels
    there is no accuracy.
    """
    before, after = accuracies(float_logits, labels), accuracies(logits, labels)
    metrics = {f"float_{name}": before[name] for name in FLOAT_FIGURES if name in before} | after
    if before:
        metrics["top1_drop"] = before["top1"] - after["top1"]
    if before.get("top1", 0) > 0:
        metrics["top1_drop_relative"] = metrics["top1_drop"] / before["top1"]
    same = float_logits.argmax(dim=1) == logits.argmax(dim=1)
    metrics["float_agreement"] = float(same.double().mean())
    sqnr = sqnr_db(float_logits, logits)
    if math.isfinite(sqnr):
        metrics["logit_sqnr_db"] = sqnr
    return metrics


def costs(
    net: nn.Module, plan: Plan | None, example: Tensor
) -> tuple[dict[str, float], dict[str, str]]:
    """MACs and bit operations for one image, and what all multiplied weights come to.

    Returns:
        The figures, and why any of them is absent: a kernel whose MACs are not known leaves none.
    """
    try:
        rows = layer_costs(net, plan, example)
    except UncountedError as error:
        return {}, dict.fromkeys(OF_COSTS, str(error))
    weights = max(1, sum(row.weights for row in rows))
    metrics = {
        "macs": total_macs(rows),
        "bops": total_bops(rows),
        "weight_bytes": sum(row.weight_bytes for row in rows),
        "average_weight_bits": sum(row.weights * row.weight_bits for row in rows) / weights,
    }
    return metrics, {}


def write_and_verify(qnet: nn.Module, net: nn.Module, path: Path, batches: Iterable[Tensor]) -> int:
    """Write the packed file, read it back, and hold its outputs against the network's.

    Returns:
        Bytes of the file.

    Raises:
        ValueError: If one output differs in one bit.
    """
    size = save_packed(qnet, path)
    restored = load_packed(path, net).eval()
    for batch in batches:
        restored.to(batch.device)
        with torch.inference_mode():
            if not torch.equal(_logits(restored, batch), _logits(qnet, batch)):
                raise InputError(
                    f"{path} does not give the same outputs when read back: a quantizer's forward "
                    "differs from decode(encode(x))"
                )
    return size


def _logits(net: nn.Module, batch: Tensor) -> Tensor:
    with evaluating(net):
        return net(batch)  # type: ignore[no-any-return]


def sizes(
    qnet: nn.Module, net: nn.Module, path: Path, batches: Iterable[Tensor]
) -> dict[str, float]:
    """Bytes of both files, and what the codes alone come to."""
    packed = write_and_verify(qnet, net, path, batches)
    whole = float_file_bytes(net)
    return {
        "float_bytes": whole,
        "packed_bytes": packed,
        "theoretical_bytes": theoretical_bytes(qnet),
        "simulated_bytes": sum(tensor.nbytes for tensor in own_state(qnet).values()),
        "compression": whole / packed,
    }


def times(
    settings: MeasureConfig, data: DataBundle, nets: Mapping[str, nn.Module]
) -> dict[str, float]:
    """Median times in ms of forward passes in torch, the networks in turn.

    Args:
        settings: Batch size, repetitions, warm-up.
        data: Whose test images are taken.
        nets: Metric name → network.
    """
    batch = Batches(data.test, settings.batch_size, data.preprocess).batch(0)[0]
    timings = time_forwards(nets, batch, settings.repeats, settings.warmup)
    suffix = "" if settings.batch_size == 1 else f"_b{settings.batch_size}"
    return {f"{name}{suffix}": taken.median_ms for name, taken in timings.items()}


def unmeasured(
    metrics: Mapping[str, float], classes: int, mode: str, labelled: bool = True
) -> dict[str, str]:
    """Why the figures that are absent are absent."""
    reasons: dict[str, str] = {}
    if classes <= 5:
        reasons |= dict.fromkeys(("top5", "float_top5"), f"the data has {classes} classes")
    if not labelled:
        reasons |= dict.fromkeys(OF_LABELS, NO_LABELS)
    if mode == "float":
        reasons |= dict.fromkeys(OF_QUANTIZED, NO_QUANTIZED)
    else:
        reasons["logit_sqnr_db"] = "the logits are equal: the ratio is infinite"
        reasons.setdefault("top1_drop_relative", "the float accuracy is 0")
    return {name: reason for name, reason in reasons.items() if name not in metrics}

"""The metrics of a run: accuracies, sizes of verified files, costs, and times in torch."""

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
from qat.export.packed.sizes import zero_point_bytes
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
    "zero_point_bytes",
    "simulated_bytes",
    "compression",
    "peak_activation_bytes",
    "simulated_latency_ms",
)


FLOAT_FIGURES = ("top1", "top5", "loss")
"""Accuracies of the float network in a record; their names start with ``float_``."""
OF_RUNTIME = ("runtime_top1", "latency_ms", "float_latency_ms", "speedup")
OF_COSTS = ("macs", "bops", "weight_bytes", "average_weight_bits")


def accuracies(logits: Tensor, labels: Tensor, prefix: str = "") -> dict[str, float]:
    """Accuracies and cross-entropy of logits.

    Args:
        logits: Shape (images, classes).
        labels: Shape (images,); negative labels mean that the images have none.
        prefix: Start of each name, such as ``float_``.

    Returns:
        ``top1`` and ``loss``, and ``top5`` of more than five classes; nothing without labels.

    Example:
        >>> logits = torch.tensor([[2.0, 0.0], [0.0, 2.0], [2.0, 0.0], [2.0, 0.0]])
        >>> accuracies(logits, torch.tensor([0, 1, 1, 0]))["top1"]
        0.75
    """
    if not is_labelled(labels):
        return {}
    metrics = evaluate(nn.Identity(), [(logits, labels)])
    return {f"{prefix}{name}": value for name, value in metrics.items()}


def comparison(float_logits: Tensor, logits: Tensor, labels: Tensor) -> dict[str, float]:
    """Accuracies of both networks, their difference, and the error of the logits.

    ``top1_drop`` is the float accuracy minus the quantized one; ``top1_drop_relative`` is that
    divided by the float accuracy. ``float_agreement`` is the share of images to which both networks
    give the same class. ``logit_sqnr_db`` is absent if the logits are equal. Images without labels
    have no accuracies.

    Args:
        float_logits: Outputs of the float network, shape (images, classes).
        logits: Outputs of the quantized network, of the same shape.
        labels: Shape (images,).

    Example:
        >>> float_logits = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
        >>> metrics = comparison(float_logits, torch.tensor([[1.0, 0.0], [1.0, 0.0]]),
        ...                      torch.tensor([0, 1]))
        >>> metrics["top1_drop"], metrics["float_agreement"]
        (0.5, 0.5)
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
    """Multiply-accumulate operations (MACs) and bit operations (BOPs) for one image; weight sizes.

    Args:
        net: The float network.
        plan: Widths of the quantized network; None counts 32 bits everywhere.
        example: A batch of images.

    Returns:
        The metrics ``macs``, ``bops``, ``weight_bytes`` and ``average_weight_bits``; and the reason
        of each absent one. If the network calls a kernel with unknown MACs, all are absent.
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


def write_and_verify(
    qnet: nn.Module,
    net: nn.Module,
    path: Path,
    batches: Iterable[Tensor],
    logits: Tensor | None = None,
) -> int:
    """Write the packed file, read it back, and compare its outputs with the network's.

    Args:
        qnet: The quantized network.
        net: The float network that it was made from.
        path: The packed file to write.
        batches: Images, shape (batch, channels, height, width), for the comparison.
        logits: Outputs of ``qnet`` for these batches, on any device; None computes them.

    Returns:
        Bytes of the file.

    Raises:
        ValueError: If one output differs in one bit.
    """
    size = save_packed(qnet, path)
    restored = load_packed(path, net).eval()
    compared = 0
    for batch in batches:
        restored.to(batch.device)
        with torch.inference_mode():
            if logits is None:
                expected = _logits(qnet, batch)
            else:
                expected = logits[compared : compared + len(batch)].to(batch.device)
            compared += len(batch)
            if not torch.equal(_logits(restored, batch), expected):
                raise InputError(
                    f"{path} does not give the same outputs when read back: a quantizer's forward "
                    "differs from decode(encode(x))"
                )
    return size


def _logits(net: nn.Module, batch: Tensor) -> Tensor:
    with evaluating(net):
        return net(batch)  # type: ignore[no-any-return]


def sizes(
    qnet: nn.Module,
    net: nn.Module,
    path: Path,
    batches: Iterable[Tensor],
    logits: Tensor | None = None,
    original: nn.Module | None = None,
) -> dict[str, float]:
    """Bytes of the float and the packed file, of parts of it, and of the simulated network.

    Args:
        qnet: The quantized network.
        net: The float network.
        path: The packed file to write.
        batches: Images, shape (batch, channels, height, width), to verify the file with.
        logits: Outputs of ``qnet`` for these batches; None computes them.
        original: The float network whose bytes are compared, if steps of ``ptq`` have changed
            ``net``; None for ``net``.

    Raises:
        ValueError: If the packed file gives another output than ``qnet``.
    """
    packed = write_and_verify(qnet, net, path, batches, logits)
    whole = float_file_bytes(net if original is None else original)
    return {
        "float_bytes": whole,
        "packed_bytes": packed,
        "theoretical_bytes": theoretical_bytes(qnet),
        "zero_point_bytes": zero_point_bytes(path),
        "simulated_bytes": sum(tensor.nbytes for tensor in own_state(qnet).values()),
        "compression": whole / packed,
    }


def times(
    settings: MeasureConfig, data: DataBundle, nets: Mapping[str, nn.Module]
) -> dict[str, float]:
    """Median times of forward passes in torch; the networks take turns.

    Args:
        settings: Batch size, number of timed passes and of warm-up passes.
        data: The data set whose first test images are the input.
        nets: Name of the metric → network.

    Returns:
        Name of the metric → milliseconds; the name ends in ``_b64`` for batches of 64 images.
    """
    batch = Batches(data.test, settings.batch_size, data.preprocess).batch(0)[0]
    timings = time_forwards(nets, batch, settings.repeats, settings.warmup)
    suffix = "" if settings.batch_size == 1 else f"_b{settings.batch_size}"
    return {f"{name}{suffix}": timing.median_ms for name, timing in timings.items()}


def absence_reasons(
    metrics: Mapping[str, float], classes: int, mode: str, labelled: bool = True
) -> dict[str, str]:
    """Why metrics are absent from a record.

    Args:
        metrics: The metrics that the run has.
        classes: Number of classes of the data set.
        mode: Mode of the run, such as ``float``.
        labelled: Whether the test images have labels.

    Returns:
        Name of an absent metric → reason.

    Example:
        >>> absence_reasons({"top1_drop_relative": 0.1}, classes=10, mode="static")
        {'logit_sqnr_db': 'the logits are equal: the ratio is infinite'}
    """
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

"""Scores of a tensor by how the network's outputs change if only this tensor is quantized.

All metrics that read the outputs share the runs: one run for each tensor and width.
"""

from collections.abc import Collection, Sequence

import torch
from torch import Tensor

from qat.base.errors import InputError
from qat.base.progress import Track
from qat.quantizers.dynamic import is_dynamic
from qat.sensitivity.metrics import Metric
from qat.sensitivity.parts import in_parts
from qat.sensitivity.prefix import MEMORY_LIMIT_BYTES, Runner, make_runner
from qat.sensitivity.rounded_values import LabelledBatch
from qat.sensitivity.scores import MetricScores, Task
from qat.sensitivity.single_quantizer import Fitted
from qat.sensitivity.widths import FLOAT_BITS, Slot


def add_output_scores(
    fitted: Fitted,
    scores: Sequence[MetricScores],
    batches: Sequence[LabelledBatch],
    *,
    track: Track | None = None,
    reuse: bool = True,
    memory_limit_bytes: int = MEMORY_LIMIT_BYTES,
) -> None:
    """Measure the missing scores of the metrics that read the outputs; other metrics are skipped.

    Args:
        fitted: Host and quantizers.
        scores: Scores of each metric; the new ones are added to them.
        batches: ``(images, labels)``.
        track: Wraps the list of runs to show progress.
        reuse: Keep what comes before the changed layer; False runs the whole network each time.
        memory_limit_bytes: How much of the activations before a layer may be kept.

    Raises:
        ValueError: If logits are NaN or infinite, or a score is NaN.
    """
    missing = {each: each.missing() for each in scores if each.metric.score}
    tasks = {task for own in missing.values() for task in own}
    if not tasks:
        return
    labels = torch.cat([label for _, label in batches])
    reference, runner = reference_and_runner(
        fitted, tasks, batches, reuse=reuse, memory_limit_bytes=memory_limit_bytes
    )
    runs = _in_order(runner, fitted, tasks)
    for slot, bits in track(runs) if track else runs:
        logits = _outputs(runner, fitted, slot, bits)
        for each, own in missing.items():
            if (slot, bits) in own:
                each.add(slot, bits, _score(each.metric, reference, logits, labels))


def reference_and_runner(
    fitted: Fitted,
    tasks: Collection[Task],
    batches: Sequence[LabelledBatch],
    *,
    reuse: bool = True,
    memory_limit_bytes: int = MEMORY_LIMIT_BYTES,
) -> tuple[Tensor, Runner]:
    """The float network's logits, and a runner in which quantizers can be placed.

    Args:
        fitted: Host and quantizers.
        tasks: Slots and widths that are going to be placed.
        batches: ``(images, labels)``.
        reuse: Keep what comes before the changed layer; False runs the whole network each time.
        memory_limit_bytes: How much of the activations before a layer may be kept.

    Raises:
        ValueError: If the logits are NaN or infinite.
    """
    images = [batch for batch, _ in batches]
    whole = Runner(fitted.host, images)
    reference = whole.outputs("")
    check_finite(reference, "the float network")
    if not reuse:
        return reference, whole
    if images[0].device.type == "cpu" and _rounds_images_alone(fitted, tasks):
        images = in_parts(fitted.host, images, reference)
    return reference, make_runner(fitted.host, images, memory_limit_bytes)


def _rounds_images_alone(fitted: Fitted, tasks: Collection[Task]) -> bool:
    """False if the result for one image may depend on the other images of its batch.

    So it is with dynamic ranges; of a user's quantizer it is unknown.
    """
    acts = [fitted.quantizers[*s, bits] for s, bits in tasks if s[1] == "act" and bits < FLOAT_BITS]
    return all(type(q).__module__.startswith("qat.") and not is_dynamic(q) for q in acts)


def _in_order(runner: Runner, fitted: Fitted, tasks: Collection[Task]) -> list[Task]:
    """Tasks in the order of the runner, so that it can keep what comes before a layer."""
    paths = runner.order(list(dict.fromkeys(site.path for site in fitted.sites.values())))
    return sorted(
        tasks, key=lambda task: (paths.index(fitted.sites[task[0]].path), *task[0], task[1])
    )


def _outputs(runner: Runner, fitted: Fitted, slot: Slot, bits: int) -> Tensor | None:
    """Logits with one tensor quantized; None for float, where nothing changes."""
    if bits == FLOAT_BITS:
        return None
    with fitted.placed(runner.net, slot, bits):
        logits = runner.outputs(fitted.sites[slot].path)
    check_finite(logits, f"the network with {slot[0]} ({slot[1]}) in {bits} bits")
    return logits


def _score(metric: Metric, reference: Tensor, logits: Tensor | None, labels: Tensor) -> float:
    if logits is None:
        return metric.float_score
    assert metric.score is not None
    return metric.score(reference, logits, labels)


def check_finite(logits: Tensor, network: str) -> None:
    """Refuse logits that hold NaN or infinity.

    Args:
        logits: Of a network.
        network: What the network is, for the error.

    Raises:
        ValueError: If one is not finite.
    """
    if not bool(logits.isfinite().all()):
        raise InputError(
            f"{network} gives logits that hold NaN or infinity: repair its weights or the images, "
            "or leave that width out"
        )

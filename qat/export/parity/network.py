"""Is the runtime's network the simulated one? Logits end to end, every layer from its own inputs.

Layer by layer both start from the same codes, those of the runtime, so that one flipped code does
not spread: what is seen is the layer's own arithmetic.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn

from qat.convert.calibrate import saturated_biases
from qat.core.evaluation_mode import evaluating
from qat.export.parity.gate import (
    LayerAgreement,
    LogitAgreement,
    ParityThresholds,
    compare_layers,
    compare_logits,
    first_diverging,
    together,
)
from qat.export.parity.ties import tie_sensitivity
from qat.export.parity.verdict import Verdict, judge, may_be_ties
from qat.export.program import Program
from qat.export.reference.run import output_codes
from qat.export.runtimes.base import Runtime, Session

OFF, ON = "optimizations off", "optimizations on"
SETTINGS = {OFF: False, ON: True}
IMAGES_HELD = 4
SENSITIVITY_IMAGES = 256
Codes = Mapping[str, np.ndarray]
LabelledBatches = Iterable[tuple[Tensor, Tensor]]
"""Batches of preprocessed images with their labels; may be gone through more than once."""


@dataclass(frozen=True)
class Parity:
    """What was found, and the verdict.

    Attributes:
        runtime_logits: Of all images, optimizations on, ``[N, classes]``.
        logits: End to end, by how the runtime was set.
        layers: Each from the same input codes; the worse of both settings.
        diverging: The first layer whose codes differ end to end, by how the runtime was set.
        reference: Logits of the integer-only reference against the simulation.
        verdict: Held against the thresholds.
        sensitivity: Of the simulation to flipped ties, where the verdict needed it.
        saturated: Layer → biases that do not fit 32 bits.
    """

    runtime_logits: np.ndarray
    logits: Mapping[str, LogitAgreement]
    layers: Sequence[LayerAgreement]
    diverging: Mapping[str, LayerAgreement | None]
    reference: LogitAgreement | None
    verdict: Verdict
    sensitivity: LogitAgreement | None = None
    saturated: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Exported:
    """An exported network and what it was made from.

    Attributes:
        file: The ONNX file.
        qnet: The simulation.
        program: Its integer program; None of a network with dynamic ranges, or in float16.
        stored: Node of each quantizer in ``qnet`` → the tensor of ``program`` it makes.
        half: Weights and inputs are float16, in the file and in the simulation.
    """

    file: Path
    qnet: nn.Module
    program: Program | None = None
    stored: Mapping[fx.Node, str] = field(default_factory=dict)
    half: bool = False

    @property
    def logit_scale(self) -> float | None:
        """A step of the logits; None if they lie on no grid."""
        if self.program is None:
            return None
        return float(self.program.formats[self.program.output].scale)


def check_parity(
    exported: Exported,
    runtime: Runtime,
    batches: LabelledBatches,
    simulated: Tensor,
    thresholds: ParityThresholds,
    *,
    threads: int = 1,
    images_off: int | None = None,
    layer_images: int = 16,
    reference_images: int = 4,
) -> Parity:
    """Compare simulation and runtime, graph optimizations off and on.

    Args:
        exported: The network.
        runtime: What executes it.
        batches: Images; a dynamic range is that of a batch.
        simulated: The simulation's logits of these images, computed in the same batches.
        thresholds: What must hold.
        threads: Of the runtime.
        images_off: How many go through it with optimizations off, in whole batches; None for all.
        layer_images: So many of the first batch go layer by layer; 0 for none.
        reference_images: So many go through the integer-only reference; 0 for none.
    """
    expected = simulated.cpu().numpy()
    limits = {OFF: images_off, ON: None}
    found = {
        how: runtime_logits(runtime.load(exported.file, threads, on), batches, limits[how])
        for how, on in SETTINGS.items()
    }
    logits = {
        how: compare_logits(expected[: len(values)], values, exported.logit_scale)
        for how, values in found.items()
    }
    layers: Sequence[LayerAgreement] = ()
    diverging: dict[str, LayerAgreement | None] = {}
    reference = None
    if exported.program is not None and layer_images:
        each = []
        for how, on in SETTINGS.items():
            rows, free = _layers(exported, runtime, first_images(batches, layer_images), on)
            each.append(rows)
            diverging[how] = first_diverging(free)
        layers = [max(pair, key=lambda row: row.max_steps) for pair in zip(*each, strict=True)]
    if exported.program is not None and reference_images:
        reference = reference_parity(exported, first_images(batches, reference_images), simulated)
    saturated = saturated_biases(exported.qnet)
    verdict, sensitivity = judge(logits, thresholds, layers, saturated), None
    if may_be_ties(verdict, thresholds, layers):
        sensitivity = _sensitivity(exported, layers, batches)
        verdict = judge(logits, thresholds, layers, saturated, sensitivity)
    return Parity(found[ON], logits, layers, diverging, reference, verdict, sensitivity, saturated)


def _sensitivity(
    exported: Exported, layers: Sequence[LayerAgreement], batches: LabelledBatches
) -> LogitAgreement:
    """Of the simulation, to as many flipped codes as the layers show."""
    assert exported.program is not None
    images = next(iter(batches))[0][:SENSITIVITY_IMAGES]
    shares = {layer.name: layer.differing for layer in layers}
    return tie_sensitivity(exported.qnet, exported.program, exported.stored, shares, images)


def first_images(batches: LabelledBatches, count: int) -> Iterator[Tensor]:
    """The first ``count`` images on the CPU, few at a time: every tensor of theirs is held."""
    for images, _ in batches:
        yield from images[:count].cpu().split(IMAGES_HELD)
        count -= len(images)
        if count <= 0:
            return


def _layers(
    exported: Exported, runtime: Runtime, batches: Iterable[Tensor], optimize: bool
) -> tuple[Sequence[LayerAgreement], Sequence[LayerAgreement]]:
    """Each layer from the runtime's codes of its inputs; and the simulation left to itself."""
    alone: Sequence[LayerAgreement] = ()
    free: Sequence[LayerAgreement] = ()
    done = 0
    session = _watched(exported, runtime, optimize)
    for images in batches:
        codes = _codes(exported, session, images)
        parts = layer_parity(exported, images, codes), end_to_end(exported, images, codes)
        alone = together(alone, done, parts[0], len(images)) if done else parts[0]
        free = together(free, done, parts[1], len(images)) if done else parts[1]
        done += len(images)
    return alone, free


def runtime_logits(
    session: Session, batches: LabelledBatches, images: int | None = None
) -> np.ndarray:
    """What a runtime makes of the first ``images``, in whole batches; of all for None."""
    parts: list[np.ndarray] = []
    done = 0
    for given, _ in batches:
        if images is not None and done >= images:
            break
        parts.append(session.run(given.cpu().numpy()))
        done += len(given)
    return np.concatenate(parts)


def layer_parity(exported: Exported, images: Tensor, codes: Codes) -> tuple[LayerAgreement, ...]:
    """Every stored tensor, computed by the simulation from the runtime's codes of its inputs.

    Args:
        exported: The network.
        images: Preprocessed.
        codes: The runtime's, of every stored tensor.
    """
    return _simulate(exported, images, codes, follow=True)


def end_to_end(exported: Exported, images: Tensor, codes: Codes) -> tuple[LayerAgreement, ...]:
    """Every stored tensor, the simulation left to itself."""
    return _simulate(exported, images, codes, follow=False)


def reference_parity(
    exported: Exported, batches: Iterable[Tensor], simulated: Tensor
) -> LogitAgreement:
    """Logits of the integer-only reference against the simulation's, of the first images."""
    assert exported.program is not None
    program = exported.program
    codes = np.concatenate([output_codes(program, images.numpy()) for images in batches])
    values = program.formats[program.output].decode(codes)
    return compare_logits(simulated[: len(values)].cpu().numpy(), values, exported.logit_scale)


def _watched(exported: Exported, runtime: Runtime, optimize: bool) -> Session:
    """A session that gives every stored tensor's codes."""
    outputs = [f"{name}/codes" for name in dict.fromkeys(exported.stored.values())]
    return runtime.load(exported.file, 1, optimize, outputs)


def _codes(exported: Exported, session: Session, images: Tensor) -> dict[str, np.ndarray]:
    """What the runtime stores: codes by tensor."""
    found = session.run_all(images.numpy())
    return {name: found[f"{name}/codes"] for name in dict.fromkeys(exported.stored.values())}


def _simulate(
    exported: Exported, images: Tensor, codes: Codes, follow: bool
) -> tuple[LayerAgreement, ...]:
    """Simulated and runtime codes of each stored tensor, compared as they come."""
    assert exported.program is not None
    assert isinstance(exported.qnet, fx.GraphModule)
    formats = exported.program.formats
    device = next(exported.qnet.parameters()).device
    seen: list[LayerAgreement] = []

    class ComparingInterpreter(fx.Interpreter):
        def run_node(self, n: fx.Node) -> Any:
            value = super().run_node(n)
            name = exported.stored.get(n)
            if name is None:
                return value
            form, theirs = formats[name], codes[name].astype(np.int32)
            ours = form.encode(value.cpu().numpy())
            seen.extend(compare_layers([(name, ours, theirs, 1.0)]))
            return torch.from_numpy(form.decode(theirs)).to(value) if follow else value

    with torch.no_grad(), evaluating(exported.qnet):
        ComparingInterpreter(exported.qnet).run(images.to(device))
    return tuple(seen)

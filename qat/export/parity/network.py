"""The parity check of one network: logits end to end, and each layer from the same input codes.

In the check of single layers, simulation and runtime both start from the input codes of the
runtime. A flipped code then does not affect later layers, and a difference is due to the layer's
own arithmetic.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
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
    merge_agreements,
)
from qat.export.parity.stored_codes import StoredCodes, codes_of, groups_within
from qat.export.parity.ties import tie_sensitivity
from qat.export.parity.verdict import Verdict, judge, may_be_ties
from qat.export.program import Program
from qat.export.reference.run import output_codes
from qat.export.runtimes.base import Runtime, Session

OFF, ON = "optimizations off", "optimizations on"
SETTINGS = {OFF: False, ON: True}
IMAGES_HELD = 4
SENSITIVITY_IMAGES = 256
CodesByTensor = Mapping[str, np.ndarray]
LabelledBatches = Iterable[tuple[Tensor, Tensor]]
"""Batches of preprocessed images with their labels; they can be iterated several times."""


@dataclass(frozen=True)
class Parity:
    """All comparisons of a network, and the verdict.

    Attributes:
        runtime_logits: Logits of all images with optimizations on, ``[N, classes]``.
        logits: Setting of the runtime → comparison of the logits, end to end.
        layers: Comparison of each layer from the same input codes; the worse of both settings.
        diverging: Setting of the runtime → first layer whose codes differ, end to end.
        reference: Logits of the integer-only reference compared with the simulation.
        verdict: Result of the comparison with the thresholds.
        sensitivity: Effect of flipped ties on the simulation; None if the verdict did not need it.
        saturated: Layer → number of biases that do not fit into 32 bits.
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
    """An exported network together with the network from which it was made.

    Attributes:
        file: The ONNX file.
        qnet: The simulation in torch.
        program: Integer program; None for float networks, float16 and dynamic ranges.
        stored: Node of each quantizer in ``qnet`` → name of its output tensor in ``program``.
        half: True if weights and inputs are float16, in the file and in the simulation.
    """

    file: Path
    qnet: nn.Module
    program: Program | None = None
    stored: Mapping[fx.Node, str] = field(default_factory=dict)
    half: bool = False

    @property
    def logit_scale(self) -> float | None:
        """Size of a step of the logits; None if the logits are not on a grid."""
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
    memory_limit_bytes: int | None = None,
) -> Parity:
    """Compare simulation and runtime, with the graph optimizations of the runtime off and on.

    Args:
        exported: File and simulation.
        runtime: Program that executes the file.
        batches: Images; each batch has its own dynamic ranges.
        simulated: Logits of the simulation for these images, computed in the same batches.
        thresholds: Limits of the differences.
        threads: Number of threads of the runtime.
        images_off: Number of images with optimizations off, rounded up to whole batches; None
            for all.
        layer_images: Number of images for the check of single layers; 0 skips it.
        reference_images: Number of images for the integer-only reference; 0 skips it.
        memory_limit_bytes: How much of the runtime's codes may be kept at once, for one batch of
            single layers. Further tensors need another inference; the results are the same. None
            for no limit.

    Raises:
        ValueError: If the runtime cannot load the file, or the images do not fit.
    """
    expected = simulated.cpu().numpy()
    limits = {OFF: images_off, ON: None}
    computed = {
        how: runtime_logits(runtime.load(exported.file, threads, on), batches, limits[how])
        for how, on in SETTINGS.items()
    }
    logits = {
        how: compare_logits(expected[: len(values)], values, exported.logit_scale)
        for how, values in computed.items()
    }
    layers: Sequence[LayerAgreement] = ()
    diverging: dict[str, LayerAgreement | None] = {}
    reference = None
    if exported.program is not None and layer_images:
        few = partial(first_images, batches, layer_images)
        layers, diverging = _layers_of_both(exported, runtime, few, memory_limit_bytes)
    if exported.program is not None and reference_images:
        reference = reference_parity(exported, first_images(batches, reference_images), simulated)
    saturated = saturated_biases(exported.qnet)
    verdict, sensitivity = judge(logits, thresholds, layers, saturated), None
    if may_be_ties(verdict, thresholds, layers):
        sensitivity = _sensitivity(exported, layers, batches)
        verdict = judge(logits, thresholds, layers, saturated, sensitivity)
    return Parity(
        computed[ON], logits, layers, diverging, reference, verdict, sensitivity, saturated
    )


def _layers_of_both(
    exported: Exported,
    runtime: Runtime,
    few: Callable[[], Iterator[Tensor]],
    memory_limit_bytes: int | None,
) -> tuple[list[LayerAgreement], dict[str, LayerAgreement | None]]:
    """The worse agreement of each layer, and the first diverging one with optimizations off and on.

    Args:
        exported: File and simulation.
        runtime: Program that executes the file.
        few: Gives the images.
        memory_limit_bytes: See :func:`check_parity`.
    """
    each, diverging = [], {}
    for how, on in SETTINGS.items():
        rows, whole = _layers(exported, runtime, few(), on, memory_limit_bytes)
        each.append(rows)
        diverging[how] = first_diverging(whole)
    worse = [max(pair, key=lambda row: row.max_steps) for pair in zip(*each, strict=True)]
    return worse, diverging


def _sensitivity(
    exported: Exported, layers: Sequence[LayerAgreement], batches: LabelledBatches
) -> LogitAgreement:
    """Sensitivity of the simulation if as many codes flip as differed in each layer."""
    assert exported.program is not None
    images = next(iter(batches))[0][:SENSITIVITY_IMAGES]
    shares = {layer.name: layer.differing for layer in layers}
    return tie_sensitivity(exported.qnet, exported.program, exported.stored, shares, images)


def first_images(batches: LabelledBatches, count: int) -> Iterator[Tensor]:
    """The first images on the CPU, a few at a time, because all their tensors stay in memory.

    Args:
        batches: Images with labels.
        count: Number of images.
    """
    for images, _ in batches:
        yield from images[:count].cpu().split(IMAGES_HELD)
        count -= len(images)
        if count <= 0:
            return


def _layers(
    exported: Exported,
    runtime: Runtime,
    batches: Iterable[Tensor],
    optimize: bool,
    limit_bytes: int | None,
) -> tuple[Sequence[LayerAgreement], Sequence[LayerAgreement]]:
    """Comparison of each layer from the runtime's input codes, and of the whole simulation."""
    single: Sequence[LayerAgreement] = ()
    whole: Sequence[LayerAgreement] = ()
    done = 0
    session = _watched(exported, runtime, optimize)
    for images in batches:
        codes = _codes(exported, session, images, limit_bytes)
        parts = layer_parity(exported, images, codes), end_to_end(exported, images, codes)
        single = merge_agreements(single, done, parts[0], len(images)) if done else parts[0]
        whole = merge_agreements(whole, done, parts[1], len(images)) if done else parts[1]
        done += len(images)
    return single, whole


def runtime_logits(
    session: Session, batches: LabelledBatches, images: int | None = None
) -> np.ndarray:
    """Logits that a runtime computes.

    Args:
        session: Network in the runtime.
        batches: Images with labels.
        images: Number of images, rounded up to whole batches; None for all.
    """
    parts: list[np.ndarray] = []
    done = 0
    for batch, _ in batches:
        if images is not None and done >= images:
            break
        parts.append(session.run(batch.cpu().numpy()))
        done += len(batch)
    return np.concatenate(parts)


def layer_parity(
    exported: Exported, images: Tensor, codes: CodesByTensor
) -> tuple[LayerAgreement, ...]:
    """Compare every stored tensor; the simulation computes it from the runtime's input codes.

    Args:
        exported: File and simulation.
        images: Preprocessed images.
        codes: Codes of every stored tensor in the runtime, for these images.
    """
    return _simulate(exported, images, codes, follow=True)


def end_to_end(
    exported: Exported, images: Tensor, codes: CodesByTensor
) -> tuple[LayerAgreement, ...]:
    """Compare every stored tensor; the simulation computes the whole network on its own.

    Args:
        exported: File and simulation.
        images: Preprocessed images.
        codes: Codes of every stored tensor in the runtime, for these images.
    """
    return _simulate(exported, images, codes, follow=False)


def reference_parity(
    exported: Exported, batches: Iterable[Tensor], simulated: Tensor
) -> LogitAgreement:
    """Compare the logits of the integer-only reference with those of the simulation.

    Args:
        exported: Network with an integer program.
        batches: The first images, without labels.
        simulated: Logits of the simulation, for these images or more.
    """
    assert exported.program is not None
    program = exported.program
    single = (image for images in batches for image in images.split(1))  # exact in any batch
    codes = np.concatenate([output_codes(program, image.numpy()) for image in single])
    values = program.formats[program.output].decode(codes)
    return compare_logits(simulated[: len(values)].cpu().numpy(), values, exported.logit_scale)


def _watched(exported: Exported, runtime: Runtime, optimize: bool) -> Session:
    """A session that also outputs the codes of every stored tensor."""
    outputs = [codes_of(name) for name in dict.fromkeys(exported.stored.values())]
    return runtime.load(exported.file, 1, optimize, outputs)


def _codes(
    exported: Exported, session: Session, images: Tensor, limit_bytes: int | None
) -> StoredCodes:
    """Codes that the runtime stores, by tensor."""
    names = dict.fromkeys(exported.stored.values(), 0)
    groups = [list(names)]
    if limit_bytes is not None:
        assert isinstance(exported.qnet, fx.GraphModule)
        measured = _Sizes(exported.qnet, exported.stored)
        with torch.no_grad(), evaluating(exported.qnet):
            measured.run(images[:1].to(_device(exported.qnet)))
        sizes = {name: len(images) * measured.elements[name] for name in names}
        groups = groups_within(sizes, limit_bytes)
    return StoredCodes(session, images.numpy(), groups)


def _simulate(
    exported: Exported, images: Tensor, codes: CodesByTensor, follow: bool
) -> tuple[LayerAgreement, ...]:
    """Compare codes of simulation and runtime for each stored tensor, in order of execution."""
    comparing = _Comparing(exported, codes, follow)
    with torch.no_grad(), evaluating(exported.qnet):
        comparing.run(images.to(_device(exported.qnet)))
    return tuple(comparing.agreements)


class _Comparing(fx.Interpreter):
    """Runs a simulation and compares each tensor that it stores with the runtime's codes."""

    def __init__(self, exported: Exported, codes: CodesByTensor, follow: bool) -> None:
        assert exported.program is not None
        assert isinstance(exported.qnet, fx.GraphModule)
        super().__init__(exported.qnet)
        self.stored, self.formats = exported.stored, exported.program.formats
        self.codes, self.follow = codes, follow
        self.agreements: list[LayerAgreement] = []

    def run_node(self, n: fx.Node) -> Any:
        """Compute a node; if it stores a tensor, compare it, and go on with the runtime's."""
        value = super().run_node(n)
        name = self.stored.get(n)
        if name is None:
            return value
        form, codes = self.formats[name], self.codes[name]
        self.agreements += compare_layers([(name, form.encode(value.cpu().numpy()), codes, 1.0)])
        if not self.follow:
            return value
        return torch.from_numpy(form.decode(codes.astype(np.int32))).to(value)


class _Sizes(fx.Interpreter):
    """Runs a simulation and notes the number of elements of each stored tensor."""

    def __init__(self, qnet: fx.GraphModule, stored: Mapping[fx.Node, str]) -> None:
        super().__init__(qnet)
        self.stored = stored
        self.elements: dict[str, int] = {}

    def run_node(self, n: fx.Node) -> Any:
        """Compute a node."""
        value = super().run_node(n)
        if n in self.stored:
            self.elements[self.stored[n]] = value.numel()
        return value


def _device(net: nn.Module) -> torch.device:
    return next(net.parameters()).device

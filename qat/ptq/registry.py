"""The steps of post-training quantization by name. Reading them does not import torch.

A step of kind ``float`` changes the float network, before plan, conversion and calibration. A step
of kind ``quantized`` changes the calibrated quantized network. :data:`STAGES` orders the steps: a
list has at most one step of each stage, in this order (:mod:`qat.ptq.request` checks it).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qat.ptq.step import PtqStep

FLOAT, QUANTIZED = "float", "quantized"
PRESETS = ("quick", "paper")

STAGES: Mapping[str, str] = {
    "fold": "folds batch norm",
    "equalization": "rescales float weights",
    "magnitude": "changes weights before they are rounded",
    "rounding": "chooses the codes of the weights",
    "correction": "corrects the means of the rounded network's outputs",
    "compensation": "fits scales and biases to the error that remains",
}
"""Stage → what its steps do, in the order in which steps may follow each other."""


@dataclass(frozen=True)
class PtqOption:
    """One option of a step.

    Attributes:
        quick: Value of the preset ``quick``; its type is the type of the option.
        paper: Value of the preset ``paper``; None for the same value.
        low: Smallest value of a number.
        high: Largest value of a number.
        choices: Allowed words; empty for numbers and truth values.
    """

    quick: Any
    paper: Any = None
    low: float = 0
    high: float = math.inf
    choices: tuple[str, ...] = ()

    def value(self, preset: str) -> Any:
        """The value of a preset."""
        return self.paper if preset == "paper" and self.paper is not None else self.quick

    def allows(self, value: object) -> bool:
        """Whether a value is allowed.

        Example:
            >>> option = PtqOption(1000, low=1, high=10**6)
            >>> option.allows(10), option.allows(0), option.allows(True), option.allows("10")
            (True, False, False, False)
        """
        if isinstance(self.quick, bool):
            return isinstance(value, bool)
        if self.choices:
            return value in self.choices
        numbers = int if isinstance(self.quick, int) else (int, float)
        is_number = isinstance(value, numbers) and not isinstance(value, bool)
        return is_number and self.low <= value <= self.high  # type: ignore[operator]

    def words(self) -> str:
        """What is allowed, for messages: ``an integer, 1 to 10``."""
        if isinstance(self.quick, bool):
            return "true or false"
        if self.choices:
            return "one of " + ", ".join(self.choices)
        kind = "an integer" if isinstance(self.quick, int) else "a number"
        end = f" to {self.high:.15g}" if math.isfinite(self.high) else " or more"
        return f"{kind}, {self.low:g}{end}"


@dataclass(frozen=True)
class PtqMethod:
    """A step that a run can name.

    Attributes:
        home: ``package.module:Class`` of the step, see :mod:`qat.ptq.step`.
        does: What it does, in a few words.
        paper: Authors, year and number of the paper; empty if there is none.
        kind: ``float`` or ``quantized``.
        stage: A name of :data:`STAGES`.
        options: Name → option.
        needs_fold: ``fold`` must come before it.
        needs_fold_with: Option and value with which ``fold`` must come before it; None for none.
        needs_norms: The quantized network must have batch norms: nothing folds them.
        only_uniform: It rounds weights to evenly spaced levels only, not to a codebook.
    """

    home: str
    does: str
    paper: str
    kind: str
    stage: str
    options: Mapping[str, PtqOption] = field(default_factory=dict)
    needs_fold: bool = False
    needs_fold_with: tuple[str, str] | None = None
    needs_norms: bool = False
    only_uniform: bool = False

    def load(self) -> "type[PtqStep]":
        """Import the class of the step."""
        module, _, name = self.home.partition(":")
        step: type[PtqStep] = getattr(import_module(module), name)
        return step


def _learned_rounding(iterations: int, batch_size: int) -> dict[str, PtqOption]:
    """Options of methods that learn roundings; ``iterations`` are those of the paper."""
    return {
        "iterations": PtqOption(1000, paper=iterations, low=1, high=10**6),
        "batch_size": PtqOption(batch_size, paper=32, low=1, high=10**4),
        "learning_rate": PtqOption(1e-2, paper=1e-3, low=1e-6, high=1.0),
        "strength": PtqOption(0.01, low=0.0, high=1e6),
        "warm_up": PtqOption(0.2, low=0.0, high=0.99),
    }


_STEP_RATE = PtqOption(4e-5, low=0.0, high=1.0)
"""Learning rate of the steps of activations."""

PTQ_METHODS: Mapping[str, PtqMethod] = {
    "fold": PtqMethod(
        "qat.ptq.fold:Fold",
        "fold batch norm into the layer before it",
        "Krishnamoorthi 2018, arXiv:1806.08342",
        FLOAT,
        "fold",
    ),
    "equalize": PtqMethod(
        "qat.ptq.equalize:Equalize",
        "equalize the weight ranges of consecutive layers, channel by channel",
        "Nagel et al. 2019, arXiv:1906.04721",
        FLOAT,
        "equalization",
        {
            "iterations": PtqOption(100, low=1, high=10**6),
            "absorb": PtqOption(False, paper=True),
            "relu6": PtqOption("clip", choices=("clip", "relu")),
        },
        needs_fold=True,
    ),
    "magr": PtqMethod(
        "qat.ptq.magr:MagR",
        "reduce the largest weights, keep the outputs, and take the ranges again",
        "Zhang et al. 2024, arXiv:2406.00800",
        QUANTIZED,
        "magnitude",
        {"alpha": PtqOption(0.001, low=0, high=1), "iterations": PtqOption(200, low=1, high=10**6)},
    ),
    "nearest": PtqMethod(
        "qat.ptq.nearest:Nearest",
        "round each weight to the nearest code, and hold the codes",
        "",
        QUANTIZED,
        "rounding",
    ),
    "adaround": PtqMethod(
        "qat.ptq.adaround:AdaRound",
        "learn for each layer which weights are rounded up and which down",
        "Nagel et al. 2020, arXiv:2004.10568",
        QUANTIZED,
        "rounding",
        _learned_rounding(10_000, batch_size=64),
        only_uniform=True,
    ),
    "brecq": PtqMethod(
        "qat.ptq.brecq:Brecq",
        "learn roundings and activation steps of each block, with Fisher-weighted errors",
        "Li et al. 2021, arXiv:2102.05426",
        QUANTIZED,
        "rounding",
        {
            **_learned_rounding(20_000, batch_size=32),
            "step_learning_rate": _STEP_RATE,
            "probes": PtqOption(4, paper=16, low=1, high=1000),
        },
        only_uniform=True,
    ),
    "qdrop": PtqMethod(
        "qat.ptq.qdrop:QDrop",
        "learn roundings and activation steps of each block, dropping quantization at random",
        "Wei et al. 2022, arXiv:2203.05740",
        QUANTIZED,
        "rounding",
        {
            **_learned_rounding(20_000, batch_size=32),
            "step_learning_rate": _STEP_RATE,
            "drop": PtqOption(0.5, low=0.0, high=1.0),
        },
        only_uniform=True,
    ),
    "gptq": PtqMethod(
        "qat.ptq.gptq:GPTQ",
        "round column by column, later columns make up for the errors",
        "Frantar et al. 2023, arXiv:2210.17323",
        QUANTIZED,
        "rounding",
        {
            "damping": PtqOption(0.01, low=0, high=1),
            "act_order": PtqOption(True, paper=False),
        },
    ),
    "gpfq": PtqMethod(
        "qat.ptq.gpfq:GPFQ",
        "round column by column, so that the output follows the float network's",
        "Lybrand & Saab 2021, arXiv:2010.11979",
        QUANTIZED,
        "rounding",
        {"act_order": PtqOption(False)},
    ),
    "comq": PtqMethod(
        "qat.ptq.comq:COMQ",
        "minimize the layer's error over one code or scale at a time",
        "Zhang et al. 2024, arXiv:2403.07134",
        QUANTIZED,
        "rounding",
        {
            "sweeps": PtqOption(3, low=1, high=1000),
            "greedy": PtqOption(True),
            "update_scale": PtqOption(True),
        },
    ),
    "qronos": PtqMethod(
        "qat.ptq.qronos:Qronos",
        "correct errors of earlier layers, then round as gptq",
        "Zhang et al. 2025, arXiv:2505.11695",
        QUANTIZED,
        "rounding",
        {"damping": PtqOption(0.01, low=0, high=1), "act_order": PtqOption(True)},
    ),
    "bias_correction": PtqMethod(
        "qat.ptq.bias_correction:BiasCorrection",
        "remove the mean error of each output channel",
        "Nagel et al. 2019, arXiv:1906.04721",
        QUANTIZED,
        "correction",
        {"kind": PtqOption("empirical", choices=("empirical", "analytic"))},
        needs_fold_with=("kind", "analytic"),
    ),
    "bn_reestimate": PtqMethod(
        "qat.ptq.bn_reestimate:BNReestimate",
        "estimate the statistics of batch norm in the quantized network",
        "Hubara et al. 2020, arXiv:2006.10518",
        QUANTIZED,
        "correction",
        needs_norms=True,
    ),
    "qwt": PtqMethod(
        "qat.ptq.qwt:QwT",
        "fit a factor and a shift to each output channel, folded into scale and bias",
        "Fu et al. 2025, arXiv:2411.13918",
        QUANTIZED,
        "compensation",
    ),
}

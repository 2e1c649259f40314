"""The range of every numeric key, in one table for each group, and the check of values.

Upper ends are generous: a value above them is surely a mistake, or would exhaust any machine. The
range of a list is that of its elements.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from qat.base.errors import InputError
from qat.config.schema import (
    AidsConfig,
    AllocateConfig,
    AugmentConfig,
    CalibrateConfig,
    DataConfig,
    DistillConfig,
    EvaluateConfig,
    FloatConfig,
    MeasureConfig,
    MemoryConfig,
    MixedConfig,
    OptimizerConfig,
    ParityConfig,
    PtqOptionsConfig,
    RunConfig,
    ScheduleConfig,
    SensitivityConfig,
    SlotConfig,
    TrackingConfig,
    TrainerConfig,
)
from qat.core.formats import OFF_BITS


@dataclass(frozen=True)
class Range:
    """The numbers that a key takes.

    Attributes:
        low: Smallest value.
        high: Largest value.
        above: The smallest value itself is not allowed.
        below: The largest value itself is not allowed.
        also: Further values that are allowed.
        note: Text after the range in messages.

    Example:
        >>> rate = Range(0, 1, above=True)
        >>> str(rate), 0 in rate, 1 in rate
        ('above 0, at most 1', False, True)
    """

    low: float
    high: float
    above: bool = False
    below: bool = False
    also: tuple[float, ...] = ()
    note: str = ""

    def __contains__(self, value: object) -> bool:
        """True for a number in the range; false for NaN and for all that is not a number."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        over = value > self.low if self.above else value >= self.low
        under = value < self.high if self.below else value <= self.high
        return value in self.also or (over and under)

    def __str__(self) -> str:
        """The range in words: ``1 to 8``, ``above 0, at most 1``, ``0 or more, below 1``."""
        if not (self.above or self.below):
            text = f"{number(self.low)} to {number(self.high)}"
        else:
            low = f"above {number(self.low)}" if self.above else f"{number(self.low)} or more"
            high = f"below {number(self.high)}" if self.below else f"at most {number(self.high)}"
            text = f"{low}, {high}"
        return text + self.note


SEED = Range(0, 2**63 - 1)
IMAGES = Range(1, 10**9)
SIDE = Range(1, 2**14)
BATCH = Range(1, 2**20)
EPOCHS = Range(1, 10**6)
FROM_EPOCH = Range(0, 10**6)
SHARE = Range(0, 1)
BELOW_ONE = Range(0, 1, below=True)
INSIDE_ONE = Range(0, 1, above=True, below=True)
FACTOR = Range(0, 10**6, above=True)
BYTES = Range(1, 2**60)
RATE = Range(0, 100, above=True)
DECAY = Range(0, 100)
TIMES = Range(1, 10**6)
STEPS = Range(0, 2**16)
WIDTH = Range(2, 8, also=(16, OFF_BITS), note=", 16 (fp16) or 32 (float)")
_PIXELS = "; pixels are 0 to 1 here, so divide values for pixels of 0 to 255 by 255"

RANGES: dict[type, dict[str, Range]] = {
    RunConfig: {"seed": SEED},
    DataConfig: {
        "classes": Range(2, 10**6),
        "train_images": IMAGES,
        "test_images": IMAGES,
        "val_fraction": Range(0, 1, above=True, below=True),
        "split_seed": SEED,
        "resize": SIDE,
        "crop": SIDE,
        "mean": Range(-1, 2, note=_PIXELS),
        "std": Range(0.001, 10, note=_PIXELS),
        "memory_limit": BYTES,
    },
    AugmentConfig: {"pad": Range(0, 1024)},
    SlotConfig: {
        "bits": Range(2, 16, also=(1, OFF_BITS), note=", or 32 for off"),
        "group_size": Range(1, 2**20),
    },
    OptimizerConfig: {
        "lr": RATE,
        "momentum": BELOW_ONE,
        "weight_decay": DECAY,
        "betas": BELOW_ONE,
        "step_lr": RATE,
        "step_weight_decay": DECAY,
    },
    ScheduleConfig: {
        "warmup_epochs": FROM_EPOCH,
        "step_size": EPOCHS,
        "gamma": Range(0, 1, above=True),
        "milestones": EPOCHS,
        "min_lr": Range(0, 100),
    },
    FloatConfig: {"epochs": EPOCHS, "seed": SEED, "batch_size": BATCH},
    TrainerConfig: {
        "max_epochs": EPOCHS,
        "batch_size": BATCH,
        "accumulate_grad_batches": TIMES,
        "gradient_clip_val": Range(0, 10**6, above=True),
        "freeze_observers_at": FROM_EPOCH,
        "freeze_batch_norm_at": FROM_EPOCH,
        "devices": Range(1, 1024),
    },
    AidsConfig: {
        "average_decay": INSIDE_ONE,
        "dampening": FACTOR,
        "freeze_first": Range(0, 1, above=True),
        "freeze_last": Range(0, 1, above=True),
        "freeze_momentum": INSIDE_ONE,
        "bin_regularization": FACTOR,
        "progressive_bits": Range(2, 16),
    },
    DistillConfig: {
        "weight": SHARE,
        "temperature": Range(0, 1000, above=True),
        "feature_weight": FACTOR,
    },
    CalibrateConfig: {"images": IMAGES, "batch_size": BATCH},
    PtqOptionsConfig: {"images": IMAGES, "batch_size": BATCH},
    EvaluateConfig: {"batch_size": BATCH},
    SensitivityConfig: {"widths": WIDTH, "images": IMAGES, "batch_size": BATCH, "seed": SEED},
    AllocateConfig: {
        "uniform_bits": Range(0, OFF_BITS, above=True),
        "average_weight_bits": Range(0, OFF_BITS, above=True),
        "weight_bytes": Range(0, 2**60, above=True),
        "bops": Range(0, 1e30, above=True),
        "peak_activation_bytes": Range(0, 2**60, above=True),
        "latency_ms": Range(0, 10**9, above=True),
        "default_bits": WIDTH,
    },
    MixedConfig: {
        "check_plans": Range(5, 10**5, also=(0,), note=", or 0 for none"),
        "check_images": IMAGES,
        "check_seed": SEED,
    },
    ParityConfig: {
        "images": IMAGES,
        "layer_images": Range(0, 10**9),
        "reference_images": Range(0, 10**9),
        "top1_agreement": SHARE,
        "within_one_step": SHARE,
        "max_steps": STEPS,
        "sqnr_db": Range(-300, 300),
        "layer_steps": STEPS,
    },
    MeasureConfig: {
        "batch_size": Range(1, 2**16),
        "repeats": TIMES,
        "warmup": Range(0, 10**6),
        "batches": Range(1, 2**16),
        "threads": Range(1, 1024),
        "runtime_repeats": Range(30, 10**6),
        "blocks": Range(2, 10**6),
    },
    MemoryConfig: {
        "budget": Range(2**20, 2**60, note=" bytes"),
        "alignment": Range(1, 2**30),
        "batch": Range(1, 2**16),
    },
    TrackingConfig: {"history_every": Range(0, 10**9)},
}


def check_ranges(config: RunConfig) -> None:
    """Refuse numbers outside of their key's range, and empty text.

    Raises:
        ValueError: At the first such value, with the key in full, the value and what is allowed.
    """
    for owner, name, key, value in _leaves(config):
        allowed = RANGES.get(owner, {}).get(name)
        for element in value if isinstance(value, list) else [value]:
            if allowed is not None and element is not None and element not in allowed:
                raise InputError(f"{key} must be {allowed}, got {shown(element)}")
            if isinstance(element, str):
                _check_text(owner, name, key, element)


def range_of(key: str) -> Range | None:
    """The range of a key; None if it has none.

    Example:
        >>> str(range_of("data.augment.pad"))
        '0 to 1024'
    """
    owner: Any = RunConfig
    *parents, name = key.split(".")
    for part in parents:
        owner = {f.name: f.type for f in fields(owner)}.get(part) if is_dataclass(owner) else None
    return RANGES.get(owner, {}).get(name)


def number(value: float) -> str:
    """A number as it is typed: ``0.001``, ``1e+30``."""
    return str(value) if isinstance(value, int) else f"{value:g}"


def shown(value: Any) -> str:
    """A value as text for a message; a text of more than 60 characters is cut.

    Example:
        >>> shown("a" * 100)
        "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa... (102 characters)"
    """
    text = str(value) if isinstance(value, int | float) else repr(value)
    return text if len(text) <= 60 else f"{text[:40]}... ({len(text)} characters)"


def _leaves(node: Any, place: str = "") -> Iterator[tuple[type, str, str, Any]]:
    """``(class, field, key in full, value)`` of every key that is not a group."""
    for entry in fields(node):
        value, key = getattr(node, entry.name), f"{place}{entry.name}"
        if is_dataclass(value):
            yield from _leaves(value, f"{key}.")
        else:
            yield type(node), entry.name, key, value


def _check_text(owner: type, name: str, key: str, text: str) -> None:
    usual = next(entry.default for entry in fields(owner) if entry.name == name)
    if not text.strip() and usual != text:
        raise InputError(f"{key} is empty: give {key}=VALUE, or leave it out")
    if any(ord(character) < 32 for character in text):
        raise InputError(f"{key} contains a control character: {shown(text)}; take it out")

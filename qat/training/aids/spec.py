"""Settings of the aids of a quantized training, checked. Loads no torch."""

from dataclasses import dataclass

from qat.base.errors import InputError


@dataclass(frozen=True)
class DistillationSpec:
    """How much of the loss is distilled from the float network.

    Attributes:
        weight: Share of the distilled loss, 0 to 1.
        temperature: Of both networks' logits, above 0.
        features: Names of modules whose outputs are compared.
        feature_weight: Factor of their term, above 0.

    Raises:
        InputError: If a value is not allowed.

    Example:
        >>> DistillationSpec(weight=0.5).is_on, DistillationSpec().is_on
        (True, False)
    """

    weight: float = 0.0
    temperature: float = 4.0
    features: tuple[str, ...] = ()
    feature_weight: float = 1.0

    def __post_init__(self) -> None:
        """Check each value."""
        if not 0 <= self.weight <= 1:
            raise InputError(f"distill.weight must be 0 to 1, got {self.weight}")
        _above_zero("distill.temperature", self.temperature)
        _above_zero("distill.feature_weight", self.feature_weight)

    @property
    def is_on(self) -> bool:
        """True if anything is distilled."""
        return self.weight > 0 or bool(self.features)


@dataclass(frozen=True)
class AidsSpec:
    """Which aids a quantized training has; None is off.

    Attributes:
        average_decay: Largest decay of the moving average of weights, above 0 and below 1.
        dampening: Final weight of the dampening term, above 0.
        freeze_first: Threshold of freezing at the first step, above 0 and at most 1.
        freeze_last: Threshold at the last step, likewise.
        freeze_momentum: Of the moving averages of codes and frequencies, above 0 and below 1.
        bin_regularization: Weight of the term, above 0.
        progressive_bits: Widths, from wide to narrow, that are trained before the network's own.

    Raises:
        InputError: If a value is not allowed.
    """

    average_decay: float | None = None
    dampening: float | None = None
    freeze_first: float | None = None
    freeze_last: float = 0.01
    freeze_momentum: float = 0.01
    bin_regularization: float | None = None
    progressive_bits: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Check each value."""
        for name in ("average_decay", "freeze_momentum"):
            value = getattr(self, name)
            if value is not None and not 0 < value < 1:
                raise InputError(f"aids.{name} must be above 0 and below 1, got {value}")
        for name in ("freeze_first", "freeze_last"):
            value = getattr(self, name)
            if value is not None and not 0 < value <= 1:
                raise InputError(f"aids.{name} must be above 0 and at most 1, got {value}")
        first, last = self.freeze_first, self.freeze_last
        if first is not None and first < last:
            raise InputError(
                f"aids.freeze_first={first} is below aids.freeze_last={last}, but the threshold of "
                f"freezing falls during the training: set aids.freeze_last={first} or less"
            )
        for name in ("dampening", "bin_regularization"):
            if getattr(self, name) is not None:
                _above_zero(f"aids.{name}", getattr(self, name))
        _falling("aids.progressive_bits", self.progressive_bits)


def _falling(name: str, widths: tuple[int, ...]) -> None:
    if any(not 2 <= bits <= 16 for bits in widths) or list(widths) != sorted({*widths})[::-1]:
        shown = ",".join(map(str, widths))
        raise InputError(
            f"{name} must be widths of 2 to 16 bits that fall, such as [4,3], got [{shown}]"
        )


def _above_zero(name: str, value: float) -> None:
    if not value > 0:  # NaN fails too
        raise InputError(f"{name} must be above 0, got {value}")

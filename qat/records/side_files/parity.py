"""``parity.json``: the simulation compared with the runtime."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from qat.records.file_names import PARITY_NAME
from qat.records.side_files.plain_data import AnyFloat
from qat.records.side_files.typed_file import TypedFile


@dataclass(frozen=True, slots=True)
class ParityLimits:
    """What had to hold; None where nothing was asked for.

    Attributes:
        top1_agreement: Smallest share of images with the same class.
        within_one_step: Smallest share of logits that differ by one step at most.
        max_steps: Largest difference of a logit.
        sqnr_db: Smallest ratio of the logits to their difference.
        layer_steps: Largest difference in any layer that got the same input codes.
        allow_ties: Whether differences that flipped ties explain pass.
    """

    top1_agreement: AnyFloat | None = None
    within_one_step: AnyFloat | None = None
    max_steps: AnyFloat | None = None
    sqnr_db: AnyFloat | None = None
    layer_steps: AnyFloat | None = None
    allow_ties: bool | None = None


@dataclass(frozen=True, slots=True)
class RuntimeExecution:
    """Which layers the runtime computes as integers, and with what.

    Attributes:
        runtime: Its name.
        version: Its version.
        instructions: Of this CPU, for products of integers; None if it has none of its own.
        may_saturate: Whether sums of two products may be clipped to 16 bits.
        layers: Quantized layers of the network.
        float_layers: Those of them that the runtime computes in float.
        nodes: Of the graph that the runtime executes.
        integer_nodes: Those of them that compute with integers.
        float16_products: Products in float16 and products in all; None if the network is not in
            float16.
    """

    runtime: str
    version: str
    instructions: str | None
    may_saturate: bool
    layers: int
    float_layers: tuple[str, ...]
    float16_products: tuple[int, int] | None = None
    nodes: int = 0
    integer_nodes: int = 0


@dataclass(frozen=True, slots=True)
class LogitComparison:
    """How one side's logits compare with the other's.

    Attributes:
        images: Compared.
        top1_agreement: Share of images with the same class.
        max_steps: Largest difference of a logit; infinite if one is NaN or infinite; None if the
            logits lie on no grid.
        within_one_step: Share of logits that differ by one step at most; None likewise.
        sqnr_db: Ratio of the logits to their difference; infinite if all are equal.
    """

    images: int
    top1_agreement: AnyFloat
    max_steps: AnyFloat | None
    within_one_step: AnyFloat | None
    sqnr_db: AnyFloat


@dataclass(frozen=True, slots=True)
class LayerComparison:
    """How one tensor inside the network compares.

    Attributes:
        name: Of the layer that makes it.
        max_steps: Largest difference; infinite if a value is NaN or infinite.
        within_one_step: Share of values that differ by one step at most.
        differing: Share of values that are not equal.
    """

    name: str
    max_steps: AnyFloat
    within_one_step: AnyFloat
    differing: AnyFloat


@dataclass(frozen=True, slots=True)
class AccumulatorWidth:
    """How wide the sums of a layer are.

    Attributes:
        name: Of the layer.
        worst_bits: Bits of a signed accumulator that holds the sums of any input.
        seen_bits: Bits of one that held the sums of the images.
        overflows: Of 16, 24 and 32 bits, the widths that the worst case exceeds.
    """

    name: str
    worst_bits: int
    seen_bits: int
    overflows: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParityFile(TypedFile):
    """The comparison and the decision.

    Attributes:
        gate: ``passed`` or ``failed``.
        cause: What the differences are, in a word of :mod:`qat.export.parity.verdict`; empty in
            an older file.
        reason: What was missed; empty if nothing was.
        thresholds: What had to hold.
        execution: What the runtime executed.
        logits: Setting of the runtime → comparison from end to end.
        first_diverging: Setting of the runtime → the first layer whose codes differ; None if none
            does.
        sensitivity: Of the simulation to flipped ties; None where the decision did not need it.
        reference: The integer-only reference and the simulation; None if it was not run.
        layers: Each layer from the same input codes.
        accumulators: Of each layer of an integer network.
        saturated_biases: Layer → biases that do not fit 32 bits.
    """

    gate: str
    cause: str = ""
    reason: str
    thresholds: ParityLimits
    execution: RuntimeExecution
    logits: Mapping[str, LogitComparison]
    first_diverging: Mapping[str, LayerComparison | None]
    sensitivity: LogitComparison | None = None
    reference: LogitComparison | None
    layers: tuple[LayerComparison, ...]
    accumulators: tuple[AccumulatorWidth, ...]
    saturated_biases: Mapping[str, int] = field(default_factory=dict)

    ARTIFACT: ClassVar[str] = "parity"
    NAME: ClassVar[str] = PARITY_NAME
    INDENT: ClassVar[int] = 2

    @classmethod
    def current(cls, fields: dict[str, Any], version: int) -> dict[str, Any]:
        """The earliest files name one diverging layer, or none, without the runtime's setting.

        Args:
            fields: As they are in the file.
            version: Of the file.
        """
        first = fields.get("first_diverging", {})
        is_one_layer = isinstance(first, Mapping) and isinstance(first.get("name"), str)
        return {**fields, "first_diverging": {}} if first is None or is_one_layer else fields

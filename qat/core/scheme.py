"""Schemes: how weights and activations are to be quantized, independent of any network.

A :class:`Scheme` contains no names of layers. ``qat.convert`` applies it to a network, which gives
a :class:`qat.core.plan.Plan` with one entry per layer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from qat.base.allowed import one_of
from qat.base.errors import InputError
from qat.core.formats import (
    LOW_BIT_FORMATS,
    MX_FORMATS,
    OFF_BITS,
    USUAL_BITS,
    conflict,
    width_of,
)
from qat.core.grid import MAX_BITS, MIN_BITS, ONE_BIT_METHODS, IntGrid

FORMATS = ("int", "fp16", *LOW_BIT_FORMATS, "float")
GRANULARITIES = ("tensor", "channel", "group")
SCALES = ("free", "power_of_two")
FIRST_LAST = ("8", "float", "fp16", "same")
PLACEMENTS = ("academic", "integer")


@dataclass(frozen=True)
class Method:
    """A quantizer or an observer by name, with its own options.

    Attributes:
        name: A built-in name, ``user`` for ``target``, or ``default`` (only for an observer: the
            quantizer chooses).
        target: ``package.module:Class`` of the user's own class, only with ``name="user"``.
        options: Keyword arguments of that class.

    Raises:
        InputError: If there is a target without the name ``user``, or the reverse.

    Example:
        >>> Method("percentile", options={"percentile": 99.9}).name
        'percentile'
    """

    name: str
    target: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a target without the name ``user``, and the reverse."""
        if (self.name == "user") != (self.target is not None):
            raise InputError(
                f"name=user needs a target, and no other name takes one, got name={self.name!r} "
                f"target={self.target!r}; write name=user with target=package.module:Class"
            )


# Rules and plan files contain these fields unchecked.
_KINDS: dict[str, tuple[type, ...]] = {
    "bits": (int,),
    "signed": (bool, type(None)),
    "symmetric": (bool,),
    "narrow": (bool,),
    "group_size": (int, type(None)),
    "quantizer": (Method,),
    "observer": (Method,),
}


@dataclass(frozen=True)
class TensorSpec:
    """How one tensor of a layer is quantized: number format, granularity, method.

    Attributes:
        format: ``int``, ``fp16``, one of :mod:`qat.core.formats` (``fp8_e4m3``, ``mxfp4_e2m1``),
            or ``float`` (not quantized).
        bits: Width of an ``int`` code, 2 to 16, or 1 for a quantizer of two levels; 32 is
            ``float``. A low-bit format replaces it by its own width.
        signed: Signed codes; None decides by the data (unsigned if no value is negative).
        symmetric: Zero point fixed at 0 if true, free otherwise.
        narrow: Leave out the most negative code of a signed grid.
        granularity: One scale per ``tensor``, ``channel`` or ``group`` of input channels.
        group_size: Input channels that share a scale, only with ``granularity="group"``.
        scale: ``free``, or ``power_of_two`` (rounded up, so that the range still fits).
        quantizer: The method that turns values into codes.
        observer: The method that turns observed values into a range.

    Raises:
        InputError: If a value or a combination is not allowed.

    Example:
        >>> spec = TensorSpec(bits=4, signed=True, granularity="channel")
        >>> spec.grid().qmin, spec.but(format="fp16").stored_bits
        (-8, 16)
    """

    format: str = "int"
    bits: int = USUAL_BITS
    signed: bool | None = None
    symmetric: bool = True
    narrow: bool = False
    granularity: str = "tensor"
    group_size: int | None = None
    scale: str = "free"
    quantizer: Method = field(default_factory=lambda: Method("minmax"))
    observer: Method = field(default_factory=lambda: Method("default"))

    def __post_init__(self) -> None:
        """Check each value, then the combinations."""
        for name, kinds in _KINDS.items():
            _of_kind(name, getattr(self, name), kinds)
        one_of("format", self.format, FORMATS)
        one_of("granularity", self.granularity, GRANULARITIES)
        one_of("scale", self.scale, SCALES)
        self._check_bits()
        wrong = conflict(
            self.format, signed=self.signed, symmetric=self.symmetric, narrow=self.narrow
        )
        if wrong is not None:
            raise InputError(wrong)
        if (self.granularity == "group") != (self.group_size is not None):
            raise InputError(
                f"granularity=group needs a group_size, and no other granularity takes one, got "
                f"granularity={self.granularity} group_size={self.group_size}"
            )
        if self.group_size is not None and self.group_size < 1:
            raise InputError(f"group_size must be 1 or more, got {self.group_size}")
        if self.narrow and self.signed is False:
            raise InputError("narrow=true needs signed codes: set signed=true or narrow=false")

    def _check_bits(self) -> None:
        """Refuse widths out of range; a low-bit format has its own."""
        if self.format in LOW_BIT_FORMATS and self.bits != OFF_BITS:
            object.__setattr__(self, "bits", width_of(self.format))  # the dataclass is frozen
        if self.bits == OFF_BITS or MIN_BITS <= self.bits <= MAX_BITS:
            return
        allowed = f"bits must be {MIN_BITS} to {MAX_BITS}, or {OFF_BITS} for off, got {self.bits}"
        if self.bits != 1:
            raise InputError(allowed)
        if self.quantizer.name not in ONE_BIT_METHODS:
            names = " or ".join(ONE_BIT_METHODS)
            raise InputError(f"{allowed}; 1 bit needs the quantizer {names}")

    @property
    def is_off(self) -> bool:
        """True if the tensor is not quantized."""
        return self.format == "float" or self.bits == OFF_BITS

    @property
    def stored_bits(self) -> int:
        """Width for costs: 32 if not quantized, 16 for fp16, else that of a code.

        The scale of a block in an MX format, 8 bits for 32 values, is not in it.
        """
        if self.is_off:
            return 32
        return 16 if self.format == "fp16" else self.bits

    def grid(self) -> IntGrid:
        """The integer codes of an ``int`` spec, or of the integers as wide as another format.

        Two levels are codes 0 and 1.

        Raises:
            InputError: If ``signed`` is None.
        """
        if self.signed is None:
            raise InputError(
                "signed is not decided yet: pass an example batch, or set signed=true or false"
            )
        signed = self.signed and self.bits > 1
        return IntGrid(self.bits, signed, self.narrow and signed)

    @property
    def is_block(self) -> bool:
        """True if blocks of values share a power of two as scale; granularity has no effect."""
        return self.format in MX_FORMATS and not self.is_off

    def but(self, **changes: Any) -> "TensorSpec":
        """A copy with some fields changed.

        Raises:
            InputError: If a value or the combination is not allowed.
        """
        return replace(self, **changes)


@dataclass(frozen=True)
class Rule:
    """Changes for the layers whose name matches a glob.

    Attributes:
        match: Glob over module names (``layer1.*``), as ``fnmatch.fnmatchcase`` reads it; or a kind
            of layer, ``kind:depthwise`` (:mod:`qat.convert.kinds`).
        weight: TensorSpec fields to change on the weight.
        act: TensorSpec fields to change on the input.
        keep_float: Leave these layers float.

    Example:
        >>> rules = (Rule("layer1.*", weight={"bits": 8}), Rule("head", keep_float=True))
        >>> Scheme(weight=TensorSpec(bits=4), rules=rules).rules[0].match
        'layer1.*'
    """

    match: str
    weight: Mapping[str, Any] = field(default_factory=dict)
    act: Mapping[str, Any] = field(default_factory=dict)
    keep_float: bool = False


@dataclass(frozen=True)
class Scheme:
    """How a whole network is to be quantized.

    Attributes:
        weight: Spec of every weight.
        act: Spec of every layer input.
        first_last: What weight and input of the first and last layer get instead: ``8`` bits,
            ``float``, ``fp16``, or the ``same`` as all others.
        placement: ``academic`` quantizes weights and inputs of conv and linear layers;
            ``integer`` folds batch norm and quantizes every tensor between layers, as an integer
            runtime computes.
        rules: Exceptions by name; later ones win, also over ``first_last``.
        quantize_output: Also quantize the output of the last layer, like an input.

    Raises:
        InputError: If a policy is unknown, or activations are to have groups.

    Example:
        >>> w4a8 = Scheme(weight=TensorSpec(bits=4, granularity="channel"), first_last="same")
        >>> w4a8.weight.bits, w4a8.act.bits
        (4, 8)
    """

    weight: TensorSpec = field(default_factory=lambda: TensorSpec(granularity="channel"))
    act: TensorSpec = field(default_factory=TensorSpec)
    first_last: int | str = 8
    placement: str = "academic"
    rules: tuple[Rule, ...] = ()
    quantize_output: bool = False

    def __post_init__(self) -> None:
        """Refuse unknown policies, and groups for activations."""
        one_of("first_last", str(self.first_last), FIRST_LAST)
        one_of("placement", self.placement, PLACEMENTS)
        if self.act.granularity == "group":
            raise InputError(
                "scheme.act.granularity must be tensor or channel, got group: "
                "only weights have groups of input channels"
            )


def _of_kind(name: str, value: object, kinds: tuple[type, ...]) -> None:
    if type(value) not in kinds:
        words = " or ".join("null" if kind is type(None) else kind.__name__ for kind in kinds)
        raise InputError(f"{name} must be of type {words}, got {value!r}")

"""What each built-in quantizer supports, in one place that loads no torch.

A method that is added declares itself here: its class, its paper, and the slots, widths, signs,
granularities and placements that it can have. The configuration is held against this before
anything is computed, ``make_quantizer`` again for plans written by hand, and ``qat list
quantizers`` prints it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from qat.core.formats import LOW_BIT_FORMATS
from qat.core.grid import MAX_BITS, MIN_BITS
from qat.core.scheme import GRANULARITIES, PLACEMENTS, SCALES, TensorSpec

SLOTS = ("weight", "act")
BOTH = (False, True)
ANY_BITS = tuple(range(MIN_BITS, MAX_BITS + 1))
UNIFORM = "uniform"
CODEBOOK = "codebook"


@dataclass(frozen=True)
class Declaration:
    """What a quantizer supports.

    Attributes:
        home: ``package.module:Class``.
        paper: Authors, year and where the paper is.
        learns: What training learns, beside the weights; empty if nothing.
        slots: Of ``weight`` and ``act``.
        bits: Widths of a code.
        formats: Of :data:`qat.core.scheme.FORMATS`, those that have codes.
        float_formats: Low-bit formats whose scales it finds; :mod:`qat.core.formats` says what they
            can have.
        granularities: Of ``tensor``, ``channel`` and ``group``.
        symmetric: Values of ``symmetric``.
        signed: Values of ``signed``.
        narrow: Values of ``narrow``.
        scales: Of ``free`` and ``power_of_two``.
        placements: Of ``academic`` and ``integer``.
        levels: ``uniform`` (codes of an affine grid) or ``codebook`` (a table of values).
        act_levels: The same for activations, where it differs.
        keeps_zero: Zero is one of the values.
        keeps_levels: Rounded values keep their levels when they are rounded again; false where the
            levels follow from the values that are rounded.
        passes_gradient: The gradient of a value inside the range is 1 (straight-through).
        options: Names of its own settings.
        ignores_observer: It takes its range from the values themselves, without an observer.
    """

    home: str
    paper: str
    learns: str = ""
    slots: tuple[str, ...] = SLOTS
    bits: tuple[int, ...] = ANY_BITS
    formats: tuple[str, ...] = ("int",)
    float_formats: tuple[str, ...] = ()
    granularities: tuple[str, ...] = GRANULARITIES
    symmetric: tuple[bool, ...] = BOTH
    signed: tuple[bool, ...] = BOTH
    narrow: tuple[bool, ...] = BOTH
    scales: tuple[str, ...] = SCALES
    placements: tuple[str, ...] = PLACEMENTS
    levels: str = UNIFORM
    act_levels: str | None = None
    keeps_zero: bool = True
    keeps_levels: bool = True
    passes_gradient: bool = True
    options: tuple[str, ...] = ()
    ignores_observer: bool = False

    def levels_in(self, slot: str) -> str:
        """``uniform`` or ``codebook`` in a slot."""
        return self.act_levels or self.levels if slot == "act" else self.levels


DECLARED: Mapping[str, Declaration] = {
    "minmax": Declaration(
        home="qat.quantizers.minmax:MinMaxQuantizer",
        paper="Jacob et al. 2018, arXiv:1712.05877",
        float_formats=tuple(LOW_BIT_FORMATS),
    ),
    "lsq": Declaration(
        home="qat.quantizers.lsq:LSQQuantizer",
        paper="Esser et al. 2020, arXiv:1902.08153",
        learns="step",
        symmetric=(True,),
        scales=("free",),
        options=("start",),
    ),
    "dorefa": Declaration(
        home="qat.quantizers.dorefa:DoReFaQuantizer",
        paper="Zhou et al. 2016, arXiv:1606.06160",
        bits=tuple(range(MIN_BITS, 9)),
        symmetric=(True,),
        narrow=(False,),
        scales=("free",),
        placements=("academic",),
        levels=CODEBOOK,
        act_levels=UNIFORM,
        keeps_zero=False,
        keeps_levels=False,
        passes_gradient=False,
        options=("clip", "output"),
    ),
    "pact": Declaration(
        home="qat.quantizers.pact:PACTQuantizer",
        paper="Choi et al. 2018, arXiv:1805.06085",
        learns="clipping level",
        slots=("act",),
        granularities=("tensor", "channel"),
        symmetric=(True,),
        scales=("free",),
        options=("start", "decay"),
    ),
    "sawb": Declaration(
        home="qat.quantizers.sawb:SAWBQuantizer",
        paper="Choi et al. 2018, arXiv:1807.06964",
        slots=("weight",),
        bits=(2, 3, 4, 5, 8),
        symmetric=(True,),
        signed=(True,),
        narrow=(False,),
        scales=("free",),
        placements=("academic",),
        levels=CODEBOOK,
        keeps_zero=False,
        keeps_levels=False,
        ignores_observer=True,
    ),
    "lsq_plus": Declaration(
        home="qat.quantizers.lsq_plus:LSQPlusQuantizer",
        paper="Bhalgat et al. 2020, arXiv:2004.09576",
        learns="step and offset",
        slots=("act",),
        granularities=("tensor", "channel"),
        symmetric=(False,),
        scales=("free",),
        options=("start",),
    ),
    "tqt": Declaration(
        home="qat.quantizers.tqt:TQTQuantizer",
        paper="Jain et al. 2020, arXiv:1903.08066",
        learns="threshold",
        symmetric=(True,),
        scales=("power_of_two",),
        options=("start",),
    ),
    "ewgs": Declaration(
        home="qat.quantizers.ewgs:EWGSQuantizer",
        paper="Lee et al. 2021, arXiv:2104.00903",
        learns="step",
        symmetric=(True,),
        scales=("free",),
        passes_gradient=False,
        options=("start", "delta"),
    ),
    "dsq": Declaration(
        home="qat.quantizers.dsq:DSQQuantizer",
        paper="Gong et al. 2019, arXiv:1908.05033",
        learns="ends, softness",
        scales=("free",),
        passes_gradient=False,
        options=("alpha",),
    ),
    "qil": Declaration(
        home="qat.quantizers.qil:QILQuantizer",
        paper="Jung et al. 2019, arXiv:1808.05779",
        learns="interval",
        bits=tuple(range(2, 9)),
        symmetric=(True,),
        scales=("free",),
        placements=("academic",),
        keeps_levels=False,
        passes_gradient=False,
        options=("learn_gamma",),
    ),
    "apot": Declaration(
        home="qat.quantizers.apot:APoTQuantizer",
        paper="Li, Dong and Wang 2020, arXiv:1909.13144",
        learns="clip",
        bits=tuple(range(2, 9)),
        symmetric=(True,),
        scales=("free",),
        placements=("academic",),
        levels=CODEBOOK,
        options=("start", "standardize"),
    ),
    "n2uq": Declaration(
        home="qat.quantizers.n2uq:N2UQQuantizer",
        paper="Liu et al. 2022, arXiv:2111.14826",
        learns="thresholds, step",
        slots=("act",),
        bits=(2, 3, 4),
        granularities=("tensor", "channel"),
        symmetric=(True,),
        scales=("free",),
        placements=("academic",),
        keeps_levels=False,
        passes_gradient=False,
    ),
    "n2uq_weight": Declaration(
        home="qat.quantizers.n2uq_weight:N2UQWeightQuantizer",
        paper="Liu et al. 2022, arXiv:2111.14826",
        slots=("weight",),
        bits=tuple(range(2, 9)),
        symmetric=(True,),
        signed=(True,),
        narrow=(False,),
        scales=("free",),
        placements=("academic",),
        levels=CODEBOOK,
        keeps_zero=False,
        keeps_levels=False,
        ignores_observer=True,
    ),
    "lqnets": Declaration(
        home="qat.quantizers.lqnets:LQNetsQuantizer",
        paper="Zhang et al. 2018, arXiv:1807.10029",
        bits=(2, 3, 4),
        symmetric=(True,),
        scales=("free",),
        placements=("academic",),
        levels=CODEBOOK,
        keeps_zero=False,
    ),
    "parq": Declaration(
        home="qat.quantizers.parq:PARQQuantizer",
        paper="Jin et al. 2025, arXiv:2503.15748",
        slots=("weight",),
        symmetric=(True,),
        scales=("free",),
        options=("steepness", "end"),
    ),
    "binary": Declaration(
        home="qat.quantizers.binary:BinaryQuantizer",
        paper="Rastegari et al. 2016, arXiv:1603.05279",
        slots=("weight",),
        bits=(1,),
        symmetric=(True,),
        signed=(True,),
        narrow=(False,),
        scales=("free",),
        placements=("academic",),
        levels=CODEBOOK,
        keeps_zero=False,
        passes_gradient=False,
        ignores_observer=True,
    ),
    "sign": Declaration(
        home="qat.quantizers.sign:SignQuantizer",
        paper="Rastegari et al. 2016, arXiv:1603.05279",
        slots=("act",),
        bits=(1,),
        granularities=("tensor", "channel"),
        symmetric=(True,),
        narrow=(False,),
        scales=("free",),
        placements=("academic",),
        levels=CODEBOOK,
        keeps_zero=False,
        passes_gradient=False,
        ignores_observer=True,
    ),
    "ternary": Declaration(
        home="qat.quantizers.ternary:TernaryQuantizer",
        paper="Li et al. 2016, arXiv:1605.04711",
        slots=("weight",),
        bits=(2,),
        symmetric=(True,),
        signed=(True,),
        narrow=(False,),
        scales=("free",),
        placements=("academic",),
        levels=CODEBOOK,
        ignores_observer=True,
    ),
    "dynamic": Declaration(
        home="qat.quantizers.dynamic:DynamicQuantizer",
        paper="ONNX DynamicQuantizeLinear",
        slots=("act",),
        granularities=("tensor",),
        scales=("free",),
        keeps_levels=False,
        ignores_observer=True,
    ),
}

_FIELDS = ("format", "bits", "granularity", "symmetric", "signed", "narrow", "scale")
_ATTRIBUTE = {"format": "formats", "granularity": "granularities", "scale": "scales"}


def unsupported(name: str, spec: TensorSpec, fields: Iterable[str] = _FIELDS) -> str | None:
    """The first field of a spec that a built-in quantizer cannot have, and what it allows.

    Args:
        name: Of the quantizer; one that is not declared here supports everything.
        spec: A spec that is not off. An open sign is not held against it.
        fields: Fields that are checked.

    Returns:
        ``bits=8 (bits must be 2)``; None if all are supported.

    Example:
        >>> unsupported("lsq", TensorSpec(symmetric=False))
        'symmetric=false (lsq has symmetric=true)'
    """
    declared = DECLARED.get(name)
    if declared is None:
        return None
    for field in fields:
        value, allowed = getattr(spec, field), _allowed(declared, field)
        if value is not None and value not in allowed:
            return f"{field}={_word(value)} ({name} has {field}={ranges(allowed)})"
    return None


def ranges(values: Iterable[object]) -> str:
    """Values for a message; consecutive numbers as a range.

    Example:
        >>> ranges((2, 3, 4, 5, 8)), ranges(("tensor", "channel"))
        ('2 to 5 or 8', 'tensor or channel')
    """
    parts: list[list[object]] = []
    for value in values:
        last = parts[-1][-1] if parts else None
        if _is_number(value) and _is_number(last) and value == last + 1:  # type: ignore[operator]
            parts[-1].append(value)
        else:
            parts.append([value])
    words = [_word(part[0]) if len(part) == 1 else f"{part[0]} to {part[-1]}" for part in parts]
    return " or ".join(words)


def supporting(slot: str, **fields: object) -> list[str]:
    """Names of the quantizers of a slot whose declaration allows some values.

    Args:
        slot: ``weight`` or ``act``.
        fields: Field of a spec → value.

    Example:
        >>> "lsq" in supporting("weight", symmetric=False)
        False
    """
    return [
        name
        for name, declared in DECLARED.items()
        if name != "dynamic"
        and slot in declared.slots
        and all(v in _allowed(declared, f) for f, v in fields.items())
    ]


def _allowed(declared: Declaration, field: str) -> tuple[object, ...]:
    """The values of a field of a spec that a method can have."""
    allowed: tuple[object, ...] = getattr(declared, _ATTRIBUTE.get(field, field))
    return (*allowed, *declared.float_formats) if field == "format" else allowed


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

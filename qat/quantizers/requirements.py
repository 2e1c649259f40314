"""What every quantizer must guarantee, as a check of a class of one's own."""

import copy
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import product
from typing import Any

import torch
from torch import Tensor

from qat.base.errors import InputError, QatError
from qat.base.requirements import RequirementReport, check_requirements
from qat.base.target import load_target
from qat.core.layout import Layout
from qat.core.scheme import Method, TensorSpec
from qat.quantizers.base import Quantizer, UncalibratedWarning

SHAPE = (4, 6, 5, 5)
"""Of the tensors of the check: a weight, or a batch of activations."""
_ZERO = "round zero to zero"
_WEIGHT = ({"signed": True, "symmetric": True}, {"signed": True, "symmetric": False})
_ACT = (
    {"signed": True, "symmetric": True},
    {"signed": False, "symmetric": True},
    {"signed": False, "symmetric": False},
)


@dataclass(frozen=True)
class QuantizerCase:
    """A quantizer in a slot, under a spec.

    Attributes:
        create: Creates a new one, from spec and layout.
        spec: How the tensor is quantized.
        slot: ``weight`` or ``act``.
    """

    create: Callable[..., Quantizer]
    spec: TensorSpec
    slot: str

    def new(self) -> Quantizer:
        """A quantizer that is not calibrated, in evaluation mode."""
        if self.slot == "weight":
            layout = Layout.of_weight(self.spec.granularity, SHAPE, self.spec.group_size)
        else:
            layout = Layout.of_activation(self.spec.granularity, SHAPE[1])
        return self.create(self.spec, layout).eval()

    def calibrated(self) -> Quantizer:
        """A quantizer that has observed some values, in phase ``quantize``."""
        return copy.deepcopy(self._calibrated)  # some observers take their time

    @cached_property
    def _calibrated(self) -> Quantizer:
        return self.calibrated_anew()

    def calibrated_anew(self) -> Quantizer:
        """The same, from a calibration of its own."""
        quantizer = self.new()
        quantizer.set_phase("observe")
        quantizer(self.values())
        quantizer.set_phase("quantize")
        return quantizer

    def values(self, seed: int = 0) -> Tensor:
        """Normally distributed values; none is negative if the codes cannot be."""
        x = torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed))
        return x.relu() if self.spec.symmetric and not self.spec.signed else x

    def __str__(self) -> str:
        sign = "signed" if self.spec.signed else "unsigned"
        kind = "symmetric" if self.spec.symmetric else "asymmetric"
        return f"{self.slot} of {self.spec.bits} bits, {sign}, {kind}, per {self.spec.granularity}"


def check_quantizer(
    quantizer: type[Quantizer] | str,
    options: Mapping[str, Any] | None = None,
    *,
    bits: Sequence[int] = (8, 4, 2),
    slots: Sequence[str] = ("weight", "act"),
    granularities: Sequence[str] = ("tensor", "channel"),
    scale: str = "free",
    keeps_zero: bool = True,
) -> RequirementReport:
    """Check what every quantizer must guarantee, for a class of your own.

    All combinations of the arguments are tried, with signed and unsigned codes, symmetric and
    asymmetric. If the class refuses one by a ``ValueError``, that is listed and not an error.

    Args:
        quantizer: The class, or ``package.module:Class``.
        options: Further arguments of the class.
        bits: Widths to try.
        slots: Of ``weight`` and ``act``, those to try.
        granularities: Of ``tensor`` and ``channel``, those to try.
        scale: ``power_of_two`` for a method that has only such scales.
        keeps_zero: False for a method that has no level at zero.

    Returns:
        The requirements that it meets; ``print`` shows them.

    Raises:
        RequirementError: If it does not meet one; the message says which, and in which case.
        InputError: If it is not a subclass of ``qat.extend.Quantizer``.

    Example:
        >>> import qat
        >>> report = qat.check_quantizer(qat.extend.MinMaxQuantizer, bits=[4], slots=["weight"])
        >>> report.cases[0]
        'weight of 4 bits, signed, symmetric, per tensor'
    """
    chosen = load_target(quantizer) if isinstance(quantizer, str) else quantizer
    if not (isinstance(chosen, type) and issubclass(chosen, Quantizer)):
        raise InputError(f"{quantizer!r} is not a subclass of qat.extend.Quantizer")
    method = Method("user", f"{chosen.__module__}:{chosen.__qualname__}", options or {})
    base = TensorSpec(scale=scale, quantizer=method)
    cases: list[QuantizerCase] = []
    refused: dict[str, str] = {}
    for slot, granularity in product(slots, granularities):
        for fields in _WEIGHT if slot == "weight" else _ACT:
            for width in bits:
                spec = base.but(bits=width, granularity=granularity, **fields)
                case = QuantizerCase(partial(chosen, **method.options), spec, slot)
                try:
                    case.new()
                except (QatError, ValueError) as error:
                    refused[str(case)] = str(error)
                else:
                    cases.append(case)
    own = OF_ALL if chosen.reads_each_input else REQUIREMENTS
    requirements = {w: check for w, check in own.items() if keeps_zero or w != _ZERO}
    return check_requirements(chosen.__name__, cases, requirements, refused)


def _few_levels(case: QuantizerCase) -> bool:
    quantizer = case.calibrated()
    width, _ = quantizer.code_range()
    rows = quantizer.layout.sliced(quantizer(case.values(1)))
    return width <= case.spec.stored_bits and all(len(row.unique()) <= 2**width for row in rows)


def _keeps_order(case: QuantizerCase) -> bool:
    quantizer, x = case.calibrated(), case.values(1)
    rows, rounded = (quantizer.layout.sliced(t.detach()) for t in (x, quantizer(x)))
    pairs = zip(rows, rounded, strict=True)
    return all(bool((after[row.argsort()].diff() >= 0).all()) for row, after in pairs)


def _keeps_zero(case: QuantizerCase) -> bool:
    x = case.values()
    x[:, :, 0] = 0
    return not bool(case.calibrated()(x)[:, :, 0].any())


def _keeps_shape(case: QuantizerCase) -> bool:
    x = case.values(1)
    rounded = case.calibrated()(x)
    return rounded.shape == x.shape and rounded.dtype == x.dtype


def _reads_any_order(case: QuantizerCase) -> bool:
    quantizer, x = case.calibrated(), case.values(1)
    other = quantizer(x.contiguous(memory_format=torch.channels_last))
    return torch.equal(other, quantizer(x))


def _passes_values(case: QuantizerCase) -> bool:
    quantizer, x = case.calibrated(), case.values(1)
    quantizer.set_phase("off")
    unchanged = torch.equal(quantizer(x), x)
    quantizer.set_phase("observe")
    return unchanged and torch.equal(quantizer(x), x)


def _repeats(case: QuantizerCase) -> bool:
    x = case.values(1)
    return torch.equal(case.calibrated_anew()(x), case.calibrated_anew()(x))


def _decodes(case: QuantizerCase) -> bool:
    quantizer = case.calibrated()
    samples = (case.values(1), case.values(2) * 10)
    return all(torch.equal(quantizer.decode(quantizer.encode(x)), quantizer(x)) for x in samples)


def _codes_in_range(case: QuantizerCase) -> bool:
    quantizer = case.calibrated()
    codes = quantizer.encode(case.values(1) * 100)
    width, lowest = quantizer.code_range()
    return bool((codes >= lowest).all() and (codes < lowest + 2**width).all())


def _restores(case: QuantizerCase) -> bool:
    before, after, x = case.calibrated(), case.new(), case.values(1)
    after.load_state_dict(before.state_dict(), strict=True)
    return torch.equal(after(x), before(x))


def _warns(case: QuantizerCase) -> bool:
    quantizer, x = case.new(), case.values(1)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        rounded = quantizer(x)
    warned = any(issubclass(warning.category, UncalibratedWarning) for warning in seen)
    return warned and not torch.equal(rounded, x)


def _refuses_nan(case: QuantizerCase) -> bool:
    quantizer = case.new()
    quantizer.set_phase("observe")
    try:
        quantizer(torch.full(SHAPE, torch.nan))
    except ValueError:
        return True
    return False


def _passes_gradient(case: QuantizerCase) -> bool:
    x = (case.values() * 0.1).requires_grad_()
    case.calibrated()(x).sum().backward()
    return x.grad is not None and bool(x.grad.isfinite().all()) and bool(x.grad.any())


def _trains(case: QuantizerCase) -> bool:
    quantizer = case.calibrated().train()
    learned = [p for p in quantizer.parameters() if p.requires_grad]
    if bool(learned) != quantizer.learns:
        return False
    weights = torch.rand(SHAPE, generator=torch.Generator().manual_seed(9))
    x = (case.values(1) * 3).requires_grad_()
    (quantizer(x) * weights).sum().backward()
    gradients = [parameter.grad for parameter in learned]
    return all(g is not None and bool(g.isfinite().all()) and bool(g.any()) for g in gradients)


def _has_scales(case: QuantizerCase) -> bool:
    quantizer = case.calibrated()
    if (book := quantizer.codebook()) is not None:
        return len(book.values) == quantizer.layout.slices
    own = quantizer.qparams()
    shaped = own.scale.shape == own.zero_point.shape == quantizer.layout.shape
    centred = not (case.spec.symmetric and bool(own.zero_point.any()))
    return shaped and centred and bool((own.scale > 0).all())


_Requirements = Mapping[str, Callable[[QuantizerCase], bool]]
OF_ALL: _Requirements = {
    "round each slice to at most 2^bits values": _few_levels,
    "keep the order of values": _keeps_order,
    _ZERO: _keeps_zero,
    "keep shape and dtype": _keeps_shape,
    "round alike in both memory formats": _reads_any_order,
    "pass values unchanged in the phases off and observe": _passes_values,
    "round alike in two instances": _repeats,
    "restore its whole state from a state dict": _restores,
    "pass a finite gradient to its input": _passes_gradient,
    "give each learned parameter a gradient, and set learns if it has one": _trains,
}
WITH_A_RANGE: _Requirements = {
    "decode its codes to the values that it rounds to, bit for bit": _decodes,
    "keep its codes within code_range": _codes_in_range,
    "warn and round if it is used without calibration": _warns,
    "refuse NaN while it observes": _refuses_nan,
    "have a scale above 0 for each slice, and zero point 0 if symmetric": _has_scales,
}
"""Of quantizers that do not compute their scales from each input."""
REQUIREMENTS: _Requirements = {**OF_ALL, **WITH_A_RANGE}

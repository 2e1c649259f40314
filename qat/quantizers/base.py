"""Base class of fake quantizers: phases, ranges, and what layers and exporters use of them."""

import warnings
from typing import Any

import torch
from torch import Tensor, nn

from qat.base.allowed import one_of
from qat.core import affine
from qat.core.checks import is_immediate, naming
from qat.core.codebook import Codebook
from qat.core.layout import Layout
from qat.core.qparams import (
    QParams,
    qparams_from_range,
    raised,
    round_up_to_power_of_two,
)
from qat.core.rounding import Rounding, fake_quantize, straight_through
from qat.core.scheme import Method, TensorSpec
from qat.observers.base import Observer
from qat.observers.registry import make_observer

PHASES = ("observe", "quantize", "off")


class UncalibratedWarning(UserWarning):
    """A quantizer without calibration took its range from the first values that it rounded."""


class Quantizer(nn.Module):
    """Fake quantization: rounds a tensor to the values of a grid, in floating point.

    In phase ``observe`` the values pass unchanged and are collected; when this phase ends, they
    determine the range (calibration). In phase ``quantize`` values are rounded. In phase ``off``
    they pass unchanged. A quantizer without a range takes it from the first values that it is to
    round, with a warning; it never passes them unrounded.

    A method defines :meth:`set_qparams` and :meth:`qparams`, or :meth:`codebook`; most also
    define :meth:`quantize` and :meth:`observer_method`.

    Args:
        spec: How the tensor is to be quantized.
        layout: Which elements of the tensor share a scale.

    Shape:
        Input and output have the same shape, of any rank that the layout allows.

    Attributes:
        label: Name of the tensor, for messages.
        phase: One of ``observe``, ``quantize``, ``off``; set by :meth:`set_phase`.
        frozen: True if the range no longer follows training.
        learns: True for a method whose range is trained by gradient descent.
        reads_each_input: True for a method that computes its scales from each input, and has none
            of its own.
        follows_each_call: True for a method whose range moves each time it rounds in training, also
            if the values are the same; a shared weight is then rounded at each call.
        decay: Weight decay of what it learns: ``weights`` for that of the weights, a number, or
            None for that of all quantizers (``optimizer.step_weight_decay``).
        least_scale: Smallest allowed scales, of ``layout.shape``; None for no limit.

    Example:
        >>> from qat.core.layout import Layout
        >>> class HalfSteps(Quantizer):
        ...     "Steps of one half, whatever the range."
        ...     def set_qparams(self, scale, zero_point):
        ...         "There is nothing to set."
        ...     def qparams(self):
        ...         ones = torch.ones(self.layout.shape)
        ...         return QParams(0.5 * ones, 0 * ones, self.grid, self.layout)
        >>> quantizer = HalfSteps(TensorSpec(bits=4, signed=True), Layout())
        >>> quantizer.set_range(-1.0, 1.0)
        >>> quantizer(torch.tensor([0.4, 99.0])).tolist()
        [0.5, 3.5]
    """

    learns = False
    reads_each_input = False
    follows_each_call = False
    decay: float | str | None = None
    calibrated: Tensor

    def __init__(self, spec: TensorSpec, layout: Layout) -> None:
        super().__init__()
        self.spec, self.layout, self.grid = spec, layout, spec.grid()
        self.phase = "quantize"
        self.label = type(self).__name__
        self.frozen = False
        self.least_scale: Tensor | None = None
        self.observer: Observer = make_observer(self.observer_method(), layout.slices)
        self.register_buffer("calibrated", torch.zeros((), dtype=torch.bool))
        self._ready = False  # copy of the buffer, so that forward need not wait for a GPU

    # What a method defines ---------------------------------------------------------------------

    def observer_method(self) -> Method:
        """The observer: that of the spec, or the choice of this method if it is ``default``."""
        return self.spec.observer if self.spec.observer.name != "default" else Method("minmax")

    def quantize(self, x: Tensor) -> Tensor:
        """Round ``x``, with the gradient of the method; here a straight-through estimator."""
        return fake_quantize(x, self.qparams())

    def rounding(self, x: Tensor) -> Rounding:
        """What :meth:`quantize` computes, so that it can be computed with other operations.

        A class that overrides one of the two overrides both, or its :meth:`quantize` is used.

        Args:
            x: A tensor of the shape that is rounded.
        """
        return straight_through(self.qparams())

    def set_qparams(self, scale: Tensor, zero_point: Tensor) -> None:
        """Replace scale and zero point, in place.

        Args:
            scale: Of ``layout.shape``.
            zero_point: Of ``layout.shape``.

        Raises:
            NotImplementedError: Always; a subclass defines it.
        """
        raise NotImplementedError

    def qparams(self) -> QParams:
        """Scale, zero point, grid and layout.

        Raises:
            NotImplementedError: Always; a subclass defines it.
        """
        raise NotImplementedError

    def codebook(self) -> Codebook | None:
        """The levels of a method whose steps are not all equal; None for an affine grid.

        A method with a codebook has no scale, and its :meth:`qparams` raises an error.
        """
        return None

    def thresholds(self) -> Tensor | None:
        """Where codes begin, if it is not halfway between two levels of an affine grid.

        Returns:
            The smallest value of each code but the lowest, ``(slices, codes - 1)``, ascending, the
            last that of ``grid.qmax``; None for codes by rounding.
        """
        return None

    def set_progress(self, share: float) -> None:
        """Take what a method changes in the course of a training; most change nothing.

        Args:
            share: Share of the optimizer steps that are done, 0 to 1.
        """

    # What all methods share ----------------------------------------------------------------------

    def forward(self, x: Tensor) -> Tensor:
        """Observe ``x``, round it, or return it unchanged, depending on the phase."""
        if self.phase == "off":
            return x
        if self.phase == "observe":
            self.observe(x)
            return x
        if not self._ready:
            self._start_from(x)
        return self.quantize(x)

    def observe(self, x: Tensor) -> None:
        """Add the values of ``x`` to the statistics of the observer.

        Raises:
            InputError: If they contain NaN or infinity; the message names the tensor.
        """
        with naming(self.label):
            self.observer.observe(self.layout.sliced(x.detach()))

    def close_batch(self, forwards: int = 1) -> None:
        """End a batch of calibration.

        Tensors that share this quantizer are one batch. The first batch determines their number
        per forward pass, which training uses later.

        Args:
            forwards: Number of forward passes into which the batch was split.

        Raises:
            InputError: If the values contain NaN or infinity; the message names the tensor.
        """
        with naming(self.label):
            calls = self.observer.close()
        if self.observer.uses is None:
            self.observer.expect(max(calls // forwards, 1))

    def adopt_range(self) -> None:
        """Take scale and zero point from the observed values."""
        rmin, rmax = self.observer.range(self.grid, symmetric=self.spec.symmetric)
        self.set_range(rmin, rmax)

    def set_range(self, rmin: Tensor | float, rmax: Tensor | float) -> None:
        """Represent the range ``rmin .. rmax``.

        Args:
            rmin: Smallest value, a number or one for each slice.
            rmax: Largest value, likewise.

        Raises:
            InputError: If a bound is NaN or infinite, or ``rmin > rmax``.
        """
        like = self.qparams().scale.detach()
        scale, zero_point = qparams_from_range(
            self._of_each_slice(rmin, like),
            self._of_each_slice(rmax, like),
            self.grid,
            symmetric=self.spec.symmetric,
            power_of_two=self.spec.scale == "power_of_two",
            least=self.least_scale,
        )
        self.set_qparams(scale, zero_point)
        self._set_ready()

    @torch.no_grad()
    def hold_scale(self, least: Tensor) -> None:
        """Raise scales below ``least``, of ``layout.shape``; this holds for later ranges too."""
        self.least_scale = least
        own = self.qparams()
        scale = raised(own.scale, least)
        if is_immediate(scale.device) and torch.equal(scale, own.scale):
            return  # on a GPU, to set equal scales takes less time than to compare them
        if self.spec.scale == "power_of_two":
            scale = round_up_to_power_of_two(scale)
        self.set_qparams(scale, own.zero_point)

    def set_phase(self, phase: str) -> None:
        """Switch the phase; at the end of ``observe`` the range is taken from the observed values.

        Raises:
            InputError: If the phase is not ``observe``, ``quantize`` or ``off``.
        """
        one_of("phase", phase, PHASES)
        if self.phase == "observe" and phase != "observe" and self.observer.seen:
            self.adopt_range()
        self.phase = phase

    @property
    def is_rounding(self) -> bool:
        """True if it is calibrated and in phase ``quantize``."""
        return self.phase == "quantize" and self._ready

    @property
    def only_rounds(self) -> bool:
        """True if :meth:`forward` now is :meth:`quantize`, and observes nothing.

        A class that overrides :meth:`forward` overrides this too, or it is not used.
        """
        return self.is_rounding

    def encode(self, x: Tensor) -> Tensor:
        """Integer codes of ``x``, int32: codes of the grid, or indices into the codebook.

        Raises:
            InputError: If ``x`` contains NaN, which has no code.
        """
        book = self.codebook()
        return affine.encode(x, self.qparams()) if book is None else book.encode(x)

    def code_range(self) -> tuple[int, int]:
        """``(bits, lowest code)`` of the codes that :meth:`encode` returns.

        The lowest code is ``grid.qmin`` for an affine grid, and 0 for a codebook.
        """
        book = self.codebook()
        return (self.grid.bits, self.grid.qmin) if book is None else (book.bits, 0)

    def decode(self, codes: Tensor) -> Tensor:
        """Values of integer codes."""
        book = self.codebook()
        return affine.decode(codes, self.qparams()) if book is None else book.decode(codes)

    def extra_repr(self) -> str:
        """Text within the parentheses of ``print(net)``."""
        grid = self.grid
        return f"{grid.bits} bits, codes {grid.qmin}..{grid.qmax}, {self.spec.granularity}"

    def _start_from(self, x: Tensor) -> None:
        warnings.warn(
            f"{self.label} is used uncalibrated and takes its range from this input; "
            "calibrate the network first",
            UncalibratedWarning,
            stacklevel=3,
        )
        self.observe(x)
        self.observer.close()  # other tensors that share the range have to use this one
        self.adopt_range()

    def _of_each_slice(self, bound: Tensor | float, like: Tensor) -> Tensor:
        """A bound of a range in ``layout.shape``, from a number or one for each slice."""
        shape, bound = self.layout.shape, torch.as_tensor(bound, dtype=like.dtype).to(like.device)
        return bound.reshape(shape) if bound.numel() > 1 else bound.expand(shape)

    def _set_ready(self) -> None:
        self.calibrated.fill_(True)
        self._ready = True

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *args: Any) -> None:
        super()._load_from_state_dict(state_dict, prefix, *args)
        self._ready = bool(self.calibrated)

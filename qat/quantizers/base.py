"""What every fake quantizer owes its layer and its exporter, whichever paper it comes from."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from qat.base.allowed import one_of
from qat.base.errors import InputError
from qat.core import affine
from qat.core.codebook import Codebook
from qat.core.layout import Layout
from qat.core.qparams import (
    QParams,
    qparams_from_range,
    raised,
    round_up_to_power_of_two,
)
from qat.core.scheme import Method, TensorSpec
from qat.observers.base import Observer
from qat.observers.registry import make_observer

PHASES = ("observe", "quantize", "off")


class UncalibratedWarning(UserWarning):
    """A quantizer took its range from the first values it was given, for want of calibration."""


class Quantizer(nn.Module):
    """Rounds a tensor to the codes of a grid, and keeps it in float.

    In phase ``observe`` it passes values through and collects them; on leaving that phase it
    takes its range from them. In phase ``quantize`` it rounds. ``off`` is the identity, exactly.
    A quantizer that has no range yet takes it from the first values it is to round, with a
    warning: it never passes them through unrounded.

    Args:
        spec: What is asked of the tensor.
        layout: How scales lie over it.

    Shape:
        In and out are alike, of any rank the layout allows.

    Attributes:
        label: Whose it is, for messages.
        phase: One of ``observe``, ``quantize``, ``off``; set by :meth:`set_phase`.
        frozen: True once the range no longer follows training.
        learns: True for a method whose range is trained by gradient.
        least_scale: Scales below it, element by element, are raised; None for any scale.
    """

    learns = False
    calibrated: Tensor

    def __init__(self, spec: TensorSpec, layout: Layout) -> None:
        super().__init__()
        self.spec, self.layout, self.grid = spec, layout, spec.grid()
        self.phase = "quantize"
        self.label = type(self).__name__  # which layer's, for messages
        self.frozen = False
        self.least_scale: Tensor | None = None
        self.observer: Observer = make_observer(self.observer_method(), layout.slices)
        self.register_buffer("calibrated", torch.zeros((), dtype=torch.bool))
        self._ready = False  # the buffer's value, so that no forward has to wait for a device

    # What a method defines ---------------------------------------------------------------------

    def observer_method(self) -> Method:
        """The observer: the spec's, or this method's own choice when that is ``default``."""
        return self.spec.observer if self.spec.observer.name != "default" else Method("minmax")

    def quantize(self, x: Tensor) -> Tensor:
        """Round ``x``; gradients as the method has them."""
        return affine.fake_quantize(x, self.qparams())

    def set_qparams(self, scale: Tensor, zero_point: Tensor) -> None:
        """Take a scale and a zero point, both of ``layout.shape``, in place."""
        raise NotImplementedError

    def qparams(self) -> QParams:
        """Scale, zero point, grid and layout, as an exporter needs them."""
        raise NotImplementedError

    def codebook(self) -> Codebook | None:
        """The levels, of a method whose steps are not all alike; None for an affine grid.

        A method that has one refuses :meth:`qparams`, since no scale describes it.
        """
        return None

    # What all share ----------------------------------------------------------------------------

    def forward(self, x: Tensor) -> Tensor:
        """Observe, round, or pass through, as the phase says."""
        if self.phase == "off":
            return x
        if self.phase == "observe":
            self.observe(x)
            return x
        if not self._ready:
            self._start_from(x)
        return self.quantize(x)

    def observe(self, x: Tensor) -> None:
        """Show the observer the values of ``x``.

        Raises:
            ValueError: If they hold NaN or infinity.
        """
        with self._named():
            self.observer.observe(self.layout.sliced(x.detach()))

    def close_batch(self, forwards: int = 1) -> None:
        """A batch is over: what tensors that share the scale have shown is one.

        The first batch tells how many they are, so that a training knows it.

        Args:
            forwards: In how many parts the batch went through the network.

        Raises:
            ValueError: If they hold NaN or infinity.
        """
        with self._named():
            calls = self.observer.close()
        if self.observer.uses is None:
            self.observer.expect(max(calls // forwards, 1))

    def adopt_range(self) -> None:
        """Take scale and zero point from what was observed."""
        rmin, rmax = self.observer.range(self.grid, symmetric=self.spec.symmetric)
        self.set_range(rmin, rmax)

    def set_range(self, rmin: Tensor | float, rmax: Tensor | float) -> None:
        """Represent ``rmin .. rmax``, numbers or one value a slice."""
        shape, like = self.layout.shape, self.qparams().scale.detach()
        low, high = (torch.as_tensor(r, dtype=like.dtype, device=like.device) for r in (rmin, rmax))
        scale, zero_point = qparams_from_range(
            low.reshape(shape) if low.numel() > 1 else low.expand(shape),
            high.reshape(shape) if high.numel() > 1 else high.expand(shape),
            self.grid,
            symmetric=self.spec.symmetric,
            power_of_two=self.spec.scale == "power_of_two",
            least=self.least_scale,
        )
        self.set_qparams(scale, zero_point)
        self._set_ready()

    @torch.no_grad()
    def hold_scale(self, least: Tensor) -> None:
        """Raise scales below ``least``, of ``layout.shape``: those of now and of later ranges."""
        self.least_scale = least
        own = self.qparams()
        scale = raised(own.scale, least)
        if bool((scale != own.scale).any()):
            if self.spec.scale == "power_of_two":
                scale = round_up_to_power_of_two(scale)
            self.set_qparams(scale, own.zero_point)

    def set_phase(self, phase: str) -> None:
        """Switch the phase; leaving ``observe`` fixes the range from what was seen.

        Raises:
            ValueError: If the phase is none of ``observe``, ``quantize``, ``off``.
        """
        one_of("phase", phase, PHASES)
        if self.phase == "observe" and phase != "observe" and self.observer.seen:
            self.adopt_range()
        self.phase = phase

    @property
    def is_rounding(self) -> bool:
        """True if it rounds by a range of its own: in phase ``quantize``, calibrated."""
        return self.phase == "quantize" and self._ready

    def encode(self, x: Tensor) -> Tensor:
        """Integer codes of ``x``, int32: of the grid, or indices into the codebook."""
        book = self.codebook()
        return affine.encode(x, self.qparams()) if book is None else book.encode(x)

    def code_range(self) -> tuple[int, int]:
        """``(bits, lowest code)`` of what :meth:`encode` returns.

        A codebook is indexed from 0; codes of an affine grid begin at ``grid.qmin``.
        """
        book = self.codebook()
        return (self.grid.bits, self.grid.qmin) if book is None else (book.bits, 0)

    def decode(self, codes: Tensor) -> Tensor:
        """Values of integer codes."""
        book = self.codebook()
        return affine.decode(codes, self.qparams()) if book is None else book.decode(codes)

    def extra_repr(self) -> str:
        """One line for ``print(net)``."""
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
        self.observer.close()  # whatever else shares the range has to do with this
        self.adopt_range()

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Name the tensor in what an observer complains of."""
        try:
            yield
        except ValueError as error:
            raise InputError(f"{self.label}: {error}") from error

    def _set_ready(self) -> None:
        self.calibrated.fill_(True)
        self._ready = True

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *args: Any) -> None:
        super()._load_from_state_dict(state_dict, prefix, *args)
        self._ready = bool(self.calibrated)

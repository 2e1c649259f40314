"""What methods share that learn how wide a step of an affine grid is.

Each has a parameter for every scale. A training step changes it by

    d loss / d scale = sum_i g_i * slope_i,    g = d loss / d v_hat

where ``slope`` is what the method's paper has for ``d v_hat / d scale``. Methods that are not tied
to an optimizer of their own multiply this sum by ``1 / sqrt(N * qmax)``, with N elements for each
scale (Esser et al. 2020, arXiv:1902.08153, section 2.2): then one learning rate suits all tensors.

Cites: esser2020lsq.
"""

from typing import ClassVar

import torch
from torch import Tensor

from qat.base.allowed import one_of
from qat.base.errors import InputError
from qat.core.affine import quantize_dequantize
from qat.core.kernels import grad_of
from qat.core.layout import Layout
from qat.core.qparams import raised
from qat.core.rounding import Rounding, rounded
from qat.core.scheme import Method, TensorSpec
from qat.observers.statistics import distribution
from qat.quantizers.base import Quantizer
from qat.quantizers.declared import unsupported

STARTS = ("paper", "mse", "observer")


class LearnedScale(Quantizer):
    """Base of methods whose scales are trained.

    A subclass defines :meth:`rounding`, :meth:`in_plain_operations`, ``set_qparams`` and
    ``qparams``.

    Args:
        spec: How the tensor is to be quantized.
        layout: Which elements of the tensor share a scale.
        start: First scale. ``mse``: that of least square error. ``paper``: that of the method's
            paper. ``observer``: from the range of the observer of the spec.

    Attributes:
        method: Name under which the method is declared.
        paper_observer: The observer that the start ``paper`` needs.

    Raises:
        InputError: If the method cannot have the spec, ``start`` is unknown, or the spec names an
            observer that ``start`` ignores.
    """

    learns = True
    method: ClassVar[str]
    paper_observer: ClassVar[Method] = Method("mse")

    def __init__(self, spec: TensorSpec, layout: Layout, start: str) -> None:
        reason = unsupported(self.method, spec)
        if reason is not None:
            raise InputError(f"{self.method} cannot have {reason}")
        one_of(f"start of {self.method}", start, STARTS)
        if start != "observer" and spec.observer.name != "default":
            raise InputError(
                f"{self.method} with start={start} would ignore the observer "
                f"{spec.observer.name!r}: set start=observer, or leave the observer at default"
            )
        self.start = start
        super().__init__(spec, layout)

    def observer_method(self) -> Method:
        """The observer from whose range the first scale is computed."""
        own = {"paper": self.paper_observer, "mse": Method("mse")}
        return own.get(self.start) or super().observer_method()

    def quantize(self, x: Tensor) -> Tensor:
        """Round ``x``, with the gradients of the method."""
        if torch.compiler.is_compiling():
            return self.in_plain_operations(x)
        return rounded(x, self.rounding(x))

    def rounding(self, x: Tensor) -> Rounding:
        """How the method rounds ``x``.

        Args:
            x: A tensor of the shape that is rounded.

        Raises:
            NotImplementedError: Always; a subclass defines it.
        """
        raise NotImplementedError

    def in_plain_operations(self, x: Tensor) -> Tensor:
        """The same for a training step that is compiled as a whole.

        Args:
            x: The tensor to round.

        Raises:
            NotImplementedError: Always; a subclass defines it.
        """
        raise NotImplementedError

    def hold_scale(self, least: Tensor) -> None:
        """As the base, but without changing the parameter: a scale is raised where it is used."""
        self.least_scale = least

    def held(self, scale: Tensor) -> Tensor:
        """The scales, not below the smallest allowed ones."""
        return scale if self.least_scale is None else raised(scale, self.least_scale)

    def gain(self, x: Tensor) -> float:
        """``1 / sqrt(N * qmax)``; N does not count the batch axis of an activation."""
        has_batch = not self.layout.of_weights and self.layout.axis != 0 and x.ndim > 1
        total = x.numel() / max(x.shape[0], 1) if has_batch else x.numel()
        return float((max(total / self.layout.slices, 1) * self.grid.qmax) ** -0.5)

    @property
    def sees_distribution(self) -> bool:
        """True if the observer keeps a distribution, not only its ends (as in a rehearsal)."""
        return distribution(self.observer) is not None

    def deviation(self) -> Tensor:
        """Standard deviation of the observed values of each slice, of ``layout.shape``."""
        observed = distribution(self.observer)
        assert observed is not None
        values, weights = observed
        total = weights.sum(dim=1, keepdim=True)
        mean = (values * weights).sum(dim=1, keepdim=True) / total
        variance = ((values - mean).square() * weights).sum(dim=1, keepdim=True) / total
        return variance.sqrt().reshape(self.layout.shape).to(torch.get_default_dtype())


def with_slopes(
    x: Tensor, inside: Tensor, slope: Tensor, scale: Tensor, quantizer: Quantizer
) -> Tensor:
    """Rounded values in plain operations, with the gradients that a method states.

    Args:
        x: The tensor to round.
        inside: Where the gradient of ``x`` is 1; elsewhere it is 0.
        slope: Gradient of the rounded values by their scale, without a gradient of its own.
        scale: Of ``layout.shape``, with a gradient that leads to a parameter.
        quantizer: Its grid, with zero point 0, and its layout are used.
    """
    beside = quantizer.layout.beside(scale, x)
    grid, fixed = quantizer.grid, beside.detach()
    value = quantize_dequantize(x, fixed, torch.zeros_like(fixed), grid.qmin, grid.qmax)
    return grad_of(value, torch.where(inside, x, x.detach()) + slope.detach() * beside)

"""Fake quantization with a gradient: one loop over the tensor forward, one loop backward.

An addition and a ReLU before the rounding can be part of both loops:

    y = activation(x + addend)        activation: none, relu, relu6
    value = (clamp(round(y / scale) + zero_point, qmin, qmax) - zero_point) * scale

An eager training step reads and writes an activation once for each of these operations, and again
in the backward pass. As compiled loops they read and write it once. The results are those of the
separate operations bit for bit, except for the sum of the gradient of the scale.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from qat.core.affine import is_inside, quantize_dequantize
from qat.core.grid import IntGrid
from qat.core.kernels import body, grad_of
from qat.core.layout import Layout
from qat.core.qparams import QParams

ACTIVATIONS = ("none", "relu", "relu6")
Gradients = Callable[..., tuple[Tensor | None, ...]]
"""From ``(grad, grad_of_y, values, scale, zero_point, activation, qmin, qmax)``, all tensors as
rows, to the gradients of ``x``, of the scale (None if it gets none) and, if the rounding has an
``offset``, of the offset. ``values`` are ``y``, or ``x`` if there is no addend; ``grad_of_y`` is
None if nothing else reads ``y``."""
Slopes = Callable[..., tuple[Tensor, Tensor]]
"""From ``(grad, y, scale, zero_point, qmin, qmax)``, tensors as rows, to the gradient of ``y``
through the rounding, and the gradient of each rounded value by its scale."""


@dataclass(frozen=True)
class Rounding:
    """How a quantizer rounds a tensor at present, and how gradients pass.

    Attributes:
        scale: ``(slices, 1)``; a gradient flows into it if ``gradients`` computes one, unless there
            is ``learned``.
        zero_point: ``(slices, 1)``, integers as floats.
        grid: The codes.
        layout: Which elements share a scale.
        gradients: The backward pass of the method.
        gain: Factor of the gradients of scale and offset.
        learned: Parameter of ``layout.shape`` whose magnitude is the scale; the gradient flows into
            it. None if the scale is computed otherwise.
        offset: Parameter of ``layout.shape`` that determines the zero point; the third gradient
            flows into it. None if the zero point gets no gradient.
    """

    scale: Tensor
    zero_point: Tensor
    grid: IntGrid
    layout: Layout
    gradients: Gradients
    gain: float = 1.0
    learned: Tensor | None = None
    offset: Tensor | None = None


def fake_quantize(x: Tensor, qparams: QParams) -> Tensor:
    """``decode(encode(x))`` bit for bit, with a straight-through gradient.

    The gradient of ``x`` is 1 where ``x / scale + zero_point`` lies within ``qmin .. qmax``, ends
    included (to 1e-4 of a step, since ``x / scale`` is itself rounded), and 0 outside: this is
    the straight-through estimator for rounding (Bengio et al. 2013, arXiv:1308.3432), but not for
    clipping. Scale and zero point get no gradient. NaN stays NaN.

    Args:
        x: Values of any shape that the layout allows.
        qparams: Scale, zero point, grid and layout.

    Example:
        >>> from qat.core.grid import IntGrid
        >>> from qat.core.layout import Layout
        >>> grid = IntGrid(4, signed=True)
        >>> qparams = QParams(torch.tensor([0.5]), torch.zeros(1), grid, Layout())
        >>> x = torch.tensor([0.6, 99.0], requires_grad=True)
        >>> y = fake_quantize(x, qparams)
        >>> y.sum().backward()
        >>> y.tolist(), x.grad.tolist()
        ([0.5, 3.5], [1.0, 0.0])
    """
    if torch.compiler.is_compiling():
        return _in_plain_operations(x, qparams)
    return rounded(x, straight_through(qparams))


def straight_through(qparams: QParams) -> Rounding:
    """The rounding of :func:`fake_quantize`."""
    terms = qparams.scale.reshape(-1, 1), qparams.zero_point.reshape(-1, 1)
    if torch.is_grad_enabled():
        # The backward pass needs the scale of now; a later forward of the same training step may
        # change it in place. The values of the result do not depend on this copy.
        terms = terms[0].clone(), terms[1].clone()
    return Rounding(*terms, qparams.grid, qparams.layout, pass_inside)


def rounded(x: Tensor, rounding: Rounding) -> Tensor:
    """Round ``x``, with the gradients of the rounding.

    Args:
        x: Values of any shape that the layout allows.
        rounding: How to round.
    """
    tensors = x, None, rounding.scale, rounding.learned, rounding.offset
    return _Round.apply(*tensors, rounding, "none", False)  # type: ignore[no-any-return]


def activated_and_rounded(
    x: Tensor, addend: Tensor | None, rounding: Rounding, activation: str
) -> tuple[Tensor, Tensor]:
    """``y = activation(x + addend)``, and ``y`` rounded.

    Args:
        x: Values of any shape that the layout allows.
        addend: Tensor of the same shape and dtype; None adds nothing.
        rounding: How to round.
        activation: ``none``, ``relu`` or ``relu6``.

    Example:
        >>> from qat.core.grid import IntGrid
        >>> from qat.core.layout import Layout
        >>> grid = IntGrid(4, signed=False)
        >>> rounding = straight_through(
        ...     QParams(torch.tensor([0.5]), torch.zeros(1), grid, Layout())
        ... )
        >>> x, addend = torch.tensor([0.6, -3.0]), torch.tensor([0.1, 1.0])
        >>> [t.tolist() for t in activated_and_rounded(x, addend, rounding, "relu")]
        [[0.7000000476837158, 0.0], [0.5, 0.0]]
    """
    tensors = x, addend, rounding.scale, rounding.learned, rounding.offset
    return _Round.apply(*tensors, rounding, activation, True)  # type: ignore[no-any-return]


def activated_then_rounded(
    x: Tensor, addend: Tensor | None, rounding: Rounding, activation: str
) -> Tensor:
    """The second result of :func:`activated_and_rounded`, if nothing else reads ``y``.

    Args:
        x: Values of any shape that the layout allows.
        addend: Tensor of the same shape and dtype; None adds nothing.
        rounding: How to round.
        activation: ``none``, ``relu`` or ``relu6``.
    """
    tensors = x, addend, rounding.scale, rounding.learned, rounding.offset
    return _Round.apply(*tensors, rounding, activation, False)  # type: ignore[no-any-return]


def activated(x: Tensor, addend: Tensor | None, activation: str) -> Tensor:
    """``activation(x + addend)`` in plain operations.

    Args:
        x: Values.
        addend: Tensor of the same shape; None adds nothing.
        activation: ``none``, ``relu`` or ``relu6``.
    """
    y = x if addend is None else x + addend
    if activation == "relu":
        return torch.relu(y)
    return torch.clamp(y, 0.0, 6.0) if activation == "relu6" else y


def before_activation(grad: Tensor, grad_of_y: Tensor | None, y: Tensor, activation: str) -> Tensor:
    """The gradient of ``x + addend``, from those of the two readers of ``y``.

    Args:
        grad: Gradient of ``y`` through the rounding.
        grad_of_y: Gradient of ``y`` from everything else that reads it; None for zero.
        y: Output of the activation.
        activation: ``none``, ``relu`` or ``relu6``; at its ends the gradient is 0, as in torch.
    """
    total = grad if grad_of_y is None else grad_of_y + grad
    if activation == "none":
        return total
    blocked = y <= 0
    if activation == "relu6":
        blocked = blocked | (y >= 6)
    return torch.where(blocked, 0.0, total)


@body
def pass_inside(
    grad: Tensor,
    grad_of_y: Tensor | None,
    values: Tensor,
    scale: Tensor,
    zero_point: Tensor,
    activation: str,
    qmin: int,
    qmax: int,
) -> tuple[Tensor, None]:
    """The backward pass of :func:`fake_quantize`, on rows; of the type :data:`Gradients`.

    Args:
        grad: Gradient of the rounded values.
        grad_of_y: Gradient of ``y`` from everything else that reads it; None for zero.
        values: ``y``, or ``x`` if there is no addend.
        scale: ``(slices, 1)``.
        zero_point: ``(slices, 1)``.
        activation: ``none``, ``relu`` or ``relu6``.
        qmin: Smallest code.
        qmax: Largest code.
    """
    y = activated(values, None, activation)
    passed = torch.where(is_inside(y, scale, zero_point, qmin, qmax), grad, 0.0)
    return before_activation(passed, grad_of_y, y, activation).to(values.dtype), None


def by_slopes(slopes: Slopes, *, has_offset: bool = False) -> Gradients:
    """The backward pass of a method whose scale gets the gradient ``sum grad * slope``.

    Args:
        slopes: What the method's paper states.
        has_offset: Also return the gradient of an offset, which is 1 for values that do not pass
            their gradient.

    Returns:
        A body of the type :data:`Gradients`; keyword arguments are those of ``slopes``.

    Example:
        >>> def slopes(grad, y, scale, zero_point, qmin, qmax):
        ...     return grad, torch.round(y / scale) - y / scale
        >>> rows, one = torch.tensor([[0.4, 2.0]]), torch.ones(1, 1)
        >>> terms = torch.ones(1, 2), None, rows, one, 0 * one, "none", -8, 7
        >>> [gradient.tolist() for gradient in by_slopes(slopes)(*terms)]
        [[[1.0, 1.0]], [[-0.4000000059604645]]]
    """

    def gradients(
        grad: Tensor,
        grad_of_y: Tensor | None,
        values: Tensor,
        scale: Tensor,
        zero_point: Tensor,
        activation: str,
        qmin: int,
        qmax: int,
        **options: float,
    ) -> tuple[Tensor | None, ...]:
        y = activated(values, None, activation)
        passed, slope = slopes(grad, y, scale, zero_point, qmin, qmax, **options)
        grad_x = before_activation(passed, grad_of_y, y, activation).to(values.dtype)
        of_scale = (grad * slope).sum(dim=1, keepdim=True)
        if not has_offset:
            return grad_x, of_scale
        return grad_x, of_scale, (grad - passed).sum(dim=1, keepdim=True)

    # torch keeps compiled variants with the code of a function, so each method has its own code.
    name = f"{slopes.__module__}.{slopes.__qualname__}"
    gradients.__code__ = gradients.__code__.replace(co_name=name)
    return body(gradients)


def _in_plain_operations(x: Tensor, qparams: QParams) -> Tensor:
    layout, grid = qparams.layout, qparams.grid
    terms = layout.beside(qparams.scale, x), layout.beside(qparams.zero_point, x)
    value = quantize_dequantize(x, *terms, grid.qmin, grid.qmax)
    inside = is_inside(x, *terms, grid.qmin, grid.qmax)
    return grad_of(value, torch.where(inside, x, x.detach()))


class _Round(torch.autograd.Function):
    """Forward and backward pass as one body each, so that each can be compiled to one loop."""

    @staticmethod
    def forward(  # type: ignore[override]
        ctx: Any,
        x: Tensor,
        addend: Tensor | None,
        scale: Tensor,
        learned: Tensor | None,
        offset: Tensor | None,
        rounding: Rounding,
        activation: str,
        returns_y: bool,
    ) -> Tensor | tuple[Tensor, Tensor]:
        ctx.rounding, ctx.activation, ctx.adds = rounding, activation, addend is not None
        ctx.set_materialize_grads(False)
        layout, grid, zero_point = rounding.layout, rounding.grid, rounding.zero_point
        rows, terms = layout.sliced(x), (scale, zero_point, activation, grid.qmin, grid.qmax)
        if not returns_y and addend is None:  # y is computed from x again in the backward pass
            ctx.save_for_backward(x, scale, zero_point, learned)
            return layout.unsliced(_rounded(rows, *terms), x)
        other = None if addend is None else layout.sliced(addend, like=x)
        y, value = (layout.unsliced(each, x) for each in _with_y(rows, other, *terms))
        ctx.save_for_backward(y, scale, zero_point, learned)
        return (y, value) if returns_y else value

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        values, scale, zero_point, learned = ctx.saved_tensors
        grad_of_y, grad = (None, *grads)[-2:]
        grad = torch.zeros_like(values) if grad is None else grad
        terms = grad, grad_of_y, values, scale, zero_point
        grad_x, *of_scale = gradients(*terms, learned, ctx.rounding, ctx.activation)
        return grad_x, grad_x if ctx.adds else None, *of_scale, None, None, None


def gradients(
    grad: Tensor,
    grad_of_y: Tensor | None,
    values: Tensor,
    scale: Tensor,
    zero_point: Tensor,
    learned: Tensor | None,
    rounding: Rounding,
    activation: str = "none",
) -> tuple[Tensor | None, ...]:
    """Gradients of input, scale, and the parameters that scale and zero point come from.

    Args:
        grad: Gradient of the rounded tensor.
        grad_of_y: Gradient of ``y`` from everything else that reads it; None for zero.
        values: ``y``, or ``x`` if there is no addend.
        scale: As it was in the forward pass.
        zero_point: As it was in the forward pass.
        learned: ``rounding.learned``.
        rounding: How the tensor was rounded.
        activation: ``none``, ``relu`` or ``relu6``.
    """
    layout, grid = rounding.layout, rounding.grid
    of_rows, *of_terms = rounding.gradients(
        layout.sliced(grad, like=values),
        None if grad_of_y is None else layout.sliced(grad_of_y, like=values),
        layout.sliced(values),
        scale,
        zero_point,
        activation,
        grid.qmin,
        grid.qmax,
    )
    assert of_rows is not None
    grad_x = layout.unsliced(of_rows, values)
    # The gain differs between layers; as an argument of the body, each would be compiled.
    of_scale, of_offset = (g if g is None else g * rounding.gain for g in (*of_terms, None)[:2])
    if rounding.offset is not None and of_offset is not None:
        of_offset = of_offset.reshape(rounding.offset.shape)
    if learned is None or of_scale is None:
        return grad_x, of_scale, None, of_offset
    return grad_x, None, of_scale.reshape(learned.shape) * learned.sign(), of_offset


@body
def _rounded(
    x: Tensor, scale: Tensor, zero_point: Tensor, activation: str, qmin: int, qmax: int
) -> Tensor:
    return quantize_dequantize(activated(x, None, activation), scale, zero_point, qmin, qmax)


@body
def _with_y(
    x: Tensor,
    addend: Tensor | None,
    scale: Tensor,
    zero_point: Tensor,
    activation: str,
    qmin: int,
    qmax: int,
) -> tuple[Tensor, Tensor]:
    y = activated(x, addend, activation)
    return y, quantize_dequantize(y, scale, zero_point, qmin, qmax)

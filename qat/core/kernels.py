"""The kernel of fake quantizers: how their elementwise functions run, eager or compiled.

A *body* is a pure function of tensors. ``eager`` runs it one operation after the other, each of
which reads and writes all elements. ``compiled`` fuses it into one loop by ``torch.compile``. This
is several times faster, but compiling takes 10 to 30 seconds in a new process (less with a filled
``TORCHINDUCTOR_CACHE_DIR``). Both give equal forward values and input gradients, bit for bit.
"""

import functools
import shutil
import warnings
from collections.abc import Callable
from os import environ
from typing import Any, ParamSpec, TypeVar

import torch
from torch import Tensor

from qat.base.allowed import one_of
from qat.base.errors import InputError
from qat.core.torch_private import set_recompile_limit

KERNELS = ("auto", "compiled", "eager")
# Eager operations take about 10 ns more per element, forward and backward, than a fused loop.
_SECONDS_SAVED_PER_ELEMENT = 10e-9
_SECONDS_TO_COMPILE = 30.0
# torch compiles a body once for each rank, layout and dtype; its default limit of 8 is too low.
_RECOMPILE_LIMIT = 64

_state = {"kernel": "eager"}

P = ParamSpec("P")
R = TypeVar("R")


class NoCompilerWarning(UserWarning):
    """Compiled kernels were requested, but no compiler was found."""


def has_compiler() -> bool:
    """True if a C++ compiler is found (``CXX``, g++, clang++), or a GPU, which needs none."""
    if torch.cuda.is_available():
        return True
    names = [environ.get("CXX", ""), "g++", "clang++", "c++"]
    return any(shutil.which(name) for name in names if name)


def choose_kernel(kernel: str, elements: float) -> str:
    """The kernel to use, ``compiled`` or ``eager``.

    Args:
        kernel: ``auto`` takes the one that finishes first, compiling included; ``compiled``
            becomes ``eager``, with a warning, if there is no compiler; ``eager`` is eager.
        elements: Elements that will be fake-quantized: steps x batch x activations.

    Raises:
        InputError: If ``kernel`` is none of the three.

    Example:
        >>> choose_kernel("auto", elements=1e6), choose_kernel("eager", elements=1e12)
        ('eager', 'eager')
    """
    one_of("kernel", kernel, KERNELS)
    if kernel == "auto":
        repaid = elements * _SECONDS_SAVED_PER_ELEMENT > _SECONDS_TO_COMPILE
        return "compiled" if repaid and has_compiler() else "eager"
    if kernel == "compiled" and not has_compiler():
        warnings.warn(
            "no C++ compiler found, so fake quantizers run as plain operations "
            "(same numbers, about twice the time); install g++ or clang++",
            NoCompilerWarning,
            stacklevel=2,
        )
        return "eager"
    return kernel


def set_kernel(kernel: str) -> None:
    """Run all bodies of this process as ``compiled`` or ``eager`` from now on.

    Raises:
        InputError: If ``kernel`` is neither; :func:`choose_kernel` resolves ``auto``.
    """
    if kernel not in ("compiled", "eager"):
        raise InputError(f"kernel must be compiled or eager, got {kernel!r}; see choose_kernel")
    if kernel == "compiled":
        set_recompile_limit(_RECOMPILE_LIMIT)
    _state["kernel"] = kernel


def current_kernel() -> str:
    """The kernel in use, ``compiled`` or ``eager``."""
    return _state["kernel"]


def grad_of(value: Tensor, source: Tensor) -> Tensor:
    """The value of ``value``, exactly, with the gradient of ``source``.

    This is a straight-through estimator in plain operations, for training steps that are compiled
    as a whole: ``torch.compile`` fuses plain operations with their neighbours, but not an
    ``autograd.Function``. (A step of ResNet-20 takes 1.3 times the time of the uncompiled float
    step with such a function, and 0.8 times without.)

    Args:
        value: What is returned; it gets no gradient.
        source: What the gradient is passed to, of the same shape.

    Example:
        >>> x = torch.tensor([0.6], requires_grad=True)
        >>> y = grad_of(torch.round(x), x)
        >>> y.backward()
        >>> y.item(), x.grad.item()
        (1.0, 1.0)
    """
    return value.detach() + (source - source.detach())


def body(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a pure function so that it runs compiled when the kernel is ``compiled``.

    Inside an enclosing ``torch.compile`` the plain function is traced as part of the whole.

    Args:
        function: Takes its tensors by position.
    """
    compiled: list[Any] = []

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if _state["kernel"] == "eager" or torch.compiler.is_compiling():
            return function(*args, **kwargs)
        if not compiled:
            compiled.append(torch.compile(function, dynamic=True, fullgraph=True))
        # The caller, an autograd.Function, computes gradients. Without detach, torch's compiler
        # reads .grad of the tensors and warns about it.
        plain = [a.detach() if isinstance(a, torch.Tensor) else a for a in args]
        return compiled[0](*plain, **kwargs)  # type: ignore[no-any-return]

    return run

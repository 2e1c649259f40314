"""The kernel of fake quantizers: how their elementwise functions run, eager or compiled.

A *body* is a pure function of tensors. ``eager`` runs it one operation after the other, each of
which reads and writes all elements. ``compiled`` fuses it into one loop by ``torch.compile``. This
is several times faster, but compiling takes 10 to 30 seconds in a new process (less with a filled
``TORCHINDUCTOR_CACHE_DIR``). Both give equal forward values and input gradients, bit for bit; only
gradients that contain a tanh (``dsq``) differ by its rounding.
"""

import functools
import shutil
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from os import environ
from typing import Any, ParamSpec, TypeVar

import torch
from torch import Tensor

from qat.base.allowed import one_of
from qat.base.errors import InputError
from qat.core.torch_private import set_eager_numerics, set_recompile_limit

KERNELS = ("auto", "compiled", "eager")
# Eager operations take about 10 ns more per element, forward and backward, than a fused loop. That
# is measured on a CPU; the value of a GPU is an estimate: 100 bytes less to move, at 1 TB/s.
_SECONDS_SAVED_PER_ELEMENT = {"cpu": 10e-9, "cuda": 0.1e-9}
_SECONDS_TO_COMPILE = 30.0
# torch compiles a body once for each rank, layout and dtype; its default limit of 8 is too low.
_RECOMPILE_LIMIT = 64

_state = {"kernel": "eager"}

P = ParamSpec("P")
R = TypeVar("R")


class NoCompilerWarning(UserWarning):
    """Compiled kernels were requested, but no compiler was found."""


def has_compiler() -> bool:
    """True if a C++ compiler is found (``CXX``, g++, clang++), which code for a CPU needs."""
    return _finds("CXX", "g++", "clang++", "c++")


def has_gpu_compiler() -> bool:
    """True if Triton is installed and finds the C compiler that it needs (``CC``, gcc, clang)."""
    return find_spec("triton") is not None and _finds("CC", "gcc", "clang", "cc")


def _finds(variable: str, *names: str) -> bool:
    return any(shutil.which(name) for name in (environ.get(variable, ""), *names) if name)


def choose_kernel(kernel: str, elements: float, device_type: str = "cpu") -> str:
    """The kernel to use, ``compiled`` or ``eager``.

    Args:
        kernel: ``auto`` takes the one that finishes first, compiling included; ``compiled``
            becomes ``eager``, with a warning, if there is no compiler; ``eager`` is eager.
        elements: Elements that will be fake-quantized: steps x batch x activations.
        device_type: Type of the device of the tensors, such as ``cpu`` or ``cuda``.

    Raises:
        InputError: If ``kernel`` is none of the three.

    Example:
        >>> choose_kernel("auto", elements=1e6), choose_kernel("eager", elements=1e12)
        ('eager', 'eager')
    """
    one_of("kernel", kernel, KERNELS)
    compiles = has_gpu_compiler if device_type == "cuda" else has_compiler
    if kernel == "auto":
        saved = elements * _SECONDS_SAVED_PER_ELEMENT.get(device_type, 0.0)
        return "compiled" if saved > _SECONDS_TO_COMPILE and compiles() else "eager"
    if kernel == "compiled" and not compiles():
        lack, cure = missing_compiler(device_type)
        warnings.warn(
            f"{lack}, so fake quantizers run as plain operations "
            f"(same numbers, about twice the time); {cure}",
            NoCompilerWarning,
            stacklevel=2,
        )
        return "eager"
    return kernel


def missing_compiler(device_type: str) -> tuple[str, str]:
    """What was not found, and what to install, for messages.

    Args:
        device_type: Type of the device that code is compiled for.
    """
    if device_type == "cuda":
        return "no Triton with a C compiler found", "install triton and gcc"
    return "no C++ compiler found", "install g++ or clang++"


def set_kernel(kernel: str) -> None:
    """Run all bodies of this process as ``compiled`` or ``eager`` from now on.

    Raises:
        InputError: If ``kernel`` is neither; :func:`choose_kernel` resolves ``auto``.
    """
    if kernel not in ("compiled", "eager"):
        raise InputError(f"kernel must be compiled or eager, got {kernel!r}; see choose_kernel")
    if kernel == "compiled":
        set_recompile_limit(_RECOMPILE_LIMIT)
        if torch.cuda.is_available():
            set_eager_numerics()
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

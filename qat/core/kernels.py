"""Which form the elementwise bodies of fake quantizers run in: plain operations, or compiled.

A body is a pure function of tensors. ``eager`` runs it operation by operation, each of which
walks over memory; ``compiled`` has ``torch.compile`` fuse it into one loop, several times faster
once it is compiled, which costs some 10 to 30 seconds in a fresh process (less with a warm
``TORCHINDUCTOR_CACHE_DIR``). Both give the same forward values and input gradients bit for bit.
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
# Plain operations take about 10 ns more an element, forward and backward, than a fused loop.
_SECONDS_SAVED_PER_ELEMENT = 10e-9
_SECONDS_TO_COMPILE = 30.0
# Bodies are specialised on ranks, layouts and dtypes; torch's default limit of 8 is too low.
_RECOMPILE_LIMIT = 64

_state = {"kernel": "eager"}

P = ParamSpec("P")
R = TypeVar("R")


class NoCompilerWarning(UserWarning):
    """Compiled kernels were asked for where nothing can compile them."""


def has_compiler() -> bool:
    """True if a C++ compiler is found (``CXX``, g++, clang++), or a GPU, which brings its own."""
    if torch.cuda.is_available():
        return True
    names = [environ.get("CXX", ""), "g++", "clang++", "c++"]
    return any(shutil.which(name) for name in names if name)


def choose_kernel(kernel: str, elements: float) -> str:
    """``compiled`` or ``eager``, whichever ends sooner.

    Args:
        kernel: ``auto`` decides by work; ``compiled`` falls back to ``eager`` with one notice
            where there is no compiler; ``eager`` is itself.
        elements: Elements that training is going to fake-quantize: steps x batch x activations.

    Raises:
        ValueError: If ``kernel`` is none of the three.
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
    """Switch all bodies to ``compiled`` or ``eager`` from now on."""
    if kernel not in ("compiled", "eager"):
        raise InputError(f"kernel must be compiled or eager, got {kernel!r}; see choose_kernel")
    if kernel == "compiled":
        set_recompile_limit(_RECOMPILE_LIMIT)
    _state["kernel"] = kernel


def current_kernel() -> str:
    """The form bodies run in now."""
    return _state["kernel"]


def grad_of(value: Tensor, source: Tensor) -> Tensor:
    """``value``, exactly, with the gradient of ``source``.

    How straight-through gradients are written where a whole training step is compiled: there one
    loop is made of plain operations and their neighbours, and an ``autograd.Function`` would stand
    in its way (ResNet-20 takes 1.3 times the uncompiled float step with it, 0.8 without).
    """
    return value.detach() + (source - source.detach())


def body(function: Callable[P, R]) -> Callable[P, R]:
    """Let a pure function of tensors, given by position, run compiled when that is the kernel.

    Within an enclosing ``torch.compile`` the plain function is traced into the whole.
    """
    compiled: list[Any] = []

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if _state["kernel"] == "eager" or torch.compiler.is_compiling():
            return function(*args, **kwargs)
        if not compiled:
            compiled.append(torch.compile(function, dynamic=True, fullgraph=True))
        # Gradients are the caller's, an autograd.Function; of a tensor that has some torch's
        # compiler asks for .grad, and warns of its own question.
        plain = [a.detach() if isinstance(a, torch.Tensor) else a for a in args]
        return compiled[0](*plain, **kwargs)  # type: ignore[no-any-return]

    return run

"""Steps and formats written by hand, and their exact results."""

from fractions import Fraction

import numpy as np

from qat.export.program import Format, Program, Step, Weight
from qat.export.reference.run import compute


def form(scale, zero_point=0, qmin=0, qmax=255):
    return Format(np.float32(scale), zero_point, qmin, qmax)


def weight(codes, scale, zero_point=0):
    codes = np.asarray(codes, np.int32)
    scales = np.atleast_1d(np.asarray(scale, np.float32))
    zeros = np.broadcast_to(np.asarray(zero_point, np.int32), scales.shape)
    return Weight(codes, scales, zeros, 8, True)


def program(step, formats):
    """A program of one step; the last format is its output's."""
    names = (*step.inputs, step.output)
    return Program("one", (), (), step.output, (step,), dict(zip(names, formats, strict=True)), {})


def run(kind, given, formats, attributes=None, **more):
    """Codes that one step gives; its bounds are those of the output's format."""
    inputs = tuple(f"x{i}" for i in range(len(given)))
    bounds = {"low": formats[-1].qmin, "high": formats[-1].qmax} | more
    step = Step("step", kind, inputs, "y", attributes or {}, **bounds)
    return compute(program(step, formats), step, [np.asarray(codes, np.int64) for codes in given])


def real(codes, form):
    """Exact values of codes."""
    scale = Fraction(float(form.scale))
    flat = [(int(c) - form.zero_point) * scale for c in np.ravel(codes)]
    return np.array(flat, object).reshape(np.shape(codes))


def assert_nearest(found, exact, form, beyond=1e-6):
    """Each code is the nearest to the exact value, or the nearest bound; either one of a tie."""
    assert found.shape == exact.shape
    scale = Fraction(float(form.scale))
    for code, value in zip(np.ravel(found), np.ravel(exact), strict=True):
        wanted = Fraction(value) / scale + form.zero_point
        wanted = min(max(wanted, form.qmin), form.qmax)
        assert abs(int(code) - wanted) <= Fraction(1, 2) + Fraction(beyond)

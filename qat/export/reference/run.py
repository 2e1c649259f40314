"""Run a program step by step.

Jacob et al. 2018, arXiv:1712.05877: no float between the tensors, only codes.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qat.export.program import Program, Step
from qat.export.reference.elementwise import FUNCTIONS, add, mul, requantize, table
from qat.export.reference.fixed_point import Integers, bounded
from qat.export.reference.layers import layer
from qat.export.reference.moves import concat, cut, pad, permute, reshape, resize
from qat.export.reference.pools import avg_pool, global_avg_pool, max_pool


def stepwise(
    program: Program, images: NDArray[np.float32]
) -> Iterator[tuple[Step, list[Any], Integers]]:
    """Each step with what it was given and the codes it gave; a tensor goes after its last use."""
    last = {name: place for place, step in enumerate(program.steps) for name in step.inputs}
    codes: dict[str, Integers] = {}
    for place, step in enumerate(program.steps):
        given = [
            images if name == "input" and name not in codes else codes[name] for name in step.inputs
        ]
        codes[step.output] = compute(program, step, given)
        yield step, given, codes[step.output]
        for name in step.inputs:
            if last[name] == place:
                codes.pop(name, None)


def output_codes(program: Program, images: NDArray[np.float32]) -> Integers:
    """Codes of the network's output."""
    made = (codes for step, _, codes in stepwise(program, images) if step.output == program.output)
    return deque(made, maxlen=1)[0]


def logits(program: Program, images: NDArray[np.float32]) -> NDArray[np.float32]:
    """The network's output in float."""
    codes = output_codes(program, images)
    return program.formats[program.output].decode(codes)


def compute(program: Program, step: Step, given: list[Any]) -> Integers:
    """Codes that one step gives for the codes of its inputs (for the image: its values)."""
    if step.kind == "quantize" and step.inputs == (step.output,):  # the image
        form = program.formats[step.output]
        return bounded(form.encode(given[0]).astype(np.int64), step)
    formats = [program.formats[name] for name in step.inputs]
    return _STEPS[step.kind](step, given, formats, program.formats[step.output])


_STEPS: Mapping[str, Callable[..., Integers]] = {
    "quantize": requantize,
    "conv": layer,
    "norm": layer,
    "linear": layer,
    "add": add,
    "mul": mul,
    "global_avg_pool": global_avg_pool,
    "avg_pool": avg_pool,
    "max_pool": max_pool,
    "concat": concat,
    "reshape": reshape,
    "permute": permute,
    "slice": cut,
    "pad": pad,
    "resize": resize,
    **dict.fromkeys(FUNCTIONS, table),
}

"""Integer-only inference of a program, step by step.

Jacob et al. 2018, arXiv:1712.05877: all tensors between operations are integer codes.
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
    """Execute a program; each tensor is freed after its last use.

    Args:
        program: Integer network.
        images: Preprocessed images, ``(N, channels, height, width)``.

    Yields:
        Each step, its inputs (for the first step the images), and the codes of its output.
    """
    last = {name: place for place, step in enumerate(program.steps) for name in step.inputs}
    codes: dict[str, Integers] = {}
    for place, step in enumerate(program.steps):
        inputs = [
            images if name == "input" and name not in codes else codes[name] for name in step.inputs
        ]
        codes[step.output] = compute(program, step, inputs)
        yield step, inputs, codes[step.output]
        for name in step.inputs:
            if last[name] == place:
                codes.pop(name, None)


def output_codes(program: Program, images: NDArray[np.float32]) -> Integers:
    """Codes of the network's output.

    Args:
        program: Integer network.
        images: Preprocessed images, ``(N, channels, height, width)``.
    """
    outputs = (
        codes for step, _, codes in stepwise(program, images) if step.output == program.output
    )
    return deque(outputs, maxlen=1)[0]


def logits(program: Program, images: NDArray[np.float32]) -> NDArray[np.float32]:
    """The network's output in float.

    Args:
        program: Integer network.
        images: Preprocessed images, ``(N, channels, height, width)``.
    """
    codes = output_codes(program, images)
    return program.formats[program.output].decode(codes)


def compute(program: Program, step: Step, inputs: list[Any]) -> Integers:
    """Output codes of one step.

    Args:
        program: Network with the formats of all tensors.
        step: A step of the program.
        inputs: Codes of the step's inputs; for the step that quantizes the image, its values.
    """
    if step.kind == "quantize" and step.inputs == (step.output,):  # the image
        form = program.formats[step.output]
        return bounded(form.encode(inputs[0]).astype(np.int64), step)
    formats = [program.formats[name] for name in step.inputs]
    return _STEPS[step.kind](step, inputs, formats, program.formats[step.output])


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

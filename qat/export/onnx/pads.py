"""Zero padding before a convolution becomes part of the convolution.

A zero pad writes the code of zero, and so does the padding of a convolution. A ``Pad`` that only
convolutions read can therefore be added to their ``pads``; the result is equal bit for bit, also
for uneven pads. A separate ``Pad`` would make the runtime copy the whole tensor.
"""

from dataclasses import replace

from qat.export.program import Program, Step

_SPATIAL = 2
"""First of the axes (batch, channels, height, width) that a convolution pads."""


def fold_pads(program: Program) -> Program:
    """The program without the pads that only convolutions read; the outputs are the same."""
    pads = {step.output: step for step in program.steps if _is_foldable(step)}
    steps = [_folded(step, pads) for step in program.steps]
    read, kept = {program.output}, list[Step]()
    for step in reversed(steps):
        if step.output not in pads or step.output in read:
            kept.insert(0, step)
            read.update(step.inputs)
    removed = pads.keys() - {step.output for step in kept}
    formats = {name: form for name, form in program.formats.items() if name not in removed}
    return replace(program, steps=tuple(kept), formats=formats)


def _is_foldable(step: Step) -> bool:
    if step.kind != "pad":
        return False
    widths = step.attributes["widths"]
    return len(widths) == _SPATIAL + 2 and not any(map(any, widths[:_SPATIAL]))


def _folded(step: Step, pads: dict[str, Step]) -> Step:
    while step.kind == "conv" and step.inputs[0] in pads:
        pad = pads[step.inputs[0]]
        wider = tuple(
            (before + more, after + further)
            for (before, after), (more, further) in zip(
                step.attributes["padding"], pad.attributes["widths"][_SPATIAL:], strict=True
            )
        )
        attributes = {**step.attributes, "padding": wider}
        step = replace(step, inputs=pad.inputs, attributes=attributes)
    return step

"""What a run is made from, in lines for a reader."""

from qat.base.lines import wrapped
from qat.data.census import data_lines
from qat.run.prepared import Prepared


def print_inputs(prepared: Prepared) -> None:
    """How many images each part and class has, how files were read, what a checkpoint gave."""
    lines = [f"data {prepared.data.name}", *(f"  {line}" for line in data_lines(prepared.data))]
    if (taken := prepared.network.checkpoint_line()) is not None:
        lines += [f"checkpoint {prepared.network.checkpoint}", f"  {taken}"]
    for line in lines:
        print(wrapped(line, hang=4), flush=True)

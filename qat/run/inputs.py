"""The data and the checkpoint of a run, as lines for a reader."""

from qat.base.lines import wrapped
from qat.data.census import data_lines
from qat.run.prepared import Prepared


def print_inputs(prepared: Prepared) -> None:
    """Print the images of each part and class, how files were read, and a checkpoint's tensors."""
    lines = [f"data {prepared.data.name}", *(f"  {line}" for line in data_lines(prepared.data))]
    if (tensors := prepared.network.checkpoint_line()) is not None:
        lines += [f"checkpoint {prepared.network.checkpoint}", f"  {tensors}"]
    for line in lines:
        print(wrapped(line, hang=4), flush=True)

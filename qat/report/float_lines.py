"""Lines about the layers of a quantized network that stay float. Loads no torch."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from qat.base.plurals import counted

SHOWN = 3
"""Number of names in the short line."""


def float_lines(plan: Mapping[str, Any] | None, run_id: str, every: bool = False) -> Iterator[str]:
    """One line with the count and the first names, or one line for each layer.

    Args:
        plan: The plan of a record; None for a float run.
        run_id: Id of the run, for the command that lists all layers.
        every: Give one line for each layer.

    Example:
        >>> list(float_lines({"left_float": [["up", "ConvTranspose2d"]]}, "0a1b"))
        ['left float: 1 layer (up)']
    """
    floats: Sequence[Sequence[str]] = (plan or {}).get("left_float", ())
    if every:
        yield from (f"left float: {name} ({kind})" for name, kind in floats)
    elif floats:
        names = ", ".join(name for name, _ in floats[:SHOWN])
        more = f", ... (qat show {run_id} lists all)" if len(floats) > SHOWN else ""
        yield f"left float: {_what(floats)} ({names}{more})"


def _what(floats: Sequence[Sequence[str]]) -> str:
    """Layers, or parameters that the network uses outside of layers, or both."""
    parameters = sum(kind == "Parameter" for _, kind in floats)
    if parameters == 0:
        return counted(len(floats), "layer")
    if parameters == len(floats):
        return counted(len(floats), "parameter")
    return f"{len(floats)} layers and parameters"

"""What of a quantized network stayed float, told at the end of its run. Loads no torch."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

SHOWN = 3


def float_lines(plan: Mapping[str, Any] | None, run_id: str, every: bool = False) -> Iterator[str]:
    """One line with the count and the first names, or a line each.

    Args:
        plan: As a record holds it; None of a float run.
        run_id: For the command that lists all.
        every: List all.
    """
    left: Sequence[Sequence[str]] = (plan or {}).get("left_float", ())
    if every:
        yield from (f"left float: {name} ({kind})" for name, kind in left)
    elif left:
        names = ", ".join(name for name, _ in left[:SHOWN])
        more = f", ... (qat show {run_id} lists all)" if len(left) > SHOWN else ""
        yield f"left float: {len(left)} {_what(left)} ({names}{more})"


def _what(left: Sequence[Sequence[str]]) -> str:
    """Layers, or parameters that are used without one."""
    parameters = sum(kind == "Parameter" for _, kind in left)
    if parameters == 0:
        return "layer" if len(left) == 1 else "layers"
    if parameters == len(left):
        return "parameter" if len(left) == 1 else "parameters"
    return "layers and parameters"

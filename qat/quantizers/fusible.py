"""Which quantizers can be computed together with other operations."""

from functools import cache

from qat.quantizers.base import Quantizer


def is_fusible(quantizer: Quantizer) -> bool:
    """True if a quantizer does nothing now but round as its ``rounding`` says.

    It is false in other phases, while a range follows the values, if a hook reads them, and for a
    class that overrides ``quantize`` or ``forward`` without ``rounding`` and ``only_rounds``.
    """
    hooked = quantizer._forward_hooks or quantizer._forward_pre_hooks
    kind = type(quantizer)
    return (
        not hooked
        and quantizer.only_rounds
        and _provides(kind, "rounding", "quantize")  # type: ignore[arg-type]  # a class is hashable
        and _provides(kind, "only_rounds", "forward")  # type: ignore[arg-type]  # a class is hashable
    )


@cache  # the answer is the same for all quantizers of a class, in every step
def _provides(kind: type, name: str, other: str) -> bool:
    """True if ``name`` comes from the class that ``other`` comes from, or from a later one."""
    owner = next(each for each in kind.__mro__ if other in vars(each))
    return name in {
        key for each in kind.__mro__[: kind.__mro__.index(owner) + 1] for key in vars(each)
    }

"""The values that options of built-in quantizers take."""

from collections.abc import Mapping
from dataclasses import dataclass

from qat.base.errors import InputError
from qat.config.checks.key_ranges import Range, shown
from qat.core.scheme import Method


@dataclass(frozen=True)
class OptionValues:
    """Words, truth values, numbers, or several of them.

    Attributes:
        words: Allowed words and truth values.
        numbers: Allowed numbers; None for none.
    """

    words: tuple[str | bool, ...] = ()
    numbers: Range | None = None

    def __contains__(self, value: object) -> bool:
        """True for an allowed word, truth value or number."""
        is_word = any(type(value) is type(word) and value == word for word in self.words)
        return is_word or (self.numbers is not None and value in self.numbers)

    def __str__(self) -> str:
        """The words, then the range of numbers."""
        numbers = [] if self.numbers is None else [str(self.numbers)]
        words = [str(w).lower() if isinstance(w, bool) else w for w in self.words]
        *most, last = [*words, *numbers]
        return f"{', '.join(most)} or {last}" if most else last


_TRUTH = OptionValues((False, True))
_START = OptionValues(("auto", "paper", "mse", "observer"))
VALUES: Mapping[str, Mapping[str, OptionValues]] = {
    "lsq": {"start": _START},
    "dorefa": {"clip": _START, "output": OptionValues(("float", "unit"))},
    "pact": {"start": _START, "decay": OptionValues(("weights",), Range(0, 100))},
    "lsq_plus": {"start": _START},
    "tqt": {"start": _START},
    "ewgs": {"start": _START, "delta": OptionValues(numbers=Range(0, 10))},
    "dsq": {"alpha": OptionValues(numbers=Range(0.001, 0.9))},
    "qil": {"learn_gamma": _TRUTH},
    "apot": {"start": OptionValues(("mse", "paper")), "standardize": _TRUTH},
    "parq": {
        "steepness": OptionValues(numbers=Range(0, 100, above=True)),
        "end": OptionValues(numbers=Range(0, 1, above=True)),
    },
}
"""Quantizer → option → its values."""


def check_options(key: str, method: Method) -> None:
    """Refuse values that an option of a quantizer does not take.

    Args:
        key: Of the slot or rule, for the message.
        method: A quantizer with its options.

    Raises:
        InputError: At the first such value, with what is allowed.

    Example:
        >>> check_options("scheme.act", Method("pact", options={"decay": -1}))
        Traceback (most recent call last):
        ...
        qat.base.errors.InputError: scheme.act.options.decay must be weights or 0 to 100, got -1
    """
    for option, allowed in VALUES.get(method.name, {}).items():
        if option in method.options and method.options[option] not in allowed:
            value = shown(method.options[option])
            raise InputError(f"{key}.options.{option} must be {allowed}, got {value}")

"""What a method must guarantee: the report of a check, and the error if one is not met."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from qat.base.errors import QatError
from qat.base.plurals import counted

Case = TypeVar("Case")


class RequirementError(QatError, AssertionError):
    """A method does not meet a requirement; the message names method, case and requirement.

    Example:
        >>> import qat
        >>> class Forgetful(qat.extend.MinMaxObserver):
        ...     def collect(self, x):
        ...         self.low.fill_(-1.0)
        ...         self.high.fill_(1.0)
        >>> qat.check_observer(Forgetful)
        Traceback (most recent call last):
        ...
        qat.base.requirements.RequirementError: Forgetful, 3 slices: it must refuse NaN and infinity
    """


@dataclass(frozen=True)
class RequirementReport:
    """What a check of a method has found; ``print`` shows it.

    Attributes:
        method: Name of the class or function.
        requirements: Those that it meets, in words.
        cases: The settings in which it was checked.
        refused: Setting → the message with which the method refused it.

    Example:
        >>> refused = {"4 bits": "8 bits only"}
        >>> print(RequirementReport("Fixed", ("keep order",), ("8 bits",), refused))
        Fixed meets 1 requirement in 1 case:
          it must keep order
        it refuses 1 case: 8 bits only
    """

    method: str
    requirements: tuple[str, ...]
    cases: tuple[str, ...]
    refused: Mapping[str, str]

    def __str__(self) -> str:
        """A list of the requirements, and of the reasons for a refusal."""
        met, checked = (
            counted(len(self.requirements), "requirement"),
            counted(len(self.cases), "case"),
        )
        lines = [f"{self.method} meets {met} in {checked}:"]
        lines += [f"  it must {words}" for words in self.requirements]
        for reason in dict.fromkeys(self.refused.values()):
            cases = [case for case, own in self.refused.items() if own == reason]
            lines.append(f"it refuses {counted(len(cases), 'case')}: {reason}")
        return "\n".join(lines)


def check_requirements(
    method: str,
    cases: Iterable[Case],
    requirements: Mapping[str, Callable[[Case], bool]],
    refused: Mapping[str, str],
) -> RequirementReport:
    """Check every requirement in every case.

    Args:
        method: Name of the class or function.
        cases: Settings of the method; their text names them.
        requirements: Words that follow "it must" → whether a case meets it.
        refused: Setting → the message with which the method refused it.

    Raises:
        RequirementError: If a requirement is not met, or there is no case.

    Example:
        >>> check_requirements("round", [0.4, 2.6], {"return an int": lambda x: True}, {}).cases
        ('0.4', '2.6')
    """
    checked = list(cases)
    if not checked:
        reasons = "; ".join(dict.fromkeys(refused.values())) or "there is none"
        raise RequirementError(f"{method}: it refuses every case: {reasons}")
    for case in checked:
        for words, is_met in requirements.items():
            _check(f"{method}, {case}: it must {words}", is_met, case)
    return RequirementReport(method, tuple(requirements), tuple(map(str, checked)), refused)


def _check(words: str, is_met: Callable[[Case], bool], case: Case) -> None:
    try:
        met = is_met(case)
    except Exception as error:
        raise RequirementError(f"{words}, but raised {type(error).__name__}: {error}") from error
    if not met:
        raise RequirementError(words)

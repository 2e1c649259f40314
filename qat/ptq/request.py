"""The list ``ptq`` of a configuration, checked, with every option filled in. Imports no torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from qat.base.allowed import one_of
from qat.base.errors import InputError
from qat.ptq.registry import FLOAT, PRESETS, PTQ_METHODS, STAGES, PtqMethod


@dataclass(frozen=True)
class StepRequest:
    """One step of the list.

    Attributes:
        name: Its name in :data:`qat.ptq.registry.PTQ_METHODS`.
        options: Every option of the step → its value.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def method(self) -> PtqMethod:
        """What the registry says about the step."""
        return PTQ_METHODS[self.name]

    @property
    def is_float(self) -> bool:
        """Whether it changes the float network."""
        return self.method.kind == FLOAT

    def to_plain(self) -> dict[str, Any]:
        """Name and options as plain data, for a run's identity and record."""
        return {"name": self.name, **self.options}


def requested_steps(entries: Sequence[Any], preset: str = "quick") -> tuple[StepRequest, ...]:
    """Read the list of steps and check names, options and order.

    Args:
        entries: Each is a name, or a mapping with one key, ``{adaround: {iterations: 1000}}``.
        preset: ``quick`` or ``paper``: the values of options that an entry does not give.

    Raises:
        InputError: If a name or an option is unknown, a value is not allowed, a step is there
            twice, or the order is wrong; the message says what to write instead.

    Example:
        >>> requested_steps(["nearest"])
        (StepRequest(name='nearest', options={}),)
    """
    one_of("ptq_options.preset", preset, PRESETS)
    steps = tuple(_step(entry, f"ptq[{place}]", preset) for place, entry in enumerate(entries))
    _check_order(steps)
    return steps


def split_steps(
    steps: Sequence[StepRequest],
) -> tuple[tuple[StepRequest, ...], tuple[StepRequest, ...]]:
    """The steps on the float network, and those on the quantized network."""
    first = tuple(step for step in steps if step.is_float)
    return first, tuple(step for step in steps if not step.is_float)


def _step(entry: Any, key: str, preset: str) -> StepRequest:
    name: Any = entry
    options: Any = {}
    if isinstance(entry, Mapping):
        if len(entry) != 1:
            raise InputError(
                f"{key} must be a name or a mapping with one key, such as "
                f"{{adaround:{{iterations:1000}}}}, got {dict(entry)}"
            )
        name, options = next(iter(entry.items()))
    one_of(key, name, PTQ_METHODS)
    if not isinstance(options, Mapping):
        raise InputError(f"{key}.{name} must be a mapping of options, got {options!r}")
    return StepRequest(name, _options(PTQ_METHODS[name], options, f"{key}.{name}", preset))


def _options(
    method: PtqMethod, changed: Mapping[str, Any], key: str, preset: str
) -> dict[str, Any]:
    for name, value in changed.items():
        if not method.options:
            raise InputError(f"{key} takes no options, got {name}: write the name alone")
        one_of(f"an option of {key}", name, method.options)
        option = method.options[name]
        if not option.allows(value):
            raise InputError(f"{key}.{name} must be {option.words()}, got {value!r}")
    return {
        name: changed.get(name, option.value(preset)) for name, option in method.options.items()
    }


def _check_order(steps: Sequence[StepRequest]) -> None:
    names = [step.name for step in steps]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"ptq has {name} twice: each step may be there once; {_drop(name)}")
    order = list(STAGES)
    for before, after in pairwise(steps):
        _check_pair(before, after, steps, order)
    for step in steps:
        if step.method.needs_fold and "fold" not in names:
            wanted = _written(["fold", *names])
            raise InputError(
                f"ptq has {step.name} without fold, but {step.name} works on layers with batch "
                f"norm folded in: write {wanted}"
            )
        if step.method.needs_norms and "fold" in names:
            raise InputError(
                f"ptq has {step.name} after fold, but fold leaves no batch norm: drop one of the "
                f"two, as in {_written([n for n in names if n not in _DROPPED_WITH_FOLD])}"
            )


_DROPPED_WITH_FOLD = ("fold", *(n for n, m in PTQ_METHODS.items() if m.needs_fold))


def _check_pair(
    before: StepRequest, after: StepRequest, steps: Sequence[StepRequest], order: list[str]
) -> None:
    first, second = order.index(before.method.stage), order.index(after.method.stage)
    if first < second:
        return
    if first == second:
        does = STAGES[before.method.stage]
        raise InputError(
            f"ptq has {before.name} and {after.name}, each of which {does}, so the second "
            f"overwrites the first: keep one of them"
        )
    right = sorted(steps, key=lambda step: order.index(step.method.stage))
    raise InputError(
        f"ptq has {after.name} after {before.name}: {after.name} {STAGES[after.method.stage]}, "
        f"which {before.name} needs to be done; write {_written([step.name for step in right])}"
    )


def _written(names: Sequence[str]) -> str:
    return f"ptq=[{','.join(names)}]"


def _drop(name: str) -> str:
    return f"drop one {name}"

"""The list ``ptq`` of a configuration, checked, with every option filled in. Imports no torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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

    @property
    def needs_fold(self) -> bool:
        """Whether ``fold`` must come before it."""
        case = self.method.needs_fold_with
        return self.method.needs_fold or (case is not None and self.options[case[0]] == case[1])

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
    order = list(STAGES)
    for later, after in enumerate(steps):
        for before in steps[:later]:
            first, second = order.index(before.method.stage), order.index(after.method.stage)
            if first >= second:
                raise InputError(_wrong_pair(before, after) + f"; write {_legal(steps)}")
    for step in steps:
        if step.needs_fold and not _has_fold(steps):
            raise InputError(
                f"ptq has {step.name} without fold, but it works on layers with batch norm folded "
                f"in; write {_legal(steps)}"
            )
        if step.method.needs_norms and _has_fold(steps):
            raise InputError(
                f"ptq has {step.name} after fold, but fold leaves no batch norm: leave one of the "
                f"two out, as in {_legal(steps)}"
            )


def _wrong_pair(before: StepRequest, after: StepRequest) -> str:
    """Why one step cannot follow another."""
    does = STAGES[after.method.stage]
    if before.name == after.name:
        return f"ptq has {after.name} twice, but a step may be there once"
    if before.method.stage == after.method.stage:
        return (
            f"ptq has {before.name} and {after.name}, each of which {does}, so the second "
            "overwrites the first"
        )
    return f"ptq has {after.name} after {before.name}, but it {does}, which comes first"


def _has_fold(steps: Sequence[StepRequest]) -> bool:
    return any(step.name == "fold" for step in steps)


def _legal(steps: Sequence[StepRequest]) -> str:
    """The nearest legal list, as it is typed: in order, one step of each stage, with ``fold``."""
    of_stage: dict[str, StepRequest] = {}
    for step in steps:
        of_stage.setdefault(step.method.stage, step)
    right = sorted(of_stage.values(), key=lambda step: list(STAGES).index(step.method.stage))
    if any(step.needs_fold for step in right) and not _has_fold(right):
        right = [StepRequest("fold"), *right]
    if _has_fold(right):
        right = [step for step in right if not step.method.needs_norms]
    text = f"ptq=[{','.join(map(_word, right))}]"
    return f"'{text}'" if "{" in text else text  # a shell would expand the braces


def _word(step: StepRequest) -> str:
    """A step as it is typed, with the options that differ from the preset ``quick``."""
    usual = step.method.options
    changed = [f"{k}:{_value(v)}" for k, v in step.options.items() if v != usual[k].quick]
    return f"{{{step.name}:{{{','.join(changed)}}}}}" if changed else step.name


def _value(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

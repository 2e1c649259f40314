"""The number formats that a configuration names: those of the scheme, and those of its rules."""

from collections.abc import Iterator
from dataclasses import dataclass

from qat.base.errors import InputError
from qat.config.schema import RunConfig
from qat.config.scheme import build_scheme
from qat.core.rule_changes import changed
from qat.core.scheme import TensorSpec
from qat.quantizers.declared import SLOTS


@dataclass(frozen=True)
class NamedSpec:
    """A number format, and where the configuration names it.

    Attributes:
        key: Such as ``scheme.weight`` or ``scheme.rules[0].act``.
        slot: ``weight`` or ``act``.
        spec: The format.
        is_fixed: A rule sets its width, so that no allocator chooses it.

    Example:
        >>> NamedSpec("scheme.rules[0].act", "act", TensorSpec()).quantizer_key
        'scheme.rules[0].act.quantizer'
    """

    key: str
    slot: str
    spec: TensorSpec
    is_fixed: bool = False

    @property
    def quantizer_key(self) -> str:
        """How its quantizer is typed."""
        return f"{self.key}.quantizer" if "rules" in self.key else f"quantizer@{self.key}"


def named_specs(config: RunConfig) -> Iterator[NamedSpec]:
    """Formats of weights and activations, then those that rules change; none that is off.

    A rule is applied to the scheme's own format. If it cannot be, it may still fit the first or the
    last layer, whose format is another; the plan of the network decides that, before any work.

    Args:
        config: Of the run.

    Raises:
        ValueError: If a value of the scheme is not allowed.
    """
    scheme = build_scheme(config)
    named = [NamedSpec(f"scheme.{slot}", slot, getattr(scheme, slot)) for slot in SLOTS]
    for number, rule in enumerate(scheme.rules):
        for slot in SLOTS:
            changes = getattr(rule, slot)
            try:
                spec = changed(getattr(scheme, slot), changes, rule.match)
            except InputError:
                continue
            is_fixed = bool(changes.keys() & {"bits", "format"})
            if changes:
                named.append(NamedSpec(f"scheme.rules[{number}].{slot}", slot, spec, is_fixed))
    return (each for each in named if not each.spec.is_off)

"""A record's plan in a few words: the settings that tables and TensorBoard show.

The first and the last layer of a network often have a format of their own, so the layers between
them determine these words.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from qat.records.memo import once_a_record
from qat.records.schema import RunRecord

FLOAT_BITS = 32
FP16_BITS = 16
FP16 = "fp16"


@dataclass(frozen=True, slots=True)
class SlotFacts:
    """The format of the weights, or of the inputs, of most layers.

    Attributes:
        bits: Width of a code; 32 is float.
        spread: Smallest and largest width among the inner layers; equal unless widths are mixed.
        symmetric: Whether the zero point is fixed at 0; None if nothing is quantized.
        signed: Whether there are codes below zero; None if nothing is quantized.
        granularity: ``tensor``, ``channel`` or ``group``; None if nothing is quantized.
        quantizer: Name of the method.
        observer: Name of the method that finds the range.
    """

    bits: int = FLOAT_BITS
    spread: tuple[int, int] = (FLOAT_BITS, FLOAT_BITS)
    symmetric: bool | None = None
    signed: bool | None = None
    granularity: str | None = None
    quantizer: str | None = None
    observer: str | None = None

    @property
    def bits_text(self) -> str:
        """``4``, or ``2-8`` if inner layers differ."""
        low, high = self.spread
        return str(low) if low == high else f"{low}-{high}"


@dataclass(frozen=True, slots=True)
class RunFacts:
    """Settings of a run, as rows of tables show them."""

    model: str | None
    data: str | None
    mode: str
    seed: int
    weight: SlotFacts
    act: SlotFacts
    placement: str | None
    runtime: str | None = None
    allocation: Mapping[str, Any] = field(default_factory=dict)
    rules: str | None = None
    ptq: str | None = None

    @property
    def is_float(self) -> bool:
        """Whether neither weights nor inputs are quantized."""
        return self.weight.bits == self.act.bits == FLOAT_BITS

    @property
    def allocator(self) -> str | None:
        """Name of the method that chose the widths; None if the scheme set them.

        For an allocator of the user's own, the last word of its target.
        """
        return _method_word(self.allocation.get("allocator"))

    @property
    def sensitivity(self) -> str | None:
        """The sensitivity metric by which the widths were chosen."""
        return _method_word(self.allocation.get("metric"))

    @property
    def budget(self) -> str | None:
        """Limits of the choice, such as ``uniform_bits 4``; ``the scheme's`` if there is none."""
        if not self.allocation:
            return None
        limits = self.allocation.get("budgets", {})
        return ", ".join(f"{k} {v:g}" for k, v in limits.items()) or "the scheme's"

    @property
    def method(self) -> str | None:
        """Quantizer of weights and inputs: one name if they are equal, else ``a/b``."""
        return _joined(self.weight.quantizer, self.act.quantizer)

    @property
    def calibration(self) -> str | None:
        """Observer of weights and inputs: one name if they are equal, else ``a/b``."""
        return _joined(self.weight.observer, self.act.observer)

    @property
    def label(self) -> str:
        """A short name, such as ``float``, ``w4a4-lsq`` or ``w4a4-lsq-fold+equalize``."""
        if self.is_float:
            return "float"
        widths = f"w{self.weight.bits_text}a{self.act.bits_text}"
        steps = "" if self.ptq is None else f"-{self.ptq.replace(', ', '+')}"
        return f"{widths}-{self.method}".replace("/", "-") + steps

    @property
    def mode_label(self) -> str:
        """The label with the mode, if it is not in it: ``float``, ``w8a8-minmax-dynamic``."""
        said = self.mode == "float" or self.label.endswith(f"-{self.mode}")
        return self.label if said else f"{self.label}-{self.mode}"

    @property
    def run_name(self) -> str:
        """The label with mode and seed: ``w4a4-lsq-qat-seed0``."""
        return f"{self.mode_label}-seed{self.seed}"


@once_a_record
def run_facts(record: RunRecord) -> RunFacts:
    """The settings in a record's plan and protocol."""
    layers = speaking_layers(record)
    return RunFacts(
        model=_model(record),
        data=_name(record.protocol.get("data", {}).get("name")),
        mode=record.mode,
        seed=record.seed,
        weight=slot_facts([layer["weight"] for layer in layers]),
        act=slot_facts([layer["act"] for layer in layers]),
        placement=(record.plan or {}).get("placement"),
        runtime=_name(record.protocol.get("evaluation", {}).get("runtime")),
        allocation=record.protocol.get("allocation", {}),
        rules=_name(record.protocol.get("evaluation", {}).get("rules")),
        ptq=_name(record.protocol.get("ptq", {}).get("steps")),
    )


def slot_facts(specs: Sequence[Mapping[str, Any]]) -> SlotFacts:
    """The format of most layers in one slot.

    If layers differ, the most frequent width counts (of equally frequent ones, the first).

    Args:
        specs: Format of each layer as in a plan; none if nothing is quantized.

    Example:
        >>> slot_facts([{"format": "fp16"}]).bits, slot_facts([]).bits
        (16, 32)
    """
    if not specs:
        return SlotFacts()
    widths = [stored_bits(spec) for spec in specs]
    commonest = Counter(widths).most_common(1)[0][0]
    spread = (min(widths), max(widths))
    if commonest == FLOAT_BITS:
        return SlotFacts(bits=commonest, spread=spread)
    spec = specs[widths.index(commonest)]
    form = spec.get("format", "int")
    if form != "int":
        return _float_facts(spec, form, commonest, spread)
    return SlotFacts(
        bits=commonest,
        spread=spread,
        symmetric=spec.get("symmetric"),
        signed=spec.get("signed"),
        granularity=spec.get("granularity"),
        quantizer=method_name(spec.get("quantizer")),
        observer=method_name(spec.get("observer")),
    )


def _float_facts(
    spec: Mapping[str, Any], form: str, bits: int, spread: tuple[int, int]
) -> SlotFacts:
    """The facts of a format that is no integer; its name stands for the method.

    Float16 has no scale, and a block format (``mx...``) finds those of its blocks itself.
    """
    facts = SlotFacts(bits=bits, spread=spread, quantizer=form)
    if form == FP16:
        return facts
    if form.startswith("mx"):
        return replace(facts, granularity="block")
    granularity, observer = spec.get("granularity"), method_name(spec.get("observer"))
    return replace(facts, granularity=granularity, observer=observer)


def speaking_layers(record: RunRecord) -> list[Mapping[str, Any]]:
    """The layers of the plan whose formats name the run, the most important first.

    The first and the last layer are left out if the scheme or a rule gives them widths of their
    own, and come last if they are treated like the others.
    """
    plan = record.plan or {}
    layers: Mapping[str, Mapping[str, Any]] = plan.get("layers", {})
    policy = str(record.protocol.get("evaluation", {}).get("first_last"))
    names = list(layers)
    if "ends" in plan:
        ends = [name for name in names if name in plan["ends"]]
    else:  # an older plan: its layers are in execution order, without those that stay float
        ends = [] if policy == "float" else names[:1] + names[1:][-1:]
    inner = [layers[name] for name in names if name not in ends]
    if policy == "same" or not inner:
        usual = [_widths(layer) for layer in inner]
        by_rules = inner and record.protocol.get("evaluation", {}).get("rules")
        inner += [layers[name] for name in ends if not by_rules or _widths(layers[name]) in usual]
    return inner


def _widths(layer: Mapping[str, Any]) -> tuple[int, int]:
    return stored_bits(layer["weight"]), stored_bits(layer["act"])


def stored_bits(spec: Mapping[str, Any]) -> int:
    """Width of one stored value: 32 for float, 16 for fp16, else that of the code.

    The plan has the width of a low-bit format as ``bits``.
    """
    kind = spec.get("format", "int")
    if kind == "float":
        return FLOAT_BITS
    return FP16_BITS if kind == FP16 else int(spec["bits"])


def method_name(method: Mapping[str, Any] | None) -> str | None:
    """A method's name; for a method of the user's own, the last word of its target."""
    if not method:
        return None
    target = method.get("target")
    return target_word(target) if target else str(method["name"])


def target_word(target: object) -> str:
    """The last word of a target.

    Example:
        >>> target_word("mine.networks:SmallNet")
        'SmallNet'
    """
    return str(target).replace(":", ".").rpartition(".")[2]


def _model(record: RunRecord) -> str | None:
    """The network's name; in an older record, for the user's own network, the typed one."""
    name = _name(record.protocol.get("float", {}).get("model"))
    targets = [w.partition("=")[2] for w in record.overrides if w.startswith("model.target=")]
    return target_word(targets[-1]) if name == "user" and targets else name


def _joined(first: str | None, second: str | None) -> str | None:
    names = dict.fromkeys(name for name in (first, second) if name)
    return "/".join(names) or None


def _method_word(value: object) -> str | None:
    """The name of a method; of a target, its last word."""
    name = _name(value)
    return None if name is None else target_word(name)


def _name(value: object) -> str | None:
    """A name, either the value itself or the ``name`` in a mapping."""
    if isinstance(value, Mapping):
        value = value.get("name")
    return None if value is None else str(value)

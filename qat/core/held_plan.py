"""A plan with the scales and zero points of its tensors, taken from a file of another program.

It is a JSON file. A plan without ranges, as a run writes it (``plan.json``), is one too.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qat.base.atomic import write_atomic
from qat.base.errors import InputError
from qat.base.plurals import counted
from qat.base.reading import UnreadableError, read_json
from qat.core.plan import Plan

HELD_PLAN_VERSION = 1
LARGEST_PLAN_BYTES = 256 * 2**20


@dataclass(frozen=True)
class HeldRange:
    """Scales and zero points of one tensor, one of each for every slice of its layout.

    Attributes:
        scale: Size of a step, in the unit of the values.
        zero_point: Code of real zero.

    Raises:
        InputError: If a scale is not a positive number, or the two differ in length.

    Example:
        >>> HeldRange((0.5,), (128,)).scale
        (0.5,)
    """

    scale: tuple[float, ...]
    zero_point: tuple[int, ...]

    def __post_init__(self) -> None:
        """Check the numbers."""
        wrong = [scale for scale in self.scale if not _is_scale(scale)]
        if wrong or not self.scale:
            raise InputError(f"a scale must be a finite number above 0, got {(*wrong, None)[0]!r}")
        if len(self.scale) != len(self.zero_point):
            scales = counted(len(self.scale), "scale")
            zeros = counted(len(self.zero_point), "zero point")
            raise InputError(f"{scales} and {zeros} do not belong together")
        for zero_point in self.zero_point:
            if type(zero_point) is not int:
                raise InputError(f"a zero point must be an integer, got {zero_point!r}")


@dataclass(frozen=True)
class HeldPlan:
    """A plan, and the ranges that are held instead of calibrated.

    Attributes:
        plan: The number format of each tensor.
        ranges: ``name.slot`` → scales and zero points; slot is ``weight``, ``act`` (the input),
            ``output`` or ``tensor``, as in :func:`qat.layers.walk.quantizers`.
        source: Name of the file that the ranges are from; empty if there are none.
        unused: Tensors of that file that no quantizer of the network has.
        open: ``name.slot`` of the quantizers without a range in that file; calibration decides
            them.
        remarks: Lines on weights of that file that are not those of the network; not stored.

    Example:
        >>> from qat.core.plan import LayerPlan
        >>> from qat.core.scheme import TensorSpec
        >>> plan = Plan({"fc": LayerPlan("fc", "Linear", TensorSpec(signed=True), TensorSpec())})
        >>> held = HeldPlan(plan, {"fc.weight": HeldRange((0.5,), (0,))})
        >>> HeldPlan.from_dict(held.to_dict()) == held
        True
    """

    plan: Plan
    ranges: Mapping[str, HeldRange] = field(default_factory=dict)
    source: str = ""
    unused: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    remarks: tuple[str, ...] = field(default=(), compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts and lists, ready for JSON."""
        return {
            "held_plan_version": HELD_PLAN_VERSION,
            "source": self.source,
            "plan": self.plan.to_dict(),
            "ranges": {
                place: {"scale": list(held.scale), "zero_point": list(held.zero_point)}
                for place, held in self.ranges.items()
            },
            "unused": list(self.unused),
            "open": list(self.open),
        }

    @classmethod
    def from_dict(cls, data: Any) -> "HeldPlan":
        """The inverse of :meth:`to_dict`; it takes the data of a plan without ranges too.

        Raises:
            InputError: If the data are not a plan, have another version, or a wrong number.
        """
        if isinstance(data, Mapping) and "layers" in data:
            return cls(Plan.from_dict(data))
        if not isinstance(data, Mapping) or "held_plan_version" not in data:
            raise InputError("it is not a plan")
        if data["held_plan_version"] != HELD_PLAN_VERSION:
            version = data["held_plan_version"]
            raise InputError(f"its version must be {HELD_PLAN_VERSION}, got {version!r}")
        try:
            return cls(
                plan=Plan.from_dict(data["plan"]),
                ranges={place: _range(place, item) for place, item in data["ranges"].items()},
                source=str(data["source"]),
                unused=tuple(map(str, data["unused"])),
                open=tuple(map(str, data["open"])),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(f"it is not a plan: {error}") from error

    def save(self, path: Path) -> None:
        """Write the plan as JSON, atomically."""
        write_atomic(path, json.dumps(self.to_dict(), indent=1) + "\n")

    @classmethod
    def load(cls, path: Path) -> "HeldPlan":
        """Read a file of :meth:`save`, or the ``plan.json`` of a run.

        Raises:
            InputError: If the file does not exist or is no plan; the message names it.
        """
        try:
            return cls.from_dict(read_json(path, LARGEST_PLAN_BYTES))
        except (InputError, UnreadableError, OSError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise InputError(
                f"{path}: {reason}; give a file that `qat import` wrote, or the plan.json of a run"
            ) from error


def _range(place: str, data: Mapping[str, Any]) -> HeldRange:
    try:
        return HeldRange(tuple(data["scale"]), tuple(data["zero_point"]))
    except InputError as error:
        raise InputError(f"{place}: {error}") from error


def _is_scale(scale: object) -> bool:
    is_number = isinstance(scale, int | float) and not isinstance(scale, bool)
    return is_number and 0 < scale < float("inf")  # type: ignore[operator]

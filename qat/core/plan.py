"""The plan: which layer gets which number format. Frozen data, and a JSON file.

Schemes and allocators write it, conversion reads it, cost prices it, tables print it.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from qat.core.scheme import Method, TensorSpec

PLAN_VERSION = 1


@dataclass(frozen=True)
class LayerPlan:
    """How one layer is quantized.

    Attributes:
        name: Module name in the float network.
        kind: Class name of the float layer.
        weight: Spec of the weight.
        act: Spec of the layer's input.
        output: Spec of its output, on the net's last layer only; None leaves it alone.
    """

    name: str
    kind: str
    weight: TensorSpec
    act: TensorSpec
    output: TensorSpec | None = None


@dataclass(frozen=True)
class Plan:
    """Layer name → :class:`LayerPlan`, in execution order.

    Attributes:
        layers: The layers to be quantized.
        left_float: ``(name, class name)`` of layers with weights that stay float.
        placement: Where quantizers stand (see :class:`qat.core.scheme.Scheme`).
    """

    layers: Mapping[str, LayerPlan]
    left_float: tuple[tuple[str, str], ...] = field(default=())
    placement: str = "academic"

    def change(self, name: str, **changes: Any) -> "Plan":
        """A copy in which one layer's fields differ.

        Raises:
            KeyError: If the plan has no layer of that name.
        """
        if name not in self.layers:
            raise KeyError(f"no layer {name!r} in the plan; it has {', '.join(self.layers)}")
        return replace(self, layers={**self.layers, name: replace(self.layers[name], **changes)})

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts and lists, ready for JSON."""
        return {
            "version": PLAN_VERSION,
            "placement": self.placement,
            "left_float": [list(pair) for pair in self.left_float],
            "layers": {name: _layer_to_dict(layer) for name, layer in self.layers.items()},
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Plan":
        """The inverse of :meth:`to_dict`.

        Raises:
            ValueError: If the data is of another version or lacks a part.
        """
        if data.get("version") != PLAN_VERSION:
            raise ValueError(f"plan version must be {PLAN_VERSION}, got {data.get('version')!r}")
        try:
            return cls(
                layers={n: _layer_from_dict(n, d) for n, d in data["layers"].items()},
                left_float=tuple((n, k) for n, k in data["left_float"]),
                placement=data["placement"],
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a plan: {error}") from error

    def save(self, path: Path) -> None:
        """Write the plan as JSON."""
        path.write_text(json.dumps(self.to_dict(), indent=2) + "\n")

    @classmethod
    def load(cls, path: Path) -> "Plan":
        """Read a plan written by :meth:`save`."""
        return cls.from_dict(json.loads(path.read_text()))


def _layer_to_dict(layer: LayerPlan) -> dict[str, Any]:
    data = asdict(layer)
    del data["name"]  # it is the key
    return data


def _layer_from_dict(name: str, data: Mapping[str, Any]) -> LayerPlan:
    output = data["output"]
    return LayerPlan(
        name=name,
        kind=data["kind"],
        weight=_spec_from_dict(data["weight"]),
        act=_spec_from_dict(data["act"]),
        output=None if output is None else _spec_from_dict(output),
    )


def _spec_from_dict(data: Mapping[str, Any]) -> TensorSpec:
    methods = {slot: Method(**data[slot]) for slot in ("quantizer", "observer")}
    return TensorSpec(**{**data, **methods})

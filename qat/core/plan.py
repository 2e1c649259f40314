"""The plan: which layer gets which number format. It is frozen data and a JSON file.

A scheme or an allocator creates a plan, conversion applies it, and costs are computed from it.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qat.base.errors import InputError, UnknownNameError
from qat.core.plan_rows import COLUMNS, plan_data, plan_rows
from qat.core.plan_text import plan_html, plan_text
from qat.core.scheme import Method, TensorSpec

if TYPE_CHECKING:
    import pandas as pd

PLAN_VERSION = 2
"""Plans without tensors between layers are still written as version 1, which had none."""


@dataclass(frozen=True)
class LayerPlan:
    """How one layer is quantized.

    Attributes:
        name: Module name in the float network.
        kind: Class name of the float layer.
        weight: Spec of the weight.
        act: Spec of the layer's input.
        output: Spec of its output, on the net's last layer only; None leaves it alone.

    Example:
        >>> layer = LayerPlan("fc", "Linear", weight=TensorSpec(bits=4), act=TensorSpec())
        >>> layer.weight.bits, layer.act.bits
        (4, 8)
    """

    name: str
    kind: str
    weight: TensorSpec
    act: TensorSpec
    output: TensorSpec | None = None


@dataclass(frozen=True)
class TensorPlan:
    """How a tensor between layers is quantized, in placement ``integer``.

    Attributes:
        name: Of the operation that computes it (``layer1.0.conv1``, ``layer1.0.add``).
        kind: Kind of that operation (see :mod:`qat.graph.operations`).
        spec: Its format; one scale for the whole tensor.
        shares: Name of the tensor whose quantizer it uses; None if it has its own.

    Example:
        >>> TensorPlan("layer1.0.add", "add", TensorSpec(bits=8, signed=True)).spec.bits
        8
    """

    name: str
    kind: str
    spec: TensorSpec
    shares: str | None = None


@dataclass(frozen=True)
class Plan:
    """Layer name → :class:`LayerPlan`, in execution order.

    ``print(plan)`` shows it as a table, and so does a notebook.

    Attributes:
        layers: The layers to be quantized.
        left_float: ``(name, class name)`` of layers with weights that stay float.
        placement: Where quantizers are (see :class:`qat.core.scheme.Scheme`).
        tensors: In placement ``integer``, every tensor that is stored, in execution order; the
            ``act`` of a layer then repeats the spec of the tensor it reads.
        ends: Names of the network's first and last layer, quantized or float; empty if they were
            not recorded.

    Example:
        >>> layer = LayerPlan("fc", "Linear", weight=TensorSpec(bits=4), act=TensorSpec())
        >>> plan = Plan({"fc": layer}).change("fc", weight=TensorSpec(bits=2))
        >>> plan.layers["fc"].weight.bits
        2
    """

    layers: Mapping[str, LayerPlan]
    left_float: tuple[tuple[str, str], ...] = field(default=())
    placement: str = "academic"
    tensors: Mapping[str, TensorPlan] = field(default_factory=dict)
    ends: tuple[str, ...] = field(default=(), compare=False)

    def change(self, name: str, **changes: Any) -> "Plan":
        """A copy with other fields for one layer.

        Args:
            name: Name of the layer.
            changes: Fields of :class:`LayerPlan` and their new values.

        Raises:
            UnknownNameError: If the plan has no layer of that name.
        """
        if name not in self.layers:
            raise UnknownNameError(
                f"no layer {name!r} in the plan; it has {', '.join(self.layers)}"
            )
        return replace(self, layers={**self.layers, name: replace(self.layers[name], **changes)})

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts and lists, ready for JSON."""
        data = {
            "version": PLAN_VERSION if self.tensors else 1,
            "placement": self.placement,
            "left_float": [list(pair) for pair in self.left_float],
            "layers": {name: _unnamed(layer) for name, layer in self.layers.items()},
        }
        if self.tensors:
            data["tensors"] = {name: _unnamed(tensor) for name, tensor in self.tensors.items()}
        if self.ends:
            data["ends"] = list(self.ends)
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Plan":
        """The inverse of :meth:`to_dict`.

        Raises:
            InputError: If the data has another version or lacks a part.
        """
        if data.get("version") not in (1, PLAN_VERSION):
            version = data.get("version")
            raise InputError(f"plan version must be 1 or {PLAN_VERSION}, got {version!r}")
        try:
            return cls(
                layers={n: _layer_from_dict(n, d) for n, d in data["layers"].items()},
                left_float=tuple((n, k) for n, k in data["left_float"]),
                placement=data["placement"],
                tensors={n: _tensor_from_dict(n, d) for n, d in data.get("tensors", {}).items()},
                ends=tuple(data.get("ends", ())),
            )
        except (KeyError, TypeError) as error:
            raise InputError(f"not a plan: {error}") from error

    def to_frame(self) -> "pd.DataFrame":
        """A DataFrame with one row for each quantized tensor; columns without a value are left out.

        The columns are those of :mod:`qat.core.plan_rows`: ``name``, ``slot``, ``kind``, ``bits``
        and the other fields of :class:`TensorSpec`. Values may be changed:

        Example:
            >>> plan = Plan({"fc": LayerPlan("fc", "Linear", TensorSpec(), TensorSpec())})
            >>> frame = plan.to_frame()
            >>> frame.loc[frame.slot == "weight", "bits"] = 4
            >>> Plan.from_frame(frame).layers["fc"].weight.bits
            4
        """
        import pandas as pd

        rows = plan_rows(self.to_dict())
        shown = [c for c in COLUMNS if any(row.get(c) is not None for row in rows)]
        cells = [[row.get(column) for column in shown] for row in rows]
        return pd.DataFrame(cells, columns=shown, dtype=object).infer_objects()

    @classmethod
    def from_frame(cls, frame: "pd.DataFrame") -> "Plan":
        """The inverse of :meth:`to_frame`; fields without a column have their defaults.

        Raises:
            InputError: If a column is unknown, or a value or a combination is not allowed.
        """
        plain = frame.astype(object).where(frame.notna(), None)
        data = plan_data(plain.to_dict("records"))
        return cls.from_dict({"version": PLAN_VERSION, **data})

    def __str__(self) -> str:
        """The plan as a table."""
        return plan_text(self)

    def _repr_html_(self) -> str:
        """The table of a notebook."""
        return plan_html(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """The table of IPython in a terminal."""
        printer.text(plan_text(self))

    def save(self, path: Path) -> None:
        """Write the plan as JSON."""
        path.write_text(json.dumps(self.to_dict(), indent=2) + "\n")

    @classmethod
    def load(cls, path: Path) -> "Plan":
        """Read a plan that :meth:`save` wrote.

        Raises:
            ValueError: If the file is not JSON, or not a plan of a known version.
            OSError: If the file cannot be read.
        """
        return cls.from_dict(json.loads(path.read_text()))


def _unnamed(part: LayerPlan | TensorPlan) -> dict[str, Any]:
    data = asdict(part)
    del data["name"]  # it is the key
    return data


def _tensor_from_dict(name: str, data: Mapping[str, Any]) -> TensorPlan:
    return TensorPlan(name, data["kind"], _spec_from_dict(data["spec"]), data["shares"])


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

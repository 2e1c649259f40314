"""From matched tensors to a plan with held ranges."""

from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor, nn

from qat.base.errors import InputError
from qat.core.held_plan import HeldPlan, HeldRange
from qat.core.plan import LayerPlan, Plan, TensorPlan
from qat.core.scheme import TensorSpec
from qat.export.imported.contents import FileContents, FileTensor
from qat.export.imported.encoding import Encoding
from qat.export.imported.matching import Matched, match
from qat.export.imported.network import ImportedNetwork, imported_network
from qat.export.imported.weights import StoredWeight, weight_remarks

MAX_INTEGER_BITS = 8
_OFF = TensorSpec(format="float")


def plan_from(
    contents: FileContents,
    net: nn.Module,
    example: Tensor,
    placement: str,
    changes: Mapping[str, str],
    folds: bool = False,
) -> HeldPlan:
    """The plan of a network with the formats and ranges of a file.

    Args:
        contents: The file's tensors.
        net: The float network.
        example: Preprocessed images.
        placement: ``academic`` or ``integer``.
        changes: Names that the user replaces.
        folds: Whether a run folds batch norm (placement ``integer`` does in any case).

    Raises:
        InputError: If names or shapes do not belong together, or the placement cannot have a format
            of the file; the message names the tensor.
    """
    network = imported_network(net, example, placement)
    matched = match(contents, network, changes)
    if not (matched.weights or matched.inputs or matched.tensors):
        raise InputError("no tensor of the file belongs to a layer of this network")
    builder = _Builder(network, matched)
    held = builder.integer() if placement == "integer" else builder.academic()
    stored = {
        name: StoredWeight(weight.values, weight.encoding.scale)
        for name, weight in matched.weights.items()
        if weight.values is not None
    }
    remarks = weight_remarks(stored, net, example, folds or placement == "integer")
    return replace(held, remarks=remarks)


class _Builder:
    def __init__(self, network: ImportedNetwork, matched: Matched) -> None:
        self.network, self.matched = network, matched
        self.ranges: dict[str, HeldRange] = {}
        self.open: list[str] = []

    def academic(self) -> HeldPlan:
        """Weights and inputs of layers; a layer without any in the file stays float."""
        plan, used = self.network.plan, set()
        layers: dict[str, LayerPlan] = {}
        for name, layer in plan.layers.items():
            point, tensor = self._input_of(name)
            used.add(point)
            weight = self._weight(name, layer.weight, _OFF)
            act = _OFF
            if tensor is not None:
                act = self._spec(f"{name}.act", tensor.encoding, layer.act, self._inputs_of(name))
            if not (weight.is_off and act.is_off):
                layers[name] = replace(layer, weight=weight, act=act)
        unread = [f"{p} (the input of no layer)" for p in self.matched.tensors if p not in used]
        floats = [(n, layer.kind) for n, layer in plan.layers.items() if n not in layers]
        self.matched.unused += unread
        whole = replace(plan, layers=layers, left_float=(*plan.left_float, *floats))
        return self._held(whole)

    def integer(self) -> HeldPlan:
        """Weights of layers and every tensor between them; calibration decides what is absent."""
        plan = self.network.plan
        self._take_inputs()
        specs = {name: self._tensor(name, tensor) for name, tensor in plan.tensors.items()}
        tensors = {
            name: replace(tensor, spec=specs[tensor.shares or name])
            for name, tensor in plan.tensors.items()
        }
        layers = {}
        for name, layer in plan.layers.items():
            weight = self._weight(name, layer.weight, layer.weight)
            _check_integer(name, weight)
            read = self.network.sources.get(name)
            act = layer.act if read is None else tensors[read].spec
            layers[name] = replace(layer, weight=weight, act=act)
        return self._held(replace(plan, layers=layers, tensors=tensors))

    def _held(self, plan: Plan) -> HeldPlan:
        return HeldPlan(plan, self.ranges, "", tuple(self.matched.unused), tuple(self.open))

    def _input_of(self, layer: str) -> tuple[str, FileTensor | None]:
        """The tensor that a layer reads, and its encoding: the layer's own, or the tensor's."""
        point = self.network.sources.get(layer, "")
        return point, self.matched.inputs.get(layer) or self.matched.tensors.get(point)

    def _take_inputs(self) -> None:
        """Use encodings of inputs for tensors that have none of their own."""
        for layer, tensor in self.matched.inputs.items():
            point = self.network.sources.get(layer)
            if point is not None:
                self.matched.tensors.setdefault(point, tensor)

    def _tensor(self, name: str, tensor: TensorPlan) -> TensorSpec:
        """The spec of a tensor; of one that shares a quantizer, the leader's counts."""
        group = [n for n, leader in self.network.leaders.items() if leader == name]
        encodings = {n: self.matched.tensors[n] for n in group if n in self.matched.tensors}
        if tensor.shares is not None:
            return tensor.spec
        if not encodings:
            self.open.append(f"{name}.tensor")
            return tensor.spec
        chosen = name if name in encodings else next(iter(encodings))
        for other, one in encodings.items():
            if one.encoding != encodings[chosen].encoding:
                self.matched.unused.append(f"{other} (shares the quantizer of {chosen})")
        spec = self._spec(f"{name}.tensor", encodings[chosen].encoding, tensor.spec, 1)
        _check_integer(name, spec)
        return spec

    def _weight(self, name: str, usual: TensorSpec, absent: TensorSpec) -> TensorSpec:
        weight = self.matched.weights.get(name)
        if weight is None:
            if not absent.is_off:
                self.open.append(f"{name}.weight")
            return absent
        outputs = self.network.outputs(name)
        if weight.outputs is not None and weight.outputs != outputs:
            raise InputError(
                f"layer {name!r} has {weight.outputs} output channels in the file and {outputs} in "
                "the network: choose the network of the file (model=NAME)"
            )
        return self._spec(f"{name}.weight", weight.encoding, usual, outputs)

    def _spec(self, place: str, one: Encoding, usual: TensorSpec, slices: int) -> TensorSpec:
        """The format of a tensor; its range is noted."""
        if one.half:
            return one.spec(usual)
        expected = slices
        if one.group_size is not None:
            layer = place.removesuffix(".weight")
            expected *= _groups(place, self.network.plan_weight(layer).shape[1], one.group_size)
        if len(one.scale) not in (1, expected) or (one.group_size and len(one.scale) != expected):
            raise InputError(
                f"{place} has {len(one.scale)} scales in the file, and the network has {slices} "
                "channels there: choose the network of the file (model=NAME)"
            )
        self.ranges[place] = one.held()
        return one.spec(usual, slices)

    def _inputs_of(self, layer: str) -> int:
        module = self.network.modules[layer]
        channels: int = getattr(module, "in_channels", getattr(module, "in_features", 1))
        return channels


def _groups(place: str, inputs: int, group_size: int) -> int:
    size = min(group_size, inputs)
    if inputs % size:
        raise InputError(
            f"{place} has blocks of {group_size} input channels, which do not divide {inputs}: "
            "choose the network of the file (model=NAME)"
        )
    return inputs // size


def _check_integer(name: str, spec: TensorSpec) -> None:
    if spec.format != "int" or spec.bits > MAX_INTEGER_BITS or spec.granularity == "group":
        words = spec.format if spec.format != "int" else f"{spec.bits} bits"
        words = "groups" if spec.granularity == "group" else words
        raise InputError(
            f"{name} has {words}, and placement=integer has integers of 2 to {MAX_INTEGER_BITS} "
            "bits with scales per tensor or channel: import with scheme.placement=academic"
        )

"""Match the tensors of a file with the layers and tensors of a network, by graph and by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from qat.base.errors import InputError
from qat.export.imported.contents import FileContents, FileTensor, FileWeight
from qat.export.imported.names import renamed
from qat.export.imported.network import ImportedNetwork, call_key

LAYERS = ("conv", "linear")
_LISTED = 6


@dataclass
class Matched:
    """What belongs together.

    Attributes:
        weights: Layer → its weight in the file.
        inputs: Layer → the encoding of its input, where the file has one for the layer itself.
        tensors: Tensor between layers → the tensor of the file.
        unused: A line for each tensor of the file that is not taken.
    """

    weights: dict[str, FileWeight] = field(default_factory=dict)
    inputs: dict[str, FileTensor] = field(default_factory=dict)
    tensors: dict[str, FileTensor] = field(default_factory=dict)
    unused: list[str] = field(default_factory=list)


def match(contents: FileContents, network: ImportedNetwork, changes: Mapping[str, str]) -> Matched:
    """Match a file with a network.

    Args:
        contents: The file's tensors.
        network: The network.
        changes: Names that the user replaces (``--rename``).

    Raises:
        InputError: If a weight of the file belongs to no layer, or two belong to one; the message
            lists names.
    """
    _check_renames(contents, changes)
    matcher = _Matcher(contents, network, changes)
    matcher.match_weights()
    matcher.match_inputs()
    for name, tensor in contents.tensors.items():
        matcher.match_tensor(name, tensor)
    unused = matcher.result.unused
    unused += [f"{name} ({reason})" for name, reason in contents.ignored.items()]
    return matcher.result


class _Matcher:
    def __init__(
        self, contents: FileContents, network: ImportedNetwork, changes: Mapping[str, str]
    ) -> None:
        self.contents, self.network, self.changes = contents, network, changes
        self.result = Matched()
        self.layers: dict[str, str] = {}  # weight in the file → layer
        self.points: dict[str, str] = {}  # tensor in the file → tensor of the network
        self.names: dict[str, str] = {}  # the inverse

    def match_weights(self) -> None:
        """Match the weights with layers."""
        unknown = []
        for key, weight in self.contents.weights.items():
            layer = self._layer(key, weight.names)
            if layer is None:
                reason = self._other_module(weight.names)
                if reason is None:
                    unknown.append(weight.names[0])
                else:
                    self.result.unused.append(f"{key} ({reason})")
                continue
            if layer in self.result.weights:
                raise InputError(
                    f"two weights of the file belong to layer {layer!r}, one of them {key!r}: name "
                    f"the other layer with --rename {weight.names[0]}=NAME"
                )
            self.layers[key] = layer
            self.result.weights[layer] = weight
        if unknown:
            raise InputError(self._unknown_words(unknown))

    def match_inputs(self) -> None:
        """Match encodings of the inputs of layers."""
        for key, tensor in self.contents.inputs.items():
            layer = self._layer(key, tensor.names)
            if layer is None:
                self.result.unused.append(f"{key} (the input of no layer that is quantized)")
            else:
                self.result.inputs[layer] = tensor

    def match_tensor(self, name: str, tensor: FileTensor) -> None:
        """Match a tensor between layers."""
        point = self._computed(tensor.computed)
        if point is None:
            point = self.network.point_of(renamed((name, *tensor.names), self.changes))
        if point is None:
            self.result.unused.append(f"{name} (no tensor of the network)")
            return
        if point in self.names:  # of one chain, the last tensor counts: it is after the ReLU
            self.result.unused.append(f"{self.names[point]} (within {point})")
        self.points[name], self.names[point] = point, name
        self.result.tensors[point] = tensor

    def _computed(self, computed: Sequence[str]) -> str | None:
        """The tensor that an operation of the file's graph computes."""
        kind, *reads = computed or ("",)
        if kind == "input":
            return "input" if "input" in self.network.points else None
        if kind in LAYERS:
            layer = self.layers.get(reads[0])
            return layer if layer in self.network.points else None
        known = [self.points[read] for read in reads if read in self.points]
        calls = self.network.calls.get(call_key(kind, known), [])
        free = [point for point in calls if point not in self.names]
        return free[0] if free and len(known) == len(reads) else None

    def _layer(self, key: str, names: Sequence[str]) -> str | None:
        known = self.network.plan.layers
        candidates = renamed((key, *names), self.changes)
        return next((name for name in candidates if name in known), None)

    def _other_module(self, names: Sequence[str]) -> str | None:
        modules = self.network.modules
        for name in renamed(names, self.changes):
            if name in modules:
                return f"a {type(modules[name]).__name__}, which has no quantizer of its own here"
        return None

    def _unknown_words(self, unknown: Sequence[str]) -> str:
        layers = list(self.network.plan.layers)
        return (
            f"no layer of the network is called {_some(unknown)}; its layers are {_some(layers)}: "
            f"choose the network of the file (model=NAME), or name the layers with "
            f"--rename {unknown[0]}={layers[0]}"
        )


def _check_renames(contents: FileContents, changes: Mapping[str, str]) -> None:
    """Refuse a change that no name of the file has."""
    parts = (contents.weights, contents.inputs, contents.tensors)
    names = [name for part in parts for key, one in part.items() for name in (key, *one.names)]
    for old, new in changes.items():
        if all(renamed((name,), {old: new}) == (name,) for name in names):
            raise InputError(
                f"--rename {old}={new} changes no name of the file, which has {_some(names)}: give "
                "a name in full, or up to a dot"
            )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_LISTED]) + (", ..." if len(names) > _LISTED else "")

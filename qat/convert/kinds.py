"""Kinds of layers, for rules that apply to all layers of one kind: ``match: kind:depthwise``.

first, last   the first and the last layer in execution order
conv          convolutions, except depthwise ones and the first and last layer
depthwise     convolutions with one input channel per group, except the first and last layer
linear        every linear layer, also the last one
complex       layers whose input comes from SiLU, Hardswish, GELU, Sigmoid or Hardsigmoid, directly
              or through a product, pool, dropout or reshape
"""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from torch import fx, nn

from qat.base.errors import InputError
from qat.graph.operations import LAYERS, PASSING, Operation, operations
from qat.graph.trace import trace

PREFIX = "kind:"
KINDS = ("first", "last", "conv", "depthwise", "linear", "complex")
"""The words that may follow ``kind:``."""
COMPLEX = ("silu", "hardswish", "gelu", "sigmoid", "hardsigmoid")
Kinds = Mapping[str, frozenset[str]]
_THROUGH = (*PASSING, "mul", "avg_pool", "adaptive_avg_pool", "mean")


def matches(match: str, name: str, kinds: Kinds) -> bool:
    """Return whether a rule applies to a layer, by its name or by its kind.

    Args:
        match: The rule's ``match``: a name pattern with ``*`` and ``?``, or ``kind:KIND``.
        name: Name of the layer.
        kinds: Layer → its kinds, from :func:`layer_kinds`.

    Example:
        >>> kinds = {"stem": frozenset({"first"}), "head": frozenset({"last", "linear"})}
        >>> matches("st*", "stem", kinds), matches("kind:linear", "stem", kinds)
        (True, False)
    """
    if match.startswith(PREFIX):
        return match.removeprefix(PREFIX) in kinds.get(name, ())
    return fnmatchcase(name, match)


def check_kind(match: str) -> None:
    """Check the kind in a rule's ``match``.

    Raises:
        ValueError: If it names a kind that does not exist.
    """
    kind = match.removeprefix(PREFIX)
    if match.startswith(PREFIX) and kind not in KINDS:
        raise InputError(f"rule {match!r}: there is no kind {kind!r}, only {', '.join(KINDS)}")


def layer_kinds(
    net: nn.Module, names: Sequence[str], matches: Sequence[str]
) -> dict[str, frozenset[str]]:
    """Return the kinds of each layer.

    Args:
        net: A float network.
        names: Names of its layers in execution order.
        matches: The ``match`` of each rule. The network is traced only if one of them is
            ``kind:complex``.

    Raises:
        TraceError: If the network must be traced and cannot be; the message names the line.
        UnsupportedOperationError: If it must be traced and has an operation that is not known.

    Example:
        >>> net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Flatten(), nn.Linear(4, 2))
        >>> {name: sorted(kinds) for name, kinds in layer_kinds(net, ["0", "2"], []).items()}
        {'0': ['first'], '2': ['last', 'linear']}
    """
    needs_trace = f"{PREFIX}complex" in matches
    behind = _behind_complex(net) if needs_trace else frozenset[str]()
    return {
        name: frozenset(
            {
                *_kinds(net.get_submodule(name), name, names),
                *({"complex"} if name in behind else ()),
            }
        )
        for name in names
    }


def _kinds(layer: nn.Module, name: str, names: Sequence[str]) -> set[str]:
    ends = {kind for kind, end in (("first", names[0]), ("last", names[-1])) if name == end}
    if isinstance(layer, nn.Linear):
        return ends | {"linear"}
    if ends:
        return ends
    groups, channels = int(layer.groups), int(layer.in_channels)  # type: ignore[arg-type]
    return {"depthwise"} if groups == channels > 1 else {"conv"}


def _behind_complex(net: nn.Module) -> frozenset[str]:
    every = operations(trace(net))
    return frozenset(
        str(operation.node.target)
        for operation in every.values()
        if operation.kind in LAYERS and _made_by_complex(operation.inputs[0], every)
    )


def _made_by_complex(node: fx.Node, every: Mapping[fx.Node, Operation]) -> bool:
    operation = every[node]
    if operation.kind in COMPLEX:
        return True
    through = operation.kind in _THROUGH
    return through and any(_made_by_complex(source, every) for source in operation.inputs)

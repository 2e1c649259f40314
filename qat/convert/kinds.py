"""Kinds of layers, for rules that mean all layers of one kind: ``match: kind:depthwise``.

first, last   by the order they run in
conv          convolutions but the first and last layer, depthwise ones aside
depthwise     convolutions of one input channel a group, the first and last layer aside
linear        every linear layer, the last one too
complex       layers that read what SiLU, Hardswish, GELU, Sigmoid or Hardsigmoid made, straight or
              through a product, pool, dropout or reshape
"""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from torch import fx, nn

from qat.base.errors import InputError
from qat.graph.operations import LAYERS, PASSING, Operation, operations
from qat.graph.trace import trace

PREFIX = "kind:"
KINDS = ("first", "last", "conv", "depthwise", "linear", "complex")
COMPLEX = ("silu", "hardswish", "gelu", "sigmoid", "hardsigmoid")
Kinds = Mapping[str, frozenset[str]]
_THROUGH = (*PASSING, "mul", "avg_pool", "adaptive_avg_pool", "mean")


def matches(match: str, name: str, kinds: Kinds) -> bool:
    """Whether a rule means a layer: by a glob over its name, or by its kind."""
    if match.startswith(PREFIX):
        return match.removeprefix(PREFIX) in kinds.get(name, ())
    return fnmatchcase(name, match)


def check_kind(match: str) -> None:
    """Raise ValueError if a match names a kind that there is not."""
    kind = match.removeprefix(PREFIX)
    if match.startswith(PREFIX) and kind not in KINDS:
        raise InputError(f"rule {match!r}: there is no kind {kind!r}, only {', '.join(KINDS)}")


def layer_kinds(
    net: nn.Module, names: Sequence[str], matches: Sequence[str]
) -> dict[str, frozenset[str]]:
    """Layer → its kinds.

    Args:
        net: A float network.
        names: Its layers in the order they run in.
        matches: Of the rules; the network is traced only if one asks for ``complex``.

    Raises:
        TraceError: If it must be traced and cannot be; its line is named.
    """
    asked = f"{PREFIX}complex" in matches
    behind = _behind_complex(net) if asked else frozenset[str]()
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
    found = {kind for kind, end in (("first", names[0]), ("last", names[-1])) if name == end}
    if isinstance(layer, nn.Linear):
        return found | {"linear"}
    if found:
        return found
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
    return through and any(_made_by_complex(given, every) for given in operation.inputs)

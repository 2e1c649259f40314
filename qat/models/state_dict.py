"""The weights in a checkpoint as it is found: what is taken of it, and what is left.

Training programs wrap a state dict in mappings (``state_dict``, ``model``, ``ema``, ...) beside
epochs and optimizers, and its keys in prefixes (``module.`` of data parallelism and of averaged
models, ``_orig_mod.`` of ``torch.compile``, ``model.`` and ``net.`` of Lightning modules).
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

PREFIXES = ("module.", "_orig_mod.", "model.", "net.")
_COMPILED = "_orig_mod."
# What averaging (AveragedModel) and counting of operations (thop) leave among the weights.
_COUNTERS = ("n_averaged", "total_ops", "total_params")
_BATCHES = "num_batches_tracked"  # absent from old checkpoints; counts for nothing at inference
_DEPTH = 3
_SHOWN = 4


@dataclass(frozen=True)
class CheckpointTensors:
    """A mapping of tensors in a checkpoint.

    Attributes:
        key: Where it stands, ``a.b`` for a mapping in a mapping; empty for the whole file.
        state: Its tensors, named as the network's are as far as that goes.
        prefix: What was taken off each name.
        left: Names that were not taken, of its own and beside it.
    """

    key: str
    state: Mapping[str, Tensor]
    prefix: str = ""
    left: tuple[str, ...] = ()

    def line(self) -> str:
        """What was taken and what was left, in one line.

        Example:
            >>> CheckpointTensors("model_ema", {}, "module.", ("epoch", "optimizer")).line()
            '0 tensors taken of model_ema without the prefix module.; left: epoch, optimizer'
        """
        of = f" of {self.key}" if self.key else ""
        prefix = f" without the prefix {self.prefix}" if self.prefix else ""
        left = f"; left: {some(self.left)}" if self.left else ""
        return f"{len(self.state)} tensors taken{of}{prefix}{left}"


def mappings_of_tensors(content: Any) -> Iterator[tuple[str, dict[str, Tensor]]]:
    """Every mapping in a checkpoint that holds tensors by name, with the key it stands under."""
    yield from _within("", content, _DEPTH)


def as_the_network_names(
    key: str, state: Mapping[str, Tensor], wanted: Collection[str], beside: Collection[str] = ()
) -> CheckpointTensors:
    """Take off prefixes that all names share, and counters that the network does not have.

    Args:
        key: Where the mapping stands.
        state: Name → tensor.
        wanted: Names of the network.
        beside: What else the file holds.
    """
    left = [name for name in state if _last(name) in _COUNTERS and name not in wanted]
    kept = {name: tensor for name, tensor in state.items() if name not in left}
    taken_off = ""
    while prefix := _shared_prefix(kept, wanted):
        kept = {name.removeprefix(prefix): tensor for name, tensor in kept.items()}
        taken_off += prefix
    if any(_COMPILED in name for name in kept) and not any(_COMPILED in name for name in wanted):
        kept = {name.replace(_COMPILED, ""): tensor for name, tensor in kept.items()}
        taken_off = taken_off or _COMPILED
    left += [name for name in kept if _last(name) == _BATCHES and name not in wanted]
    kept = {name: tensor for name, tensor in kept.items() if name not in left}
    return CheckpointTensors(key, kept, taken_off, (*left, *beside))


def differences(own: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> str:
    """In what a state dict is not this network's, in words; empty if it is."""
    missing = [k for k in own if k not in state and _last(k) != _BATCHES]
    unknown = [k for k in state if k not in own]
    shapes = [
        f"{k} {tuple(state[k].shape)} instead of {tuple(own[k].shape)}"
        for k in own
        if k in state and state[k].shape != own[k].shape
    ]
    parts = [("missing", missing), ("unknown", unknown), ("of another shape", shapes)]
    return "; ".join(f"{what}: {some(keys)}" for what, keys in parts if keys)


def some(names: Collection[str]) -> str:
    """The first few names, and how many more there are."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join([*names][:_SHOWN]) + more


def _within(key: str, content: Any, depth: int) -> Iterator[tuple[str, dict[str, Tensor]]]:
    if not isinstance(content, Mapping):
        return
    named = {name: value for name, value in content.items() if isinstance(name, str)}
    tensors = {name: value for name, value in named.items() if isinstance(value, Tensor)}
    if any(tensor.ndim for tensor in tensors.values()):  # an epoch may be a tensor too
        yield key, tensors
    if depth:
        for name, value in named.items():
            yield from _within(f"{key}.{name}" if key else name, value, depth - 1)


def _shared_prefix(state: Mapping[str, Tensor], wanted: Collection[str]) -> str | None:
    """A prefix of every name, unless names are the network's own already."""
    if not state or any(name in wanted for name in state):
        return None
    return next((p for p in PREFIXES if all(name.startswith(p) for name in state)), None)


def _last(name: str) -> str:
    return name.rpartition(".")[2]
